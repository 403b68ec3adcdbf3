//! What a job led to, as rows to commit and as what the next stages are handed after that.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use wigwag_domain::{Payload, Recipient};
use wigwag_flow::Session;
use wigwag_store::{
    contact,
    effects::{ContactChange, JobEffects, JobFailure, NewEffect, NewMessage, SessionEvent},
    session::StoredSession,
};

use super::mailbox::Mail;
use crate::{
    calls::NewCall,
    dispatch::Outgoing,
    router::{Routed, Said, Taken},
};

/// A job with what it led to, for the log and for the next stages.
pub(super) struct Stepped {
    pub effects: JobEffects,
    pub outgoing: Vec<Outgoing>,
    pub calls: Vec<NewCall>,
    pub state: &'static str,
    /// Until when the contact's messages wait.
    pub hold: Option<Timestamp>,
    pub took: Duration,
}

/// The contact of a job as it is known now.
pub(super) struct Known {
    pub stored: contact::Contact,
    /// Profile name, as the newest message tells it.
    pub name: Option<String>,
    /// A phone, with `+`.
    pub phone: Option<String>,
}

impl Stepped {
    /// A job that leads to nothing: what it came with is stored.
    pub fn nothing(mail: Mail, state: &'static str, begun: Instant) -> Self {
        let effects = JobEffects::nothing(mail.job);
        Self { effects, outgoing: vec![], calls: vec![], state, hold: None, took: begun.elapsed() }
    }

    /// A job that this version does not read fails alone.
    pub fn unreadable(mail: Mail, error: &str, begun: Instant) -> Self {
        let mut stepped = Self::nothing(mail, "failed", begun);
        stepped.effects.failure = Some(JobFailure { node: None, reason: format!("unreadable-payload: {error}") });
        stepped
    }

    /// A job with what it was routed to. `payload` is the message that it is, if it is one; `body` what the event held
    /// that is not stored elsewhere.
    pub fn of(
        mail: Mail,
        payload: Option<&Payload>,
        body: Option<String>,
        known: Known,
        routed: Routed,
        begun: Instant,
    ) -> Self {
        let state = match (&routed.failure, routed.sessions.last()) {
            (Some(_), _) => "failed",
            (None, Some(session)) => session.status().as_str(),
            (None, None) => "stored",
        };
        let recipient = payload.map(recipient);
        let mut messages = Vec::with_capacity(routed.sends.len());
        let mut outgoing = Vec::with_capacity(routed.sends.len());
        for Said { session, id, provider, body, fallback } in routed.sends {
            let text = serde_json::to_string(&body).unwrap_or_default();
            let stored_fallback = fallback.as_ref().and_then(|template| serde_json::to_string(template).ok());
            messages.push(NewMessage {
                id,
                session,
                provider: provider.clone(),
                body: text,
                fallback: stored_fallback,
            });
            // Only who has just written may be written to without a look into the table.
            if let Some(recipient) = &recipient {
                outgoing.push(Outgoing::new(id, &mail.job, provider, body, fallback, recipient.clone()));
            }
        }
        let mut effects_calls = Vec::new();
        let mut calls = Vec::new();
        for (session, id, call, deadline) in routed.calls {
            let request = serde_json::to_string(&call).unwrap_or_default();
            effects_calls.push(NewEffect { id, session, request, repeatable: call.repeatable, deadline });
            calls.push(NewCall::new(id, &mail.job, session, &call));
        }
        let event = |taken: Taken| SessionEvent {
            session: taken.session,
            number: taken.number,
            at: taken.at,
            kind: taken.kind,
            source: taken.source,
            body: body.clone(),
            contact: json!({"name": known.name, "phone": known.phone, "attributes": taken.seen}).to_string(),
        };
        let attributes = routed.contact_attributes.and_then(|attributes| serde_json::to_string(&attributes).ok());
        let events = routed.taken.into_iter().map(event).collect();
        let Known { stored, name, .. } = known;
        let change = (name != stored.name || attributes.is_some())
            .then(|| ContactChange { name, attributes: attributes.unwrap_or(stored.attributes) });
        let effects = JobEffects {
            job: mail.job,
            sessions: routed.sessions.iter().map(stored_session).collect(),
            messages,
            calls: effects_calls,
            events,
            timers: routed.timers,
            awaited: routed.awaited,
            wake: routed.wake,
            contact: change,
            failure: routed.failure.map(|(node, reason)| JobFailure { node: Some(node), reason }),
        };
        Self { effects, outgoing, calls, state, hold: routed.hold, took: begun.elapsed() }
    }
}

/// A session as its row.
pub(super) fn stored_session(session: &Session) -> StoredSession {
    StoredSession {
        id: session.id,
        flow: session.flow.clone(),
        revision: session.revision.clone(),
        pinned: session.pinned.iter().map(|(flow, revision)| format!("{flow}@{revision}")).collect(),
        state: session.status().as_str(),
        node: session.own_node().to_owned(),
        context: session.to_json(),
    }
}

/// The answer goes to where the message came from.
fn recipient(payload: &Payload) -> Recipient {
    match payload.from.strip_prefix('+') {
        Some(digits) => Recipient::Phone(digits.to_owned()),
        None => Recipient::UserId(payload.from.clone()),
    }
}
