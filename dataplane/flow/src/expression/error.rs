//! What can be wrong with an expression: when it is compiled, and when it runs.
//!
//! Run-time errors go to logs and reports, so they never hold a value of the customer's, only its kind.

use super::MAX_SOURCE;

/// Why an expression does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpressionError {
    #[error("the expression has {0} bytes, and at most {MAX_SOURCE} are allowed: split it over several assign nodes")]
    TooLong(usize),
    #[error("does not parse at line {line}, column {column}: {message}")]
    Syntax { line: isize, column: isize, message: String },
    #[error("the expression has more than {0} parts: split it over several assign nodes")]
    TooLarge(usize),
    #[error("the expression is nested deeper than {0} levels: split it over several assign nodes")]
    TooDeep(usize),
    #[error("a comprehension stands inside another: assign the inner one to a variable first")]
    NestedComprehension,
    #[error("{what} is not known here: {instead}")]
    Unsupported { what: &'static str, instead: &'static str },
    #[error("there is no function `{name}`: {instead}")]
    UnknownFunction { name: String, instead: String },
    #[error("`{name}` takes {expected} argument(s), and {got} are written")]
    Arguments { name: &'static str, expected: usize, got: usize },
    #[error("the pattern of `matches` is no regular expression that we can run: {0}")]
    Pattern(String),
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error("`{0}` is not there")]
    Missing(String),
    #[error("`.{field}` of {of}, which has no fields")]
    NoFields { field: String, of: &'static str },
    #[error("`{operator}` does not go with {left} and {right}")]
    Operands { operator: &'static str, left: &'static str, right: &'static str },
    #[error("`{function}` does not go with {got}")]
    Argument { function: &'static str, got: &'static str },
    #[error("the text that `{0}` got is no number")]
    NotANumber(&'static str),
    #[error("a truth value is needed, and this is {0}: compare it with something")]
    NotABool(&'static str),
    #[error("a list has nothing at the place that was asked for")]
    OutOfRange,
    #[error("a key of a map must be text, and this is {0}")]
    Key(&'static str),
    #[error("a map has the same key twice")]
    SameKey,
    #[error("division by zero")]
    DivisionByZero,
    #[error("the number grew too large")]
    Overflow,
    #[error("expressions did more work in one event than is allowed")]
    Exhausted,
}
