//! What people and programs tell conversations: go on, end, begin. Stored as a signal, run as a job of its contact's
//! lane, in the order of everything else that happens to the contact.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use wigwag_domain::{ContactId, Payload, SessionId, SignalId, TenantKey};
use wigwag_store::signal::Signal;

/// What is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Told {
    /// A program outside resumes a session that waits for it.
    Resume {
        /// What it sent.
        data: Value,
    },
    /// People release a session.
    Release {
        /// `next`, `end`, or the name of a node.
        to: String,
        /// Variables that they set.
        variables: Map<String, Value>,
    },
    /// Somebody ends a session.
    End,
    /// Somebody begins a session anew, on the newest revision.
    Restart {
        /// The message with which it begins.
        message: Box<Payload>,
    },
    /// Somebody moves a session to another node.
    Move {
        /// Its name.
        node: String,
    },
    /// A program begins a session, or says something in one that is open.
    Start {
        /// The flow.
        flow: String,
        /// The message with which it begins.
        message: Box<Payload>,
        /// Variables that are there from the beginning.
        variables: Map<String, Value>,
    },
}

impl Told {
    /// The word in the column `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Resume { .. } => "resume",
            Self::Release { .. } => "release",
            Self::End => "end",
            Self::Restart { .. } => "restart",
            Self::Move { .. } => "move",
            Self::Start { .. } => "start",
        }
    }

    /// The message that it brings, where it brings one.
    #[must_use]
    pub fn message(&self) -> Option<&Payload> {
        match self {
            Self::Restart { message } | Self::Start { message, .. } => Some(message),
            Self::Resume { .. } | Self::Release { .. } | Self::End | Self::Move { .. } => None,
        }
    }

    /// The signal that carries it. What may be told once has an `id` of its own; anything else gets a new one.
    #[must_use]
    pub fn signal(
        &self,
        id: Option<SignalId>,
        tenant: &TenantKey,
        contact: ContactId,
        session: Option<SessionId>,
    ) -> Signal {
        Signal {
            id: id.unwrap_or_else(|| SignalId(Uuid::now_v7())),
            tenant: tenant.clone(),
            contact,
            session,
            kind: self.kind().to_owned(),
            body: serde_json::to_string(self).unwrap_or_default(),
        }
    }
}
