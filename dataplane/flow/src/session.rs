//! A session: one conversation of one contact in one flow, as it stands between two messages.
//!
//! The host stores it as JSON and hands it back with the next message; what it holds is all that a step knows of what
//! went before. It is pinned to the revision with which it began.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wigwag_domain::{Content, Payload, SessionId, WaitId};

use crate::{
    Program,
    context::{Context, Key},
    question::WireId,
};

/// One conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The flow's name.
    pub flow: String,
    /// The flow's revision, for the session's whole life.
    pub revision: String,
    pub(crate) status: SessionStatus,
    /// The node where it stands; the last one, once it is over.
    pub node: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<Wait>,
    /// How many it has taken, the one that began it among them.
    pub(crate) events: u32,
    /// What the engine keeps of the conversation, by the names that expressions know: `input`, `lastInput` and so on.
    pub(crate) context: Context,
    /// What the flow's author assigned.
    #[serde(default)]
    pub variables: Map<String, Value>,
}

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SessionStatus {
    /// Between two nodes.
    Active,
    /// Waits for the customer.
    Paused,
    /// Over, as the flow meant it, or because the customer did not answer in time.
    Completed,
    /// Over, because the flow could not go on.
    Errored,
}

/// The point at which a session stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub(crate) enum Wait {
    /// The customer's answer to the node's question.
    Answer {
        /// Travels in the ids of buttons and rows, so that a tap on an older question is known.
        id: WaitId,
        /// When the customer last wrote.
        since: Timestamp,
    },
}

// === impl Session ===

impl Session {
    /// A session that stands before its flow's first node.
    pub(crate) fn begin(id: SessionId, program: &Program) -> Self {
        Self {
            id,
            flow: program.name().to_owned(),
            revision: program.revision().to_owned(),
            status: SessionStatus::Active,
            node: String::new(),
            wait: None,
            events: 0,
            context: Context::default(),
            variables: Map::new(),
        }
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, SessionStatus::Active | SessionStatus::Paused)
    }

    /// Whether it waits, runs or is over, and how.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        self.status
    }

    /// Since when it waits for the customer; `None` where it does not.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Timestamp> {
        self.wait.as_ref().map(|Wait::Answer { since, .. }| *since)
    }

    /// Whether the message says by itself that it answers this session's open question: it is a tap on it.
    #[must_use]
    pub fn is_answered_by(&self, message: &Payload) -> bool {
        let (Some(Wait::Answer { id, .. }), Content::Tap(tap)) = (&self.wait, &message.content) else { return false };
        WireId::read(&tap.id).wait.is_some_and(|wait| wait == id.short())
    }

    /// Whether it has waited for longer than its flow allows.
    #[must_use]
    pub fn expired(&self, program: &Program, now: Timestamp) -> bool {
        let timeout = SignedDuration::try_from(program.session_timeout()).unwrap_or(SignedDuration::MAX);
        self.waiting_since().is_some_and(|since| now.duration_since(since) >= timeout)
    }

    /// The session, ended because the customer did not answer in time.
    #[must_use]
    pub fn expire(mut self) -> Self {
        self.end(SessionStatus::Completed);
        self.context.set(Key::EndReason, "timeout");
        self
    }

    /// Ends the session.
    pub(crate) fn end(&mut self, status: SessionStatus) {
        self.status = status;
        self.wait = None;
    }

    /// The session, ended because the text of its revision is not to be had any more.
    #[must_use]
    pub fn abandon(mut self) -> Self {
        self.end(SessionStatus::Errored);
        self
    }

    /// The form in which it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| unreachable!("a session has text keys and finite numbers alone"))
    }

    /// A session as it was stored.
    ///
    /// # Errors
    ///
    /// The text is not what [`Session::to_json`] wrote.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

// === impl SessionStatus ===

impl SessionStatus {
    /// The word in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Completed => "Completed",
            Self::Errored => "Errored",
        }
    }
}
