//! Which conversation a message belongs to, and what it leads to: pure, but for the engine's steps.
//!
//! In this order: the session whose open question it answers by id; of the sessions that wait for the customer, the
//! one that waits since last; the best trigger among Flows that have no open session with this contact; else it is
//! stored, and that is all.

use std::collections::HashMap;

use jiff::Timestamp;
use wigwag_domain::{InboundId, OutboundId, Payload, SessionId};
use wigwag_flow::{Contact, Effect, Event, Incoming, Problem, Program, Session, Step};

/// An open session with the program that it runs for life.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// The session.
    pub session: Session,
    /// Its revision, compiled. `None` where its text is lost or does not compile any more.
    pub program: Option<Program>,
}

/// What a message led to.
#[derive(Debug, Default)]
pub struct Routed {
    /// Sessions that changed, an ended one before a begun one.
    pub sessions: Vec<Session>,
    /// Messages to send, with the session that says each.
    pub sends: Vec<(SessionId, OutboundId, wigwag_domain::Body)>,
    /// The contact's attributes, where they changed.
    pub contact_attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Why the conversation cannot go on: the node, and the reason that stands in `job_outcome`.
    pub failure: Option<(String, String)>,
    /// What did not work out and did not end it, with the Flow's name.
    pub problems: Vec<(String, Problem)>,
}

/// Why a session whose program is gone ends.
const REVISION_LOST: &str = "revision-lost";

/// Routes a message and steps the conversation that it belongs to.
#[must_use]
pub fn route(flows: &[Program], open: Vec<OpenSession>, contact: &Contact, id: InboundId, payload: &Payload) -> Routed {
    let incoming = Incoming::new(id, payload);
    let mut routed = Routed::default();
    if !payload.content.steps_a_session() {
        return routed;
    }
    let now = Timestamp::from_millisecond(id.millis()).unwrap_or_default();
    let mut open = still_open(open, now, &mut routed);
    if let Some(OpenSession { session, program }) = take_addressed(&mut open, payload) {
        match program {
            Some(program) => {
                let flow = program.name().to_owned();
                routed.add(&flow, wigwag_flow::step(&program, session, contact, Event::Message(incoming)));
            }
            None => routed.lose(session),
        }
        return routed;
    }
    let taken: HashMap<&str, ()> = open.iter().map(|one| (one.session.flow.as_str(), ())).collect();
    let free = flows.iter().filter(|program| !taken.contains_key(program.name()));
    if let Some(program) = wigwag_flow::best(free, payload) {
        let session = SessionId::begun_by(id, program.name());
        routed.add(program.name(), wigwag_flow::start(program, session, contact, incoming));
    }
    routed
}

/// Ends the sessions that have waited for too long, and leaves the others.
fn still_open(open: Vec<OpenSession>, now: Timestamp, routed: &mut Routed) -> Vec<OpenSession> {
    let (expired, open): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|one| one.program.as_ref().is_some_and(|program| one.session.expired(program, now)));
    routed.sessions.extend(expired.into_iter().map(|one| one.session.expire()));
    open
}

/// The session that takes the message.
fn take_addressed(open: &mut Vec<OpenSession>, payload: &Payload) -> Option<OpenSession> {
    let answered = open.iter().position(|one| one.session.is_answered_by(payload));
    let newest = || {
        let waiting = open.iter().enumerate().filter_map(|(at, one)| Some((one.session.waiting_since()?, at)));
        waiting.max().map(|(_, at)| at)
    };
    let at = answered.or_else(newest)?;
    Some(open.swap_remove(at))
}

impl Routed {
    fn add(&mut self, flow: &str, step: Step) {
        let session = step.session.id;
        self.sends.extend(step.effects.into_iter().map(|Effect::Send { id, body }| (session, id, body)));
        self.sessions.push(step.session);
        self.contact_attributes = step.contact_attributes;
        self.failure =
            step.failure.map(|failure| (failure.node, format!("{}: {}", failure.kind.as_str(), failure.message)));
        self.problems.extend(step.problems.into_iter().map(|problem| (flow.to_owned(), problem)));
    }

    fn lose(&mut self, session: Session) {
        let reason = format!(
            "{REVISION_LOST}: the text of revision {} of Flow {:?} is not to be had",
            session.revision, session.flow
        );
        self.failure = Some((session.node.clone(), reason));
        self.sessions.push(session.abandon());
    }
}
