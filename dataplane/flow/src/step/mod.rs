//! The step: a session and what happened, to the session after it and what goes out. Pure: the same in gives the same
//! out, ids among it, so that a crash between a step and its commit is mended by stepping again.

mod assign;
mod run;

use jiff::Timestamp;
use serde_json::{Map, Value};
use wigwag_domain::{Body, ContactId, InboundId, OutboundId, Payload, SessionId, clean};

use crate::{Program, Session};
use run::Run;

/// Who writes, as expressions see it in `contact`.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Profile name, as the provider tells it.
    pub name: Option<String>,
    /// Phone number with `+`, where it is known.
    pub phone: Option<String>,
    /// What flows assigned to `contact.NAME`. A `name` among it goes before the profile's.
    pub attributes: Map<String, Value>,
}

/// A message of the customer.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    id: InboundId,
    now: Timestamp,
    payload: &'a Payload,
}

/// What a session can take.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The customer wrote.
    Message(Incoming<'a>),
}

/// What goes out.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A message to the customer.
    Send {
        /// The same in each run of the step.
        id: OutboundId,
        /// What it says; within the provider's limits.
        body: Body,
    },
}

/// What a step makes. All of it is committed together.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The session afterwards.
    pub session: Session,
    /// What goes out, in order.
    pub effects: Vec<Effect>,
    /// All of the contact's attributes, where the step changed one.
    pub contact_attributes: Option<Map<String, Value>>,
    /// Why the session is `Errored`; then nothing goes out and no attribute changes. The session's context and
    /// variables tell how far it got.
    pub failure: Option<Failure>,
    /// What did not work out and did not end the session, to be counted.
    pub problems: Vec<Problem>,
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The node.
    pub node: String,
    /// Which budget or rule.
    pub kind: FailureKind,
    /// What happened and what to do, for the flow's author.
    pub message: String,
}

/// Which budget or rule ended a session; a label of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// 500 steps in one event.
    Steps,
    /// 2,000 events in one session.
    Events,
    /// 64 KiB of the author's variables, or 32 levels within one.
    Variables,
    /// 16 KiB of a contact's attributes, or 32 levels within one.
    ContactAttributes,
    /// The work of all expressions in one event.
    Expressions,
    /// The session stands at a node that its program does not have.
    UnknownNode,
}

/// What did not work out at a node, while the conversation went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The node.
    pub node: String,
    /// The field within the node, for example `cases[0].when`.
    pub field: String,
    /// What sort of problem.
    pub kind: ProblemKind,
    /// What happened. It holds nothing that the customer wrote.
    pub message: String,
}

/// What sort of problem; a label of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// An expression had no value.
    Expression,
    /// A rendered text was longer than the provider takes, and was cut.
    Cut,
    /// A rendered text was empty: a message was left out, a question got its node's name.
    Empty,
}

/// Begins a session with the message that started it.
#[must_use]
pub fn start(program: &Program, id: SessionId, contact: &Contact, incoming: Incoming<'_>) -> Step {
    Run::new(program, Session::begin(id, program), contact, incoming).start()
}

/// Steps a session. One that is over, and a message that moves no session, change nothing.
#[must_use]
pub fn step(program: &Program, session: Session, contact: &Contact, event: Event<'_>) -> Step {
    let Event::Message(incoming) = event;
    Run::new(program, session, contact, incoming).answer()
}

// === impl Contact ===

impl Contact {
    /// The contact as expressions see it.
    fn seen(&self) -> Value {
        let mut seen = self.attributes.clone();
        seen.insert("id".to_owned(), self.id.to_string().into());
        if let Some(phone) = &self.phone {
            seen.insert("phone".to_owned(), clean(phone).into());
        }
        if let Some(name) = self.name.as_ref().filter(|_| !self.attributes.contains_key("name")) {
            seen.insert("name".to_owned(), clean(name).into());
        }
        Value::Object(seen)
    }
}

// === impl Incoming ===

impl<'a> Incoming<'a> {
    /// A message by its id, whose milliseconds are when it was received: the only clock that a step knows.
    #[must_use]
    pub fn new(id: InboundId, payload: &'a Payload) -> Self {
        Self { id, now: Timestamp::from_millisecond(id.millis()).unwrap_or(Timestamp::MAX), payload }
    }
}

// === impl FailureKind ===

impl FailureKind {
    /// The word in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Events => "events",
            Self::Variables => "variables",
            Self::ContactAttributes => "contact-attributes",
            Self::Expressions => "expressions",
            Self::UnknownNode => "unknown-node",
        }
    }
}

// === impl ProblemKind ===

impl ProblemKind {
    /// The word in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expression => "expression",
            Self::Cut => "cut",
            Self::Empty => "empty",
        }
    }
}
