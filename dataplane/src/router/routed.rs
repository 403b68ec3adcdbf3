//! What a job led to, on its way from the router to rows and to the next stages.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;
use wigwag_domain::{Body, EffectId, HttpCall, OutboundId, ProviderName, SessionId, SignalId, TemplateMessage};
use wigwag_flow::{Passage, Problem, Session};

/// What something led to.
#[derive(Debug, Default)]
pub struct Routed {
    /// Sessions that changed, an ended one before a begun one.
    pub sessions: Vec<Session>,
    /// Messages to send, in order.
    pub sends: Vec<Said>,
    /// Calls to make: the session that waits, id, call, and until when its result counts.
    pub calls: Vec<(SessionId, EffectId, HttpCall, Timestamp)>,
    /// What sessions took.
    pub taken: Vec<Taken>,
    /// When to look at sessions at the latest.
    pub timers: Vec<(SessionId, Timestamp)>,
    /// Signals for which sessions wait now.
    pub awaited: Vec<SignalId>,
    /// The contact's attributes, where they changed.
    pub contact_attributes: Option<Map<String, Value>>,
    /// Whether what was put off for this contact may run now.
    pub wake: bool,
    /// Until when the contact's messages wait.
    pub hold: Option<Timestamp>,
    /// Why the conversation cannot go on: the node, and the reason that stands in `job_outcome`.
    pub failure: Option<(String, String)>,
    /// What did not work out and did not end it, with the Flow's name.
    pub problems: Vec<(String, Problem)>,
    /// Why sessions ended that could not go on: Flow, node and kind.
    pub errors: Vec<(String, String, &'static str)>,
    /// The nodes that sessions came through.
    pub passages: Vec<Passage>,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Said {
    /// The session that says it.
    pub session: SessionId,
    /// Its id.
    pub id: OutboundId,
    /// The account by which it goes out.
    pub provider: ProviderName,
    /// What it says.
    pub body: Body,
    /// What goes instead where the customer has not written for 24 hours.
    pub fallback: Option<TemplateMessage>,
}

/// What a session took.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// The session.
    pub session: SessionId,
    /// The event's number within it.
    pub number: u32,
    /// When it happened.
    pub at: Timestamp,
    /// What sort of event.
    pub kind: &'static str,
    /// What it came from.
    pub source: Uuid,
    /// The contact's attributes as the step saw them.
    pub seen: Map<String, Value>,
}
