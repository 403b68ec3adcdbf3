//! The customer's message, taken as the answer to the open question.

use serde_json::{Map, Value};
use wigwag_domain::{Content, WaitId};

use super::{
    Failure, FailureKind, Passed, Step,
    run::{MAX_EVENTS, Run, Then},
};
use crate::{
    answer::{self, Language, Reading},
    context::{Key, Selection},
    program::{Ask, Form, Kind},
    question::{NoMatch, Question},
    session::Wait,
};

/// The question that is answered: its wait stays the same while it is asked again, so that a tap on either copy
/// answers it.
#[derive(Clone, Copy)]
struct Open {
    wait: WaitId,
    /// How often it was asked again.
    again: u8,
}

impl Run<'_> {
    /// Takes a message as the answer to the open question. `variables` are set before it.
    pub(super) fn answer(mut self, variables: Map<String, Value>) -> Step {
        let moves = self.said.as_ref().is_some_and(|said| said.content.steps_a_session());
        let Some(Wait::Answer { id: wait, again, .. }) = self.session.wait else { return self.ignore() };
        if !moves {
            return self.ignore();
        }
        self.listen();
        self.counted(|run| {
            run.set_variables(variables)?;
            run.take_answer(Open { wait, again })
        })
    }

    /// Counts an event against the session's budget, and takes it.
    pub(super) fn counted(mut self, take: impl FnOnce(&mut Self) -> Result<Then, Failure>) -> Step {
        let counted = self.count_event();
        let then = counted.and_then(|()| take(&mut self));
        let walked = self.follow(then);
        self.finish(walked)
    }

    fn count_event(&mut self) -> Result<(), Failure> {
        self.session.events += 1;
        if self.session.events > MAX_EVENTS {
            let message =
                format!("the session took {MAX_EVENTS} events: let the flow end, and a trigger begin it anew");
            return Err(self.failure(FailureKind::Events, message));
        }
        Ok(())
    }

    fn take_answer(&mut self, open: Open) -> Result<Then, Failure> {
        let (Some(said), Some(node)) = (&self.said, self.stands_at()) else { return Err(self.lost()) };
        let tap_is_stale = said.tap.and_then(|tap| tap.wait).is_some_and(|tapped| tapped != open.wait.short());
        let is_stale = tap_is_stale || form_token(said.content).is_some_and(|token| token != open.wait.to_string());
        match &node.kind {
            kind if is_stale => self.answer_to_old_question(kind, open),
            Kind::Options(question) => self.choose(question, open),
            Kind::Ask(ask) => self.take_typed(ask, open),
            Kind::Form(form) => self.take_form(form, open),
            _ => Err(self.lost()),
        }
    }

    /// An old question has its own way, else the open one is asked again.
    fn answer_to_old_question(&mut self, asked: &Kind, Open { wait, again }: Open) -> Result<Then, Failure> {
        self.record(Selection::NotAsked);
        match asked {
            Kind::Options(Question { stale: Some(node), .. }) => Ok(Then::Go(Some(*node))),
            Kind::Options(question) => self.ask_options(question, wait, again),
            Kind::Ask(ask) => self.ask(ask, wait, again),
            Kind::Form(form) => self.ask_form(form, wait),
            _ => Err(self.lost()),
        }
    }

    fn choose(&mut self, question: &Question, Open { wait, again }: Open) -> Result<Then, Failure> {
        let Some(said) = &self.said else { return Err(self.lost()) };
        let languages = self.languages();
        let Some(index) = question.chosen(said, &languages) else {
            self.record(Selection::NoMatch);
            self.passed(Passed::NoMatch);
            return match question.no_match {
                _ if again < question.retries => self.ask_options(question, wait, again + 1),
                NoMatch::Go(node) => Ok(Then::Go(node)),
                NoMatch::AskAgain => self.ask_options(question, wait, again),
            };
        };
        let title = question.faces(&languages)[index].title.clone();
        self.record(Selection::Matched { index, title: &title });
        self.passed(Passed::Answered);
        Ok(Then::Go(question.choices[index].next))
    }

    fn take_typed(&mut self, ask: &Ask, Open { wait, again }: Open) -> Result<Then, Failure> {
        let Some(said) = &self.said else { return Err(self.lost()) };
        let now = self.at.to_zoned(self.world.tenant.zone().clone());
        let language = Language::of(self.languages()[0]);
        let country = self.world.contact.phone.as_deref().and_then(answer::country);
        let read = answer::read(&ask.wanted, said, &Reading { language, now: &now, country });
        self.record(Selection::NotAsked);
        let Ok(value) = read else {
            self.passed(Passed::NoMatch);
            return match ask.on_invalid {
                _ if again < ask.retries => self.ask(ask, wait, again + 1),
                Some(node) => Ok(Then::Go(Some(node))),
                None => self.ask(ask, wait, again),
            };
        };
        self.passed(Passed::Answered);
        self.keep_and_go(Some(&ask.into), value, ask.next)
    }

    fn take_form(&mut self, form: &Form, Open { wait, .. }: Open) -> Result<Then, Failure> {
        let Some(said) = &self.said else { return Err(self.lost()) };
        let mut answer = match said.content {
            Content::Form { answer } => answer.clone(),
            _ => Value::Null,
        };
        if let Some(answer) = answer.as_object_mut() {
            answer.shift_remove("flow_token");
        }
        self.record(Selection::NotAsked);
        if answer.is_null() {
            self.passed(Passed::NoMatch);
            return self.ask_form(form, wait);
        }
        self.passed(Passed::Answered);
        self.session.context.set(Key::PendingWhatsAppFlow, Value::Null);
        self.keep_and_go(form.into.as_ref(), answer, form.next)
    }
}

/// The wait of the form that comes back, where the message is one.
fn form_token(content: &Content) -> Option<&str> {
    match content {
        Content::Form { answer } => answer.get("flow_token")?.as_str(),
        _ => None,
    }
}
