//! Texts and expressions of nodes, with what they may read and what they may cost.

use std::{borrow::Cow, sync::LazyLock};

use serde_json::{Value, json};
use wigwag_domain::cut;

use super::{Failure, FailureKind, ProblemKind, run::Run};
use crate::{
    expression::{EvaluateError, Expression, Scope},
    template::{Template, Tree, Within, Words},
};

/// What a flow was given that nobody called: `has(args.x)` is false.
static NO_ARGS: LazyLock<Value> = LazyLock::new(|| json!({}));

impl Run<'_> {
    /// The languages of the customer, best first.
    pub(super) fn languages(&self) -> Vec<&str> {
        let of_contact = self.contact_seen.get("language").and_then(Value::as_str);
        of_contact.into_iter().chain([self.world.tenant.language()]).collect()
    }

    pub(super) fn render_words(&mut self, words: &Words, field: &str, limit: usize) -> Result<String, Failure> {
        let template = words.pick(&self.languages());
        self.render(template, field, limit)
    }

    pub(super) fn render_optional(
        &mut self,
        template: Option<&Template>,
        field: &str,
        limit: usize,
    ) -> Result<Option<String>, Failure> {
        template.map(|template| self.render(template, field, limit)).transpose()
    }

    /// A text, cut to so many UTF-16 units.
    pub(super) fn render(&mut self, template: &Template, field: &str, limit: usize) -> Result<String, Failure> {
        let text = self.render_whole(template, field, limit, Within::Text)?;
        let Cow::Owned(cut) = cut(&text, limit) else { return Ok(text) };
        let message = format!("the text came out longer than {limit} characters, and was cut");
        self.problem(field, ProblemKind::Cut, message);
        Ok(cut)
    }

    pub(super) fn render_whole(
        &mut self,
        template: &Template,
        field: &str,
        limit: usize,
        within: Within,
    ) -> Result<String, Failure> {
        let mut errors = Vec::new();
        let rendered = template.render(&self.scope(), &self.fuel, limit, within, |error| errors.push(error));
        for error in errors {
            self.problem(field, ProblemKind::Expression, error.to_string());
        }
        rendered.map_err(|error| self.exhausted(&error))
    }

    /// The value of an expression; none where it has none, which is noted.
    pub(super) fn evaluate(
        &mut self,
        expression: &Expression,
        field: impl Fn() -> String,
    ) -> Result<Option<Value>, Failure> {
        let value = expression.evaluate(&self.scope(), &self.fuel).map(Cow::into_owned);
        match value {
            Ok(value) => Ok(Some(value)),
            Err(error @ EvaluateError::Exhausted) => Err(self.exhausted(&error)),
            Err(error) => {
                self.problem(field(), ProblemKind::Expression, error.to_string());
                Ok(None)
            }
        }
    }

    /// What expressions read.
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            now: &self.now,
            event: &self.event,
            contact: &self.contact_seen,
            tenant: self.world.tenant.variables(),
            resume: &self.resume,
            args: if self.session.args.is_null() { &NO_ARGS } else { &self.session.args },
            error: &self.session.error,
            context: &self.session.context,
            variables: &self.session.variables,
        }
    }

    /// A YAML value with its values in it.
    pub(super) fn render_tree(&mut self, tree: &Tree, field: &str, limit: usize) -> Result<Value, Failure> {
        let mut errors = Vec::new();
        let rendered = tree.render(&self.scope(), &self.fuel, limit, &mut |error| errors.push(error));
        for error in errors {
            self.problem(field, ProblemKind::Expression, error.to_string());
        }
        rendered.map_err(|error| self.exhausted(&error))
    }

    pub(super) fn exhausted(&self, error: &EvaluateError) -> Failure {
        self.failure(FailureKind::Expressions, format!("{error}: make lists and texts smaller"))
    }
}
