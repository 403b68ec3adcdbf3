//! The handling of one event: nodes are walked until the session waits, ends or fails.

use std::cell::LazyCell;

use jiff::fmt::temporal::DateTimePrinter;
use serde_json::{Map, Value};
use wigwag_domain::{Body, OutboundId, WaitId};

use super::{Contact, Effect, Failure, FailureKind, Incoming, Problem, ProblemKind, Step};
use crate::{
    Program, Session, SessionStatus,
    context::{Key, Selection, record_inbound, record_outbound},
    expression::{EvaluateError, Expression, Fuel, Scope},
    message::Said,
    program::{Kind, Node, NodeIndex},
    question::{MESSAGE_TEXT, Question},
    session::Wait,
    template::Template,
};

/// The most nodes in one event.
const MAX_STEPS: u32 = 500;
/// The most events of a session.
const MAX_EVENTS: u32 = 2_000;
/// The most problems that are told of one event.
const MAX_PROBLEMS: usize = 100;

/// What follows a node.
enum Then {
    /// Another node; none ends the conversation.
    Go(Option<NodeIndex>),
    /// The customer's turn.
    Wait,
}

pub(super) struct Run<'p> {
    program: &'p Program,
    pub(super) session: Session,
    /// Who writes.
    contact: &'p Contact,
    /// The same as expressions see it.
    contact_seen: Value,
    /// The contact's attributes, once one changed.
    attributes: Option<Map<String, Value>>,
    incoming: Incoming<'p>,
    said: Said<'p>,
    /// The event's time, ISO 8601.
    now: Value,
    event: LazyCell<Value, Box<dyn FnOnce() -> Value + 'p>>,
    pub(super) fuel: Fuel,
    effects: Vec<Effect>,
    problems: Vec<Problem>,
}

