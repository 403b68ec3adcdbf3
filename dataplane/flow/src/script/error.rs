//! What can be wrong with a condition: when it is compiled, and when it runs.

use std::fmt;

use crate::expression::{EvaluateError, MAX_SOURCE};

/// Why a condition does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScriptError {
    #[error("the condition has {0} bytes, and at most {MAX_SOURCE} are allowed: split it over several condition nodes")]
    TooLong(usize),
    #[error("does not parse at {place}: {message}")]
    Syntax { place: Place, message: String },
    #[error("the condition has more than {0} parts: split it over several condition nodes")]
    TooLarge(usize),
    #[error("the condition is nested deeper than {0} levels: split it over several condition nodes")]
    TooDeep(usize),
    #[error("{what} at {place} is not known here: {instead}")]
    Unsupported { place: Place, what: String, instead: String },
    #[error("the pattern at {place} is none that we can run: {message}")]
    Pattern { place: Place, message: String },
}

/// Where in a condition; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

/// Why a condition has no result. It goes to logs and reports, so it never holds a value of the customer's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScriptProblem {
    /// Where JavaScript throws; the condition is false.
    #[error("{0}")]
    Threw(String),
    #[error("conditions did more work in one event than is allowed")]
    Exhausted,
}

impl Place {
    /// The place of a byte in a source.
    pub fn of(source: &str, byte: usize) -> Self {
        let before = &source[..source.floor_char_boundary(byte)];
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

impl From<EvaluateError> for ScriptProblem {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Exhausted => Self::Exhausted,
            other => Self::Threw(other.to_string()),
        }
    }
}
