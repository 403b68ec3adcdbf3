//! Nodes that talk to the customer: what they say, rendered and within the provider's limits.

use wigwag_domain::{Body, FormMessage, Header, WaitId};

use super::{
    Failure, FailureKind, ProblemKind,
    approved::add_quick_replies,
    parts::{MAX_PARTS, Parts, parts},
    run::{Run, Then},
};
use crate::{
    SessionStatus,
    program::{Ask, Delivery, Form, NodeIndex, Patience},
    question::{FOOTER, HEADER, MESSAGE_TEXT, Question, QuestionHeader},
    session::Wait,
    template::Words,
};

/// The longest caption of a form's button, in UTF-16 units.
const CTA: usize = 30;
/// The longest text of what a form starts with, in UTF-16 units.
const DATA: usize = 16 * 1_024;

impl Run<'_> {
    pub(super) fn say(
        &mut self,
        text: Option<&Words>,
        delivery: &Delivery,
        next: Option<NodeIndex>,
    ) -> Result<Then, Failure> {
        let fallback = self.approved(delivery)?;
        let Some(text) = text else {
            let Some(template) = fallback else {
                let why = "a value of the template is empty: give it a default, or the node an onFail";
                return self.unsaid(delivery, why);
            };
            self.send(Body::Template(template), None, &[]);
            return Ok(Then::Go(next));
        };
        let text = self.render_long(text)?;
        if text.trim().is_empty() {
            self.problem("text", ProblemKind::Empty, "the text came out empty, and was not sent".to_owned());
        } else {
            let (has_template, mut fallback) = (fallback.is_some(), fallback);
            let Parts { parts, cut } = parts(&text);
            if cut {
                let message = format!("the text has more than {MAX_PARTS} parts: the last was cut");
                self.problem("text", ProblemKind::Cut, message);
            }
            for part in parts {
                // Where the window is shut, the template says it once.
                let behind_template = has_template && fallback.is_none();
                let sent = self.send(Body::Text { text: part }, fallback.take(), &[]);
                if let Some(sent) = sent {
                    sent.behind_template = behind_template;
                }
            }
        }
        Ok(Then::Go(next))
    }

    /// A message that must go out and cannot: the node's way for it, else it fails the node.
    pub(super) fn unsaid(&mut self, delivery: &Delivery, why: &str) -> Result<Then, Failure> {
        self.own_way(delivery.on_fail, FailureKind::Send, why.to_owned())
    }

    fn render_long(&mut self, words: &Words) -> Result<String, Failure> {
        let template = words.pick(&self.languages());
        let limit = MAX_PARTS * MESSAGE_TEXT;
        self.render(template, "text", limit)
    }

    /// Sends a question with options and waits for its answer; `again` is how often it was asked again.
    pub(super) fn ask_options(&mut self, question: &Question, wait: WaitId, again: u8) -> Result<Then, Failure> {
        let mut fallback = self.approved(&question.delivery)?;
        if let Some(template) = &mut fallback {
            add_quick_replies(template, question, wait);
        }
        let words = if again > 0 { question.retry_text.as_ref() } else { None }.unwrap_or(&question.text);
        let text = self.question_text(words, Question::text_limit(question.choices.len()))?;
        let footer = self.line(question.footer.as_ref(), "footer", FOOTER)?;
        let header = match &question.header {
            Some(QuestionHeader::Text(words)) => self.line(Some(words), "header.text", HEADER)?.map(Header::Text),
            Some(QuestionHeader::Media(file)) => self.file(file)?.map(Header::Media),
            None => None,
        };
        let languages = self.languages();
        let faces = question.faces(&languages);
        let titles: Vec<String> = faces.iter().map(|face| face.title.clone()).collect();
        let body = question.body(header, text, footer, &languages, wait);
        self.send(body, fallback, &titles.iter().map(String::as_str).collect::<Vec<_>>());
        self.await_answer(wait, question.patience, again)
    }

    /// Sends a question with a typed answer and waits for it.
    pub(super) fn ask(&mut self, ask: &Ask, wait: WaitId, again: u8) -> Result<Then, Failure> {
        let fallback = self.approved(&ask.delivery)?;
        let words = if again > 0 { ask.retry_text.as_ref() } else { None }.unwrap_or(&ask.text);
        let text = self.question_text(words, MESSAGE_TEXT)?;
        self.send(Body::Text { text }, fallback, &[]);
        self.await_answer(wait, ask.patience, again)
    }

    /// Sends a form and waits for it to come back.
    pub(super) fn ask_form(&mut self, form: &Form, wait: WaitId) -> Result<Then, Failure> {
        let fallback = self.approved(&form.delivery)?;
        let text = self.question_text(&form.text, Question::text_limit(1))?;
        let header = self.line(form.header.as_ref(), "header", HEADER)?;
        let footer = self.line(form.footer.as_ref(), "footer", FOOTER)?;
        let cta = self.line(Some(&form.cta), "cta", CTA)?.unwrap_or_else(|| "…".to_owned());
        let data = match &form.data {
            Some(tree) => Some(self.render_tree(tree, "data", DATA)?),
            None => None,
        };
        let body = Body::Form(FormMessage {
            header,
            text,
            footer,
            cta,
            flow_id: form.flow_id.clone(),
            draft: form.draft,
            screen: form.screen.clone(),
            data: data.filter(|data| data.as_object().is_some_and(|data| !data.is_empty())),
            token: wait.to_string(),
        });
        self.send(body, fallback, &[]);
        self.await_answer(wait, form.patience, 0)
    }

    fn await_answer(&mut self, id: WaitId, patience: Patience, again: u8) -> Result<Then, Failure> {
        let until = self.after(patience.timeout.unwrap_or(self.programs.root().lifetime().timeout));
        self.stand(SessionStatus::Paused, Wait::Answer { id, since: self.at, until, again })
    }

    fn question_text(&mut self, words: &Words, limit: usize) -> Result<String, Failure> {
        let text = self.render_words(words, "text", limit)?;
        if !text.trim().is_empty() {
            return Ok(text);
        }
        self.problem("text", ProblemKind::Empty, "the text came out empty; the node's name was sent".to_owned());
        Ok(self.session.node.clone())
    }

    /// A short text; none where it comes out empty.
    pub(super) fn line(&mut self, words: Option<&Words>, field: &str, limit: usize) -> Result<Option<String>, Failure> {
        let Some(words) = words else { return Ok(None) };
        let text = self.render_words(words, field, limit)?;
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }
}
