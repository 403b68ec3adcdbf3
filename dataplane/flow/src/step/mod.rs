//! The step: a session and what happened, to the session after it and what goes out. Pure: the same in gives the same
//! out, ids among it, so that a crash between a step and its commit is mended by stepping again.
//!
//! | module | what |
//! | --- | --- |
//! | `run` | walks from node to node, until the session waits, ends or fails |
//! | `answer` | the customer's message, taken as an answer |
//! | `wait` | everything else that ends a wait: times, results, people, programs |
//! | `talk` | nodes that talk to the customer |
//! | `parts`, `file`, `approved` | long texts, files and approved templates, as they go out |
//! | `branch` | nodes that choose a way |
//! | `assign` | values into variables, and their budgets |
//! | `http` | calls to endpoints, and what their answers lead to |
//! | `call` | flows that call flows |
//! | `visit` | visits of `waitFor` nodes, and their URLs |
//! | `render` | texts and expressions |
//! | `effect` | what goes out, with its ids |
//! | `mend` | where failures lead |

mod answer;
mod approved;
mod assign;
mod branch;
mod call;
mod effect;
mod file;
mod http;
mod mend;
mod parts;
mod render;
mod run;
mod talk;
mod visit;
mod wait;

use jiff::Timestamp;
use serde_json::{Map, Value};
use wigwag_domain::{
    Body, CallResult, ContactId, EffectId, HttpCall, OutboundId, Payload, SessionId, SignalId, TemplateMessage, clean,
};

pub(crate) use parts::MAX_PARTS;

use crate::{Linked, Session, Tenant};
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
    /// What flows assigned to `contact.NAME`, and the engine's own `language` and `optedOut`. A `name` among it goes
    /// before the profile's.
    pub attributes: Map<String, Value>,
}

/// What a conversation is part of.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Who writes.
    pub contact: &'a Contact,
    /// To whom.
    pub tenant: &'a Tenant,
}

/// A message of the customer.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// What came.
    pub payload: &'a Payload,
    /// Our message that it quotes.
    pub quoted: Option<OutboundId>,
}

/// What a session takes.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When it happened: the only clock that a step knows.
    pub at: Timestamp,
    /// What happened.
    pub what: What<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// The customer wrote.
    Message(Incoming<'a>),
    /// A program said something in the customer's place, and set variables before it.
    Said(Incoming<'a>, &'a Map<String, Value>),
    /// The result of an effect is there.
    Result(EffectId, &'a CallResult),
    /// It is time to look at the session.
    Timer,
    /// A program outside resumed it, with this JSON.
    Resumed(SignalId, &'a Value),
    /// People released it.
    Released(&'a Release),
    /// Somebody moved it to another node.
    Moved(&'a str),
    /// A message that it sent has failed, with the provider's code and words.
    SendFailed(OutboundId, Option<i64>, &'a str),
}

/// How people release a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Release {
    /// Where it goes on.
    pub to: ReleaseTo,
    /// Variables that they set.
    pub variables: Map<String, Value>,
}

/// Where a released session goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReleaseTo {
    /// At the node behind the handoff.
    #[default]
    Next,
    /// Nowhere.
    End,
    /// At this node.
    Node(String),
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
        /// What goes instead where the customer has not written for 24 hours.
        fallback: Option<TemplateMessage>,
    },
    /// A call to an endpoint.
    Call {
        /// The same in each run of the step; the call's `Idempotency-Key`.
        id: EffectId,
        /// What to ask.
        call: HttpCall,
        /// Until when its result counts.
        deadline: Timestamp,
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
    /// Whether the session took the event; one that it did not is gone without a trace.
    pub taken: bool,
    /// Why the session is `Errored`; then nothing goes out but the tenant's fallback, and no attribute changes. The
    /// session's context and variables tell how far it got.
    pub failure: Option<Failure>,
    /// What did not work out and did not end the session, to be counted.
    pub problems: Vec<Problem>,
    /// The nodes that it came through, to be counted.
    pub passages: Vec<Passage>,
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

/// Which budget or rule ended a session; a label of metrics, and `error.kind` in expressions.
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
    /// A called flow is not there, or flows call each other deeper than 5.
    Call,
    /// Nobody resumed it in time.
    Timeout,
    /// A message could not be sent.
    Send,
    /// An HTTP call took too long.
    HttpTimeout,
    /// An HTTP call found no connection.
    HttpNetwork,
    /// An HTTP call went where it may not go.
    HttpRefused,
    /// An HTTP answer is too large.
    HttpTooLarge,
    /// An HTTP call is no valid request.
    HttpInvalid,
    /// An HTTP answer was lost.
    HttpUnknown,
    /// An HTTP answer's status is 400 to 499.
    Http4xx,
    /// An HTTP answer's status is 500 or more.
    Http5xx,
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
    /// Something failed, and the flow had a way for it.
    Mended(FailureKind),
    /// A message was not sent: the customer wants none.
    OptedOut,
}

/// A node that a session came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Name of the flow.
    pub flow: String,
    /// Name of the node.
    pub node: String,
    /// What happened there.
    pub what: Passed,
}

/// What happened at a node; a label of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Passed {
    /// A session came to it.
    Entered,
    /// The customer answered its question.
    Answered,
    /// The customer's answer was none.
    NoMatch,
    /// Nobody answered in time.
    TimedOut,
}

/// Begins a session with the message that started it. `variables` are there from the beginning.
#[must_use]
pub fn start(
    programs: &Linked,
    id: SessionId,
    world: World<'_>,
    at: Timestamp,
    incoming: Incoming<'_>,
    variables: Map<String, Value>,
) -> Step {
    let session = Session::begin(id, programs, at);
    let trigger = programs.root().matching_trigger(incoming.payload);
    Run::new(programs, session, world, Event { at, what: What::Message(incoming) }).start(trigger, variables)
}

/// Steps a session. One that is over, and what moves no session, change nothing.
#[must_use]
pub fn step(programs: &Linked, session: Session, world: World<'_>, event: Event<'_>) -> Step {
    Run::new(programs, session, world, event).take(event)
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

    /// Whether they want no messages, unless they write first.
    #[must_use]
    pub fn has_opted_out(&self) -> bool {
        self.attributes.get(OPTED_OUT) == Some(&Value::Bool(true))
    }
}

/// The attribute of a contact who wants no messages.
pub const OPTED_OUT: &str = "optedOut";

// === impl FailureKind ===

impl FailureKind {
    /// The word in logs, metrics and `error.kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Events => "events",
            Self::Variables => "variables",
            Self::ContactAttributes => "contact-attributes",
            Self::Expressions => "expressions",
            Self::UnknownNode => "unknown-node",
            Self::Call => "call",
            Self::Timeout => "timeout",
            Self::Send => "send",
            Self::HttpTimeout => "http-timeout",
            Self::HttpNetwork => "http-network",
            Self::HttpRefused => "http-refused",
            Self::HttpTooLarge => "http-tooLarge",
            Self::HttpInvalid => "http-invalid",
            Self::HttpUnknown => "http-unknown",
            Self::Http4xx => "http-4xx",
            Self::Http5xx => "http-5xx",
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
            Self::Mended(kind) => kind.as_str(),
            Self::OptedOut => "opted-out",
        }
    }
}

// === impl Passed ===

impl Passed {
    /// The word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Answered => "answered",
            Self::NoMatch => "no_match",
            Self::TimedOut => "timed_out",
        }
    }
}
