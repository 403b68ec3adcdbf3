//! Expressions: CEL in conditions, assignments and `{{ }}`.
//!
//! The crate `cel` parses; `lower` turns its syntax tree into the small one that `evaluate` runs over the session's own
//! JSON. We do not use the crate's evaluator: it walks maps in random order, where the same events must give the same
//! effects; it has no bound on work or memory, where a line as short as `a.map(x, b)` can build half a gigabyte; it does
//! not mix whole numbers with others; and it panics on trees that its parser can make. What an expression costs is
//! counted in steps and bytes ([`Fuel`]), never in time.

mod ast;
mod error;
mod evaluate;
mod function;
mod lower;
mod names;
mod number;
mod value;

use std::{borrow::Cow, ops::Deref};

use serde_json::{Map, Value};

use crate::{
    context::{Context, Key},
    path::Roots,
};

pub(crate) use error::{EvaluateError, ExpressionError};
pub(crate) use evaluate::Fuel;
pub(crate) use lower::{MAX_DEPTH, MAX_NODES, MAX_PATTERN, last_line};
pub(crate) use names::{Path, engine_names, engine_shape, is_identifier};
pub(crate) use value::{depth, print, size};

/// The longest expression, in bytes.
pub(crate) const MAX_SOURCE: usize = 1_024;

/// An expression that parsed and keeps the static bounds.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    root: ast::Expr,
    paths: Vec<Path>,
    patterns: usize,
}

/// What names stand for while a step runs.
pub(crate) struct Scope<'a> {
    /// The event's time, ISO 8601.
    pub now: &'a Value,
    /// The event; made when it is read.
    pub event: &'a (dyn Deref<Target = Value> + 'a),
    /// The contact, with its attributes.
    pub contact: &'a Value,
    /// The tenant's variables.
    pub tenant: &'a Value,
    /// The URL that resumes each `waitFor` node, by name.
    pub resume: &'a Value,
    /// What the caller gave, in a called flow.
    pub args: &'a Value,
    /// What failed, once something did; null before.
    pub error: &'a Value,
    /// The engine's keys.
    pub context: &'a Context,
    /// The author's variables.
    pub variables: &'a Map<String, Value>,
}

impl Expression {
    /// Parses an expression and holds it against the static bounds: 1 KiB, 200 nodes, 64 levels, no comprehension
    /// inside another's body.
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        lower::lower(source)
    }

    /// The names that it reads, each as far as it is spelled out.
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// How many regular expressions it holds.
    pub fn patterns(&self) -> usize {
        self.patterns
    }

    /// Its value. Borrowed from the scope where nothing had to be made.
    pub fn evaluate<'a>(&'a self, scope: &'a Scope<'a>, fuel: &Fuel) -> Result<Cow<'a, Value>, EvaluateError> {
        evaluate::evaluate(&self.root, scope, fuel)
    }
}

impl Roots for Scope<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        match Key::find(name) {
            Some(key) => self.context.get(key),
            None => self.variables.get(name).map(Cow::Borrowed),
        }
    }

    fn whole(&self) -> Value {
        let keys =
            Key::ALL.iter().filter_map(|key| Some((key.name().to_owned(), self.context.get(*key)?.into_owned())));
        let variables = self.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(keys.chain(variables).collect())
    }
}

#[cfg(test)]
mod tests;
