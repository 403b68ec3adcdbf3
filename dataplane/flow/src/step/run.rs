//! The handling of one event: nodes are walked until the session waits, ends or fails.

use std::cell::LazyCell;

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde_json::{Map, Value};
use wigwag_domain::{Body, Payload, WaitId};

use super::{Effect, Event, Failure, FailureKind, OPTED_OUT, Passage, Passed, Problem, ProblemKind, Step, What, World};
use crate::{
    Linked, Program, Session, SessionStatus,
    answer::Language,
    context::{Key, Selection, record_inbound},
    expression::Fuel,
    message::Said,
    program::{Kind, Node, NodeIndex},
    session::Wait,
};

/// The most nodes in one event.
const MAX_STEPS: u32 = 500;
/// The most events of a session.
pub(super) const MAX_EVENTS: u32 = 2_000;
/// The most problems that are told of one event.
const MAX_PROBLEMS: usize = 100;

/// What follows a node.
pub(super) enum Then {
    /// Another node; none ends the flow.
    Go(Option<NodeIndex>),
    /// Somebody else's turn.
    Wait,
}

pub(super) struct Run<'p> {
    pub(super) programs: &'p Linked,
    /// The flow that the session is in.
    pub(super) program: &'p Program,
    pub(super) session: Session,
    pub(super) world: World<'p>,
    /// The contact as expressions see it.
    pub(super) contact_seen: Value,
    /// The contact's attributes, once one changed.
    attributes: Option<Map<String, Value>>,
    /// When it happened.
    pub(super) at: Timestamp,
    /// The same in the tenant's zone, ISO 8601.
    pub(super) now: Value,
    /// The same in UTC, as the context has it.
    pub(super) stamp: String,
    /// What the customer wrote, where that is what happened.
    payload: Option<&'p Payload>,
    pub(super) said: Option<Said<'p>>,
    pub(super) event: LazyCell<Value, Box<dyn FnOnce() -> Value + 'p>>,
    /// URLs that resume the flow's `waitFor` nodes.
    pub(super) resume: Value,
    /// What a called flow that has just ended gives back.
    pub(super) result: Value,
    pub(super) fuel: Fuel,
    pub(super) steps: u32,
    pub(super) mended: u32,
    pub(super) effects: Vec<Effect>,
    passages: Vec<Passage>,
    problems: Vec<Problem>,
}