impl<'p> Run<'p> {
    pub fn new(program: &'p Program, session: Session, contact: &'p Contact, incoming: Incoming<'p>) -> Self {
        let now = DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&incoming.now);
        let payload = incoming.payload;
        Self {
            program,
            session,
            contact,
            contact_seen: contact.seen(),
            attributes: None,
            incoming,
            said: Said::read(payload),
            now: now.into(),
            event: LazyCell::new(Box::new(|| Said::read(payload).event())),
            fuel: Fuel::of_event(),
            effects: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Begins the conversation.
    pub fn start(mut self) -> Step {
        self.session.events = 1;
        self.session.context.set(Key::TriggerMessage, self.said.text.as_str());
        self.record(Selection::NotAsked);
        let walked = self.walk(Some(self.program.start()));
        self.finish(walked)
    }

    /// Takes the message as the answer to the open question.
    pub fn answer(mut self) -> Step {
        if !self.session.is_open() || !self.said.content.steps_a_session() {
            return self.finish(Ok(()));
        }
        let walked = self.take_answer();
        self.finish(walked)
    }

    fn take_answer(&mut self) -> Result<(), Failure> {
        if self.session.events >= MAX_EVENTS {
            let message =
                format!("the session took {MAX_EVENTS} events: let the flow end, and a trigger begin it anew");
            return Err(self.failure(FailureKind::Events, message));
        }
        self.session.events += 1;
        let program = self.program;
        let asked = program.place(&self.session.node).and_then(|index| program.node(index));
        let (Some(Node { kind: Kind::Options(question), .. }), Some(Wait::Answer { id, .. })) =
            (asked, &self.session.wait)
        else {
            let message = "the session waits at a node that this revision does not have: step it by its own".to_owned();
            return Err(self.failure(FailureKind::UnknownNode, message));
        };
        let wait = *id;
        if self.said.tap.and_then(|tap| tap.wait).is_some_and(|tapped| tapped != wait.short()) {
            // An old question: the open one is asked again.
            self.record(Selection::NotAsked);
            return self.ask(question, wait);
        }
        let Some(index) = question.chosen(&self.said) else {
            self.record(Selection::NoMatch);
            return match question.no_match {
                Some(node) => self.walk(Some(node)),
                // The same wait, so that a tap on either copy of the question answers it.
                None => self.ask(question, wait),
            };
        };
        let choice = &question.choices[index];
        self.record(Selection::Matched { index, title: &choice.title });
        self.walk(choice.next)
    }

    /// Walks from node to node.
    fn walk(&mut self, mut at: Option<NodeIndex>) -> Result<(), Failure> {
        self.session.status = SessionStatus::Active;
        self.session.wait = None;
        let program = self.program;
        for _ in 0..MAX_STEPS {
            let Some(node) = at.and_then(|index| program.node(index)) else {
                self.session.end(SessionStatus::Completed);
                return Ok(());
            };
            self.session.node.clone_from(&node.name);
            match self.visit(node)? {
                Then::Go(next) => at = next,
                Then::Wait => return Ok(()),
            }
        }
        if at.is_none() {
            self.session.end(SessionStatus::Completed);
            return Ok(());
        }
        let message = format!(
            "the flow took {MAX_STEPS} steps without waiting for the customer: let its round lead to an options node or \
             to an end"
        );
        Err(self.failure(FailureKind::Steps, message))
    }

    fn visit(&mut self, node: &'p Node) -> Result<Then, Failure> {
        match &node.kind {
            Kind::Message { text, next } => {
                let text = self.render(text, MESSAGE_TEXT)?;
                if text.trim().is_empty() {
                    self.problem("text", ProblemKind::Empty, "the text came out empty, and was not sent".to_owned());
                } else {
                    self.send(Body::Text { text }, &[]);
                }
                Ok(Then::Go(*next))
            }
            Kind::Options(question) => {
                let wait = WaitId::of_event(self.incoming.id.millis(), self.session.id, self.session.events);
                self.ask(question, wait)?;
                Ok(Then::Wait)
            }
            Kind::Condition { cases, otherwise } => {
                for (index, case) in cases.iter().enumerate() {
                    let field = || format!("cases[{index}].when");
                    match self.evaluate(&case.when, field)? {
                        Some(Value::Bool(true)) => return Ok(Then::Go(Some(case.next))),
                        Some(Value::Bool(false)) | None => {}
                        Some(_) => {
                            let message =
                                "the expression is neither true nor false: compare it with something".to_owned();
                            self.problem(field(), ProblemKind::Expression, message);
                        }
                    }
                }
                Ok(Then::Go(*otherwise))
            }
            Kind::Assign { set, next } => {
                self.assign(set)?;
                Ok(Then::Go(*next))
            }
            Kind::Goto { node } => Ok(Then::Go(Some(*node))),
            Kind::End { reason } => {
                self.session.context.set(Key::EndReason, reason.as_deref().unwrap_or("end"));
                Ok(Then::Go(None))
            }
        }
    }

    /// Sends a question and waits for its answer.
    fn ask(&mut self, question: &Question, wait: WaitId) -> Result<(), Failure> {
        let limit = Question::text_limit(question.choices.len());
        let mut text = self.render(&question.text, limit)?;
        if text.trim().is_empty() {
            self.problem("text", ProblemKind::Empty, "the text came out empty; the node's name was sent".to_owned());
            text.clone_from(&self.session.node);
        }
        let titles: Vec<_> = question.choices.iter().map(|choice| choice.title.as_str()).collect();
        self.send(question.body(text, wait), &titles);
        self.session.status = SessionStatus::Paused;
        self.session.wait = Some(Wait::Answer { id: wait, since: self.incoming.now });
        Ok(())
    }

    fn render(&mut self, template: &Template, limit: usize) -> Result<String, Failure> {
        let mut errors = Vec::new();
        let rendered = template.render(&self.scope(), &self.fuel, limit, |error| errors.push(error));
        for error in errors {
            self.problem("text", ProblemKind::Expression, error.to_string());
        }
        let text = rendered.map_err(|error| self.exhausted(&error))?;
        let cut = wigwag_domain::cut(&text, limit);
        if cut.len() < text.len() {
            let message = format!("the text came out longer than {limit} characters, and was cut");
            let cut = cut.into_owned();
            self.problem("text", ProblemKind::Cut, message);
            return Ok(cut);
        }
        Ok(text)
    }

    /// The value of an expression; none where it has none, which is noted.
    pub(super) fn evaluate(
        &mut self,
        expression: &Expression,
        field: impl Fn() -> String,
    ) -> Result<Option<Value>, Failure> {
        let value = expression.evaluate(&self.scope(), &self.fuel).map(std::borrow::Cow::into_owned);
        match value {
            Ok(value) => Ok(Some(value)),
            Err(error @ EvaluateError::Exhausted) => Err(self.exhausted(&error)),
            Err(error) => {
                self.problem(field(), ProblemKind::Expression, error.to_string());
                Ok(None)
            }
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            now: &self.now,
            event: &self.event,
            contact: &self.contact_seen,
            context: &self.session.context,
            variables: &self.session.variables,
        }
    }

    fn record(&mut self, selection: Selection<'_>) {
        let now = self.now.as_str().unwrap_or_default();
        record_inbound(&mut self.session.context, &self.said, now, selection);
    }

    fn send(&mut self, body: Body, options: &[&str]) {
        let now = self.now.as_str().unwrap_or_default();
        record_outbound(&mut self.session.context, &body, options, now);
        let index = u32::try_from(self.effects.len()).unwrap_or(u32::MAX);
        let id = OutboundId::of_effect(self.incoming.id.millis(), self.session.id, self.session.events, index);
        self.effects.push(Effect::Send { id, body });
    }

    /// The contact's attributes as they stand.
    pub(super) fn attributes(&self) -> &Map<String, Value> {
        self.attributes.as_ref().unwrap_or(&self.contact.attributes)
    }

    pub(super) fn set_attribute(&mut self, name: &str, value: Value) {
        if let Value::Object(seen) = &mut self.contact_seen {
            seen.insert(name.to_owned(), value.clone());
        }
        self.attributes.get_or_insert_with(|| self.contact.attributes.clone()).insert(name.to_owned(), value);
    }

    fn problem(&mut self, field: impl Into<String>, kind: ProblemKind, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            let (node, field) = (self.session.node.clone(), field.into());
            self.problems.push(Problem { node, field, kind, message });
        }
    }

    pub(super) fn failure(&self, kind: FailureKind, message: String) -> Failure {
        Failure { node: self.session.node.clone(), kind, message }
    }

    pub(super) fn exhausted(&self, error: &EvaluateError) -> Failure {
        self.failure(FailureKind::Expressions, format!("{error}: make lists and texts smaller"))
    }

    /// Where the flow could not go on, nothing of what it did goes out.
    fn finish(mut self, walked: Result<(), Failure>) -> Step {
        let failure = walked.err();
        if failure.is_some() {
            self.session.end(SessionStatus::Errored);
            self.effects.clear();
            self.attributes = None;
        }
        Step {
            session: self.session,
            effects: self.effects,
            contact_attributes: self.attributes,
            failure,
            problems: self.problems,
        }
    }
}
