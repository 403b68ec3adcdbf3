//! Conditions of the editor's form: JavaScript expressions such as `context.input?.toLowerCase().includes('ok')`.
//!
//! The crate `oxc` parses; `lower` turns its syntax tree into a small one of our own, and what that does not know is
//! refused with what to write instead: functions, loops, assignments, every name but `context` and a few functions.
//! `evaluate` runs it over the session with JavaScript's meaning: truthiness, `==`, texts in UTF-16 units. An exception
//! makes a condition false. What a condition costs is counted in steps and bytes ([`Fuel`]), never in time; nothing is
//! built before it is paid for.
//!
//! It differs from JavaScript where that is the price of safety: halves of a character are U+FFFD, patterns look at
//! whole characters, `in` sees own properties alone, a date is read in ISO 8601 alone and has no text of its own,
//! `localeCompare` orders by letters, accents and case.

mod ast;
mod call;
mod date;
mod error;
mod evaluate;
mod function;
mod json;
mod list;
mod lower;
mod method;
mod number;
mod pattern;
mod refuse;
mod replace;
mod string;
mod text;
mod value;

use jiff::{Timestamp, tz::TimeZone};

use crate::{expression::Fuel, path::Roots};

pub(crate) use error::{ScriptError, ScriptProblem};

/// A condition that parsed, keeps to what is known and to the static bounds.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    root: ast::Expr,
    reads: Vec<String>,
    patterns: usize,
}

/// What a condition sees while a step runs.
pub(crate) struct World<'a> {
    /// The object `context`.
    pub context: &'a dyn Roots,
    /// The event's time: what `new Date()` is.
    pub now: Timestamp,
    /// The tenant's time zone.
    pub zone: &'a TimeZone,
}

impl Script {
    /// Parses a condition and holds it against what is known and the static bounds: 1 KiB, 200 nodes, 64 levels.
    pub fn compile(source: &str) -> Result<Self, ScriptError> {
        lower::lower(source)
    }

    /// Whether the condition holds: `!!(condition)`.
    ///
    /// # Errors
    ///
    /// [`ScriptProblem::Threw`] where JavaScript throws, which counts as false; [`ScriptProblem::Exhausted`].
    pub fn holds(&self, world: &World<'_>, fuel: &Fuel) -> Result<bool, ScriptProblem> {
        evaluate::holds(&self.root, world, fuel)
    }

    /// The names that it reads from `context`, each once.
    pub fn reads(&self) -> &[String] {
        &self.reads
    }

    /// How many regular expressions it holds.
    pub fn patterns(&self) -> usize {
        self.patterns
    }
}

#[cfg(test)]
mod tests;