impl<'p> Run<'p> {
    pub fn new(programs: &'p Linked, session: Session, world: World<'p>, event: Event<'p>) -> Self {
        let Event { at, what } = event;
        let called = session.called.as_deref().and_then(|flow| programs.get(flow));
        let zoned = at.to_zoned(world.tenant.zone().clone());
        let payload = match what {
            What::Message(incoming) | What::Said(incoming, _) => Some(incoming.payload),
            _ => None,
        };
        let mut run = Self {
            programs,
            program: called.unwrap_or(programs.root()),
            session,
            world,
            contact_seen: world.contact.seen(),
            attributes: None,
            at,
            now: zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string().into(),
            stamp: DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&at),
            payload,
            said: payload.map(Said::read),
            event: LazyCell::new(Box::new(move || payload.map_or(Value::Null, |payload| Said::read(payload).event()))),
            resume: Value::Null,
            result: Value::Null,
            fuel: Fuel::of_event(),
            steps: MAX_STEPS,
            mended: 0,
            effects: Vec::new(),
            passages: Vec::new(),
            problems: Vec::new(),
        };
        run.write_resume_urls();
        run
    }

    /// Begins the conversation.
    pub fn start(mut self, trigger: Option<usize>, variables: Map<String, Value>) -> Step {
        self.session.events = 1;
        if let Some(said) = &self.said {
            self.session.context.set(Key::TriggerMessage, said.text.as_str());
            self.guess_language();
        }
        self.listen();
        self.record(Selection::NotAsked);
        let entry = self.program.entry(trigger);
        let entered = self.set_variables(variables).map(|()| Then::Go(Some(entry)));
        let walked = self.follow(entered);
        self.finish(walked)
    }

    /// Notes by which account the customer wrote; who writes wants answers, whatever they said before.
    pub(super) fn listen(&mut self) {
        let Some(payload) = self.payload else { return };
        self.session.provider.clone_from(&payload.provider);
        if self.customer_writes() && self.world.contact.has_opted_out() {
            self.set_attribute(OPTED_OUT, false.into());
        }
    }

    /// Whether it is the customer who writes, and no program in their place.
    pub(super) fn customer_writes(&self) -> bool {
        self.payload.is_some_and(|payload| !payload.message_id.is_empty())
    }

    /// A new contact's language is that of the first message.
    fn guess_language(&mut self) {
        let (Some(said), None) = (&self.said, self.contact_seen.get("language")) else { return };
        let languages: Vec<&str> = self.world.tenant.languages().iter().map(String::as_str).collect();
        if let Some(language) = Language::guess(&said.text, &languages).map(str::to_owned) {
            self.set_attribute("language", language.into());
        }
    }

    /// Walks from node to node.
    pub(super) fn walk(&mut self, mut at: Option<NodeIndex>) -> Result<(), Failure> {
        self.session.status = SessionStatus::Active;
        self.session.wait = None;
        self.session.sent.clear();
        loop {
            let program = self.program;
            let then = match at.and_then(|index| program.node(index)) {
                Some(node) => self.enter(node),
                None => self.go_back(),
            };
            match then {
                Ok(Then::Go(next)) => at = next,
                Ok(Then::Wait) => return Ok(()),
                Err(failure) => at = Some(self.mend(failure)?),
            }
        }
    }

    fn enter(&mut self, node: &'p Node) -> Result<Then, Failure> {
        self.session.node.clone_from(&node.name);
        let Some(left) = self.steps.checked_sub(1) else {
            let message = format!(
                "the flow took {MAX_STEPS} steps without waiting for anything: let its round lead to a question or to \
                 an end"
            );
            return Err(self.failure(FailureKind::Steps, message));
        };
        self.steps = left;
        self.passed(Passed::Entered);
        self.visit(node)
    }

    fn visit(&mut self, node: &'p Node) -> Result<Then, Failure> {
        match &node.kind {
            Kind::Message { text, delivery, next } => self.say(text.as_ref(), delivery, *next),
            Kind::Options(question) => self.ask_options(question, self.new_wait(), 0),
            Kind::Ask(ask) => self.ask(ask, self.new_wait(), 0),
            Kind::Media { file, caption, delivery, next } => self.send_file(file, caption.as_ref(), delivery, *next),
            Kind::Form(form) => self.ask_form(form, self.new_wait()),
            Kind::PendingForm { form, next } => {
                self.session.context.set(Key::PendingWhatsAppFlow, form.clone());
                Ok(Then::Go(*next))
            }
            Kind::Condition { cases, otherwise } => self.branch(cases, *otherwise),
            Kind::Assign { set, next } => {
                self.assign(set)?;
                Ok(Then::Go(*next))
            }
            Kind::Http(http) => self.call_endpoint(http),
            Kind::Delay { span, .. } => {
                let (id, until) = (self.new_wait(), self.after(*span));
                self.stand(SessionStatus::Active, Wait::Delay { id, since: self.at, until })
            }
            Kind::WaitFor { timeout, .. } => {
                let id = self.next_visit(&node.name).signal();
                let until = self.after(*timeout);
                self.stand(SessionStatus::Active, Wait::Resume { id, until })
            }
            Kind::Split { ways } => Ok(Then::Go(self.split(ways))),
            Kind::Call { flow, args, .. } => self.call_flow(flow, args),
            Kind::Handoff(handoff) => {
                let queue = self.render_optional(handoff.queue.as_ref(), "queue", 100)?;
                let note = self.render_optional(handoff.note.as_ref(), "note", 500)?;
                self.session.context.set(Key::HandoffQueue, queue);
                self.session.context.set(Key::HandoffNote, note);
                let (id, until) = (self.new_wait(), self.after(handoff.timeout));
                self.stand(SessionStatus::Paused, Wait::People { id, until })
            }
            Kind::Trigger { next } => Ok(Then::Go(*next)),
            Kind::Goto { node } => Ok(Then::Go(Some(*node))),
            Kind::End { reason, result } => {
                let reason = self.render_optional(reason.as_ref(), "reason", 200)?;
                if self.session.callers.is_empty() {
                    self.session.context.set(Key::EndReason, reason.unwrap_or_else(|| "end".to_owned()));
                }
                let mut given = Map::new();
                for (name, value) in result {
                    if let Some(value) = self.evaluate(value, || format!("result.{name}"))? {
                        given.insert(name.clone(), value);
                    }
                }
                self.result = Value::Object(given);
                Ok(Then::Go(None))
            }
        }
    }

    /// The node where the session stands.
    pub(super) fn stands_at(&self) -> Option<&'p Node> {
        let program = self.program;
        program.place(&self.session.node).and_then(|index| program.node(index))
    }

    /// Stands still.
    pub(super) fn stand(&mut self, status: SessionStatus, wait: Wait) -> Result<Then, Failure> {
        self.session.status = status;
        self.session.wait = Some(wait);
        Ok(Then::Wait)
    }

    pub(super) fn new_wait(&self) -> WaitId {
        WaitId::of_event(self.at.as_millisecond(), self.session.id, self.session.events)
    }

    pub(super) fn after(&self, span: std::time::Duration) -> Timestamp {
        self.at.saturating_add(span).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn record(&mut self, selection: Selection<'_>) {
        if let Some(said) = &self.said {
            record_inbound(&mut self.session.context, said, &self.stamp, selection);
        }
    }

    /// The contact's attributes as they stand.
    pub(super) fn attributes(&self) -> &Map<String, Value> {
        self.attributes.as_ref().unwrap_or(&self.world.contact.attributes)
    }

    pub(super) fn set_attribute(&mut self, name: &str, value: Value) {
        if let Value::Object(seen) = &mut self.contact_seen {
            seen.insert(name.to_owned(), value.clone());
        }
        self.attributes.get_or_insert_with(|| self.world.contact.attributes.clone()).insert(name.to_owned(), value);
    }

    pub(super) fn passed(&mut self, what: Passed) {
        let (flow, node) = (self.program.name().to_owned(), self.session.node.clone());
        self.passages.push(Passage { flow, node, what });
    }

    pub(super) fn problem(&mut self, field: impl Into<String>, kind: ProblemKind, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            let (node, field) = (self.session.node.clone(), field.into());
            self.problems.push(Problem { node, field, kind, message });
        }
    }

    /// The session stands at another sort of node than its wait says, or at none.
    pub(super) fn lost(&self) -> Failure {
        let message = "the session stands at a node that this revision does not have: step it by its own".to_owned();
        self.failure(FailureKind::UnknownNode, message)
    }

    pub(super) fn failure(&self, kind: FailureKind, message: String) -> Failure {
        Failure { node: self.session.node.clone(), kind, message }
    }

    /// The session and all else as they were: nothing happened.
    pub(super) fn ignore(self) -> Step {
        Step {
            session: self.session,
            effects: Vec::new(),
            contact_attributes: None,
            taken: false,
            failure: None,
            problems: Vec::new(),
            passages: Vec::new(),
        }
    }

    /// Where the flow could not go on, nothing of what it did goes out; the tenant may have a word for it.
    pub(super) fn finish(mut self, walked: Result<(), Failure>) -> Step {
        let failure = walked.err();
        if failure.is_some() {
            self.effects.clear();
            if let Some(words) = self.world.tenant.fallback() {
                self.fuel = Fuel::of_event();
                if let Ok(text) = self.render_words(words, "fallbackMessage", crate::question::MESSAGE_TEXT)
                    && !text.trim().is_empty()
                {
                    self.send(Body::Text { text }, None, &[]);
                }
            }
            self.session.end(SessionStatus::Errored);
            self.attributes = None;
        }
        Step {
            session: self.session,
            effects: self.effects,
            contact_attributes: self.attributes,
            taken: true,
            failure,
            problems: self.problems,
            passages: self.passages,
        }
    }
}
