//! Which conversation something belongs to, and what it leads to: pure, but for the engine's steps.
//!
//! A message goes to the first of these that takes it: people who have taken over; an escape word; the session whose
//! open question it answers by id; a keyword that interrupts; of the sessions that wait for the customer, the one that
//! was asked last; the best trigger among Flows that have no open session with this contact; else it is stored, and
//! that is all. Anything else names its session.

mod routed;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;
use wigwag_domain::{InboundId, OutboundId, Payload, SessionId, SignalId};
use wigwag_flow::{
    Contact, Effect, Event, Incoming, Linked, OPTED_OUT, Program, Release, ReleaseTo, Session, Step, Tenant, What,
    World, escaped, interrupting,
};

pub use routed::{Routed, Said, Taken};

use crate::signals::Told;

/// Why a session whose program is gone ends.
const REVISION_LOST: &str = "revision-lost";
/// How long what belongs to a suspended Flow is put off, again and again.
const SUSPENDED: SignedDuration = SignedDuration::from_secs(15);

/// How long what is said for a customer is put off while the session is busy.
const SOON: SignedDuration = SignedDuration::from_secs(1);

/// When to look again at what waits until people release the contact; not at once, where their own Flow is suspended.
fn until_release(people: &OpenSession, now: Timestamp) -> Timestamp {
    let soon = now.saturating_add(SUSPENDED).unwrap_or(now);
    people.session.due().map_or(soon, |due| due.max(soon))
}

fn suspended(now: Timestamp) -> Routing {
    Routing::PutOff(now.saturating_add(SUSPENDED).unwrap_or(now))
}

/// What a tenant's messages are routed by.
#[derive(Clone, Copy, Debug)]
pub struct Routes<'a> {
    /// The Flows that run.
    pub flows: &'a [Program],
    /// What the tenant gives its conversations.
    pub tenant: &'a Tenant,
}

