//! The syntax tree that [`super::evaluate`] runs: nothing in it but what it knows.

use regex::Regex;
use serde_json::Value;

use super::function::Function;
use crate::context::Key;

#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Literal(Value),
    Name(Name),
    /// The element that the comprehension around this is at.
    Element,
    Select(Box<Expr>, String),
    Has(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
    Matches(Box<Expr>, Regex),
    Fold(Box<Fold>),
}

/// What a bare name stands for; settled at compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Now,
    Event,
    Contact,
    Tenant,
    Resume,
    Args,
    Error,
    /// One of the engine's keys.
    Context(Key),
    /// One of the author's variables.
    Variable(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// A comprehension: `range.all(x, body)` and its kin.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub kind: FoldKind,
    pub range: Expr,
    /// What is looked at of each element: the predicate, for `map` what is kept.
    pub body: Expr,
    /// The predicate of `map` with three arguments.
    pub only: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

impl Operator {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}

impl FoldKind {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Map => "map",
            Self::Filter => "filter",
        }
    }
}