/// An open session with the programs that it runs for life.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// The session.
    pub session: Session,
    /// Its revisions, compiled. `None` where their text is lost or does not compile any more.
    pub programs: Option<Linked>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    /// What it came from: the job.
    pub source: Uuid,
    /// When it came. It may have waited for its turn since.
    pub came: Timestamp,
    /// When it has its turn: the clock of the steps that it leads to.
    pub at: Timestamp,
    /// What.
    pub what: Happened<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Happened<'a> {
    /// The customer wrote; and which message of ours they quoted.
    Message(&'a Payload, Option<OutboundId>),
    /// Something happened to a session.
    Event(SessionId, What<'a>),
    /// Somebody told a session something, or that one is to begin.
    Told(SignalId, Option<SessionId>, &'a Told),
}

/// Where something leads.
#[derive(Debug)]
pub enum Routing {
    /// To this.
    Done(Box<Routed>),
    /// It waits for the contact's own session, with all messages behind it, until this time at most.
    Hold(Timestamp),
    /// It is looked at again then, and keeps nobody waiting.
    PutOff(Timestamp),
}

/// Routes what happened and steps the conversation that it belongs to.
#[must_use]
pub fn route(routes: Routes<'_>, open: Vec<OpenSession>, contact: Contact, occurrence: Occurrence<'_>) -> Routing {
    let now = occurrence.at;
    let route = Route { routes, contact, is_changed: false, occurrence, open, routed: Routed::default() };
    match occurrence.what {
        Happened::Message(payload, quoted) => route.message(Incoming { payload, quoted }, now),
        Happened::Event(session, what) => route.event(session, what, now),
        Happened::Told(id, session, told) => route.told(id, session, told, now),
    }
}

struct Route<'a> {
    routes: Routes<'a>,
    /// As each step leaves it to the next.
    contact: Contact,
    is_changed: bool,
    occurrence: Occurrence<'a>,
    open: Vec<OpenSession>,
    routed: Routed,
}

impl Route<'_> {
    fn message(mut self, incoming: Incoming<'_>, now: Timestamp) -> Routing {
        let payload = incoming.payload;
        if !payload.content.steps_a_session() {
            return self.done();
        }
        self.time_out();
        // What failed is not this message.
        self.routed.failure = None;
        if self.open.iter().any(|one| one.session.is_with_people()) {
            return self.done();
        }
        self.open.retain(|one| !self.routes.is_suspended(&one.session.flow) || one.session.waiting_since().is_none());
        if let Some(until) = self.held_until().filter(|until| *until > now) {
            return Routing::Hold(until);
        }
        self.welcome_back();
        let by_id = self.open.iter().position(|one| one.session.is_answered_by(payload, incoming.quoted));
        let asked_last = || {
            let waiting = self.open.iter().enumerate().filter_map(|(at, one)| Some((one.session.waiting_since()?, at)));
            waiting.max().map(|(_, at)| at)
        };
        let addressed = by_id.or_else(asked_last);
        let program = addressed.and_then(|at| self.open[at].programs.as_ref()).map(Linked::root);
        if let Some(escape) = escaped(self.routes.tenant, program, payload) {
            let (flow, opt_out) = (escape.flow.map(str::to_owned), escape.opt_out);
            return self.escape(flow.as_deref(), opt_out, incoming);
        }
        let running = self.routes.flows.iter().filter(|flow| !flow.is_suspended());
        if by_id.is_none()
            && addressed.is_some()
            && let Some(program) = interrupting(running, payload)
        {
            self.leave(|session| session.waiting_since().is_some(), "interrupted");
            self.leave(|session| session.flow == program.name(), "interrupted");
            self.begin(program, incoming, Map::new());
            return self.done();
        }
        if let Some(at) = addressed {
            let one = self.open.swap_remove(at);
            self.step(one, What::Message(incoming), "message");
            return self.done();
        }
        if let Some(program) = self.routes.best(&self.open, payload) {
            self.begin(program, incoming, Map::new());
        }
        self.note_aside(payload);
        self.done()
    }

    /// A session in a long pause begins no second time; it notes that its trigger was said.
    fn note_aside(&mut self, payload: &Payload) {
        let Some(program) = wigwag_flow::best(self.routes.flows.iter().filter(|flow| !flow.is_suspended()), payload)
        else {
            return;
        };
        if let Some(at) = self.open.iter().position(|one| one.session.flow == program.name()) {
            let mut session = self.open.swap_remove(at).session;
            session.note(payload, self.occurrence.at);
            self.keep(session);
        }
    }

    /// An escape word: it ends what waits for the customer, and where it leads nowhere, everything.
    fn escape(mut self, flow: Option<&str>, opt_out: bool, incoming: Incoming<'_>) -> Routing {
        match flow {
            Some(_) => self.leave(|session| session.waiting_since().is_some(), "escape"),
            None => self.leave(|_| true, "escape"),
        }
        if let Some(program) = flow.and_then(|flow| self.routes.flow(flow)).filter(|flow| !flow.is_suspended()) {
            self.leave(|session| session.flow == program.name(), "escape");
            self.begin(program, incoming, Map::new());
        }
        if opt_out {
            self.attributes().insert(OPTED_OUT.to_owned(), true.into());
        }
        self.done()
    }

    fn event(mut self, session: SessionId, what: What<'_>, now: Timestamp) -> Routing {
        let Some(at) = self.open.iter().position(|one| one.session.id == session) else { return self.done() };
        let with_people = self.open.iter().find(|one| one.session.is_with_people());
        if let Some(people) = with_people.filter(|one| one.session.id != session) {
            // No conversation speaks while people do.
            return Routing::PutOff(until_release(people, now));
        }
        if self.routes.is_suspended(&self.open[at].session.flow) {
            return suspended(now);
        }
        let mut one = self.open.swap_remove(at);
        let kind = match what {
            What::Timer => {
                one.session.disarm();
                "timer"
            }
            What::Result(..) => "result",
            What::Resumed(..) => "resumed",
            What::Released(_) => "released",
            What::Moved(_) => "moved",
            What::SendFailed(..) => "send_failed",
            What::Message(_) | What::Said(..) => "message",
        };
        self.step(one, what, kind);
        self.done()
    }

    fn told(mut self, id: SignalId, session: Option<SessionId>, told: &Told, now: Timestamp) -> Routing {
        match (told, session) {
            (Told::Resume { data }, Some(session)) => self.event(session, What::Resumed(id, data), now),
            (Told::Release { to, variables }, Some(session)) => {
                let to = match to.as_str() {
                    "next" => ReleaseTo::Next,
                    "end" => ReleaseTo::End,
                    node => ReleaseTo::Node(node.to_owned()),
                };
                let release = Release { to, variables: variables.clone() };
                self.event(session, What::Released(&release), now)
            }
            (Told::Move { node }, Some(session)) => self.event(session, What::Moved(node), now),
            (Told::End, Some(session)) => {
                self.leave(|one| one.id == session, "ended");
                self.done()
            }
            (Told::Restart { message }, Some(session)) => {
                let flow = self.open.iter().find(|one| one.session.id == session).map(|one| one.session.flow.clone());
                if flow.as_ref().is_some_and(|flow| self.routes.is_suspended(flow)) {
                    return suspended(now);
                }
                let others = self.open.iter().filter(|one| one.session.id != session);
                if let Some(people) = others.into_iter().find(|one| one.session.is_with_people()) {
                    return Routing::PutOff(until_release(people, now));
                }
                self.leave(|one| one.id == session, "restarted");
                if let Some(program) = flow.and_then(|flow| self.routes.flow(&flow)) {
                    self.begin(program, Incoming { payload: message, quoted: None }, Map::new());
                }
                self.done()
            }
            (Told::Start { flow, message, variables }, _) => {
                if let Some(people) = self.open.iter().find(|one| one.session.is_with_people()) {
                    return Routing::PutOff(until_release(people, now));
                }
                if self.routes.is_suspended(flow) {
                    return suspended(now);
                }
                let incoming = Incoming { payload: message, quoted: None };
                let open = self.open.iter().find(|one| one.session.flow == *flow);
                if let Some(until) = open.and_then(|one| one.session.holds_messages_until()).filter(|end| *end > now) {
                    // It is said once the session waits for the customer.
                    let soon = now.saturating_add(SOON).unwrap_or(until);
                    return Routing::PutOff(until.min(soon));
                }
                if let Some(at) = self.open.iter().position(|one| one.session.flow == *flow) {
                    let mut one = self.open.swap_remove(at);
                    if one.session.waiting_since().is_some() {
                        self.step(one, What::Said(incoming, variables), "message");
                    } else {
                        one.session.note(message, now);
                        self.keep(one.session);
                    }
                } else if let Some(program) = self.routes.flow(flow) {
                    self.begin(program, incoming, variables.clone());
                }
                self.done()
            }
            _ => self.done(),
        }
    }

    /// What was over before this message came is over, though its timer has not gone off yet; so is what the message
    /// waited for. While people speak no other conversation does.
    fn time_out(&mut self) {
        let Occurrence { came, at, .. } = self.occurrence;
        let is_over = |one: &OpenSession| {
            let by = if one.session.holds_messages_until().is_some() { at } else { came };
            one.programs.is_some() && one.session.due().is_some_and(|due| due <= by)
        };
        let is_due = |one: &OpenSession, people: bool| is_over(one) && (!people || one.session.is_with_people());
        loop {
            let people = self.open.iter().any(|one| one.session.is_with_people());
            let is_suspended = |one: &OpenSession| self.routes.is_suspended(&one.session.flow);
            let due = self.open.iter().position(|one| is_due(one, people) && !is_suspended(one));
            let Some(place) = due else { return };
            let one = self.open.swap_remove(place);
            let (id, programs) = (one.session.id, one.programs.clone());
            self.step(one, What::Timer, "timer");
            let after = self.routed.sessions.iter().find(|session| session.id == id);
            if let Some(session) = after.filter(|session| session.is_open()).cloned() {
                // What a timer leads to takes time again, or the session would be looked at for ever.
                let is_later = session.due().is_some_and(|due| due > at);
                self.open.extend(is_later.then_some(OpenSession { session, programs }));
            }
        }
    }

    fn held_until(&self) -> Option<Timestamp> {
        let open = self.open.iter().filter(|one| !self.routes.is_suspended(&one.session.flow));
        open.filter_map(|one| one.session.holds_messages_until()).max()
    }

    /// Who writes wants answers, whatever they said before.
    fn welcome_back(&mut self) {
        if self.contact.has_opted_out() {
            self.attributes().insert(OPTED_OUT.to_owned(), false.into());
        }
    }

    fn attributes(&mut self) -> &mut Map<String, Value> {
        self.is_changed = true;
        &mut self.contact.attributes
    }

    /// Ends sessions.
    fn leave(&mut self, which: impl Fn(&Session) -> bool, reason: &str) {
        let (left, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.open).into_iter().partition(|one| which(&one.session));
        self.open = kept;
        self.routed.wake |= left.iter().any(|one| one.session.is_with_people());
        for one in left {
            self.routed.sessions.retain(|other| other.id != one.session.id);
            self.routed.timers.retain(|(other, _)| *other != one.session.id);
            self.routed.sessions.push(one.session.leave(reason));
        }
    }

    fn begin(&mut self, program: &Program, incoming: Incoming<'_>, variables: Map<String, Value>) {
        let programs = Linked::new(program.clone(), |name| self.routes.flow(name).cloned());
        let id = SessionId::begun_by(InboundId(self.occurrence.source), program.name());
        let seen = self.contact.attributes.clone();
        let step = wigwag_flow::start(&programs, id, self.world(), self.occurrence.at, incoming, variables);
        self.add(step, "message", seen);
    }

    fn step(&mut self, one: OpenSession, what: What<'_>, kind: &'static str) {
        let OpenSession { session, programs } = one;
        let was_with_people = session.is_with_people();
        let Some(programs) = programs else { return self.lose(session) };
        let event = Event { at: self.occurrence.at, what };
        let seen = self.contact.attributes.clone();
        let step = wigwag_flow::step(&programs, session, self.world(), event);
        if step.taken {
            self.routed.wake |= was_with_people && !step.session.is_with_people();
            self.add(step, kind, seen);
        } else if matches!(what, What::Timer) {
            self.keep(step.session);
        }
    }

    fn world(&self) -> World<'_> {
        World { contact: &self.contact, tenant: self.routes.tenant }
    }

    fn add(&mut self, step: Step, kind: &'static str, seen: Map<String, Value>) {
        let Step { session, effects, contact_attributes, failure, problems, passages, taken: _ } = step;
        for effect in effects {
            match effect {
                Effect::Send { id, body, fallback } => {
                    let provider = session.provider.clone();
                    self.routed.sends.push(Said { session: session.id, id, provider, body, fallback });
                }
                Effect::Call { id, call, deadline } => self.routed.calls.push((session.id, id, call, deadline)),
            }
        }
        self.routed.taken.push(Taken {
            session: session.id,
            number: session.events(),
            at: self.occurrence.at,
            kind,
            source: self.occurrence.source,
            seen,
        });
        if let Some(attributes) = contact_attributes {
            *self.attributes() = attributes;
        }
        if let Some(failure) = failure {
            self.routed.errors.push((session.flow.clone(), failure.node.clone(), failure.kind.as_str()));
            let reason = format!("{}: {}", failure.kind.as_str(), failure.message);
            self.routed.failure = Some((failure.node, reason));
        }
        self.routed.problems.extend(problems.into_iter().map(|problem| (session.flow.clone(), problem)));
        self.routed.passages.extend(passages);
        self.keep(session);
    }

    fn keep(&mut self, mut session: Session) {
        // What was stepped twice is kept once.
        self.routed.sessions.retain(|other| other.id != session.id);
        if let Some(due) = session.rearm() {
            self.routed.timers.retain(|(other, _)| *other != session.id);
            self.routed.timers.push((session.id, due));
        }
        self.routed.awaited.extend(session.waits_for_signal());
        self.routed.hold = self.routed.hold.max(session.holds_messages_until());
        self.routed.sessions.push(session);
    }

    fn lose(&mut self, session: Session) {
        let reason = format!(
            "{REVISION_LOST}: the text of revision {} of Flow {:?} is not to be had",
            session.revision, session.flow
        );
        self.routed.errors.push((session.flow.clone(), session.node.clone(), REVISION_LOST));
        self.routed.failure = Some((session.node.clone(), reason));
        self.routed.sessions.push(session.abandon(REVISION_LOST));
    }

    fn done(mut self) -> Routing {
        self.routed.hold = self.routed.hold.max(self.held_until());
        self.routed.contact_attributes = self.is_changed.then_some(self.contact.attributes);
        Routing::Done(Box::new(self.routed))
    }
}

impl<'a> Routes<'a> {
    fn flow(&self, name: &str) -> Option<&'a Program> {
        self.flows.iter().find(|flow| flow.name() == name)
    }

    fn is_suspended(&self, flow: &str) -> bool {
        self.flow(flow).is_some_and(Program::is_suspended)
    }

    /// The Flow that a message begins, of those without an open session.
    fn best(&self, open: &[OpenSession], message: &Payload) -> Option<&'a Program> {
        let is_free = |flow: &&Program| !flow.is_suspended() && open.iter().all(|one| one.session.flow != flow.name());
        wigwag_flow::best(self.flows.iter().filter(is_free), message)
    }
}
