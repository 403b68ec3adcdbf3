//! The syntax tree that [`super::evaluate`] runs: nothing in it but what it knows.

use super::{
    function::{Function, Method},
    pattern::Pattern,
};

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Pattern(Pattern),
    /// The name `context`.
    Context,
    /// What stands in a template before each value, then the values; the texts are one more.
    Template(Vec<String>, Vec<Expr>),
    List(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Member(Box<Expr>, Property, Optional),
    /// Where the `?.` within it stop.
    Chain(Box<Expr>),
    Method(Box<MethodCall>),
    Call(Function, Vec<Expr>),
    Unary(Unary, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Coalesce(Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// Whether `?.` stands in front.
pub(super) type Optional = bool;

#[derive(Clone, Debug)]
pub(super) enum Property {
    Name(String),
    Computed(Box<Expr>),
}

/// `object.method(arguments)`, `object?.method?.(arguments)`.
#[derive(Clone, Debug)]
pub(super) struct MethodCall {
    pub object: Expr,
    pub method: Method,
    pub optional_member: Optional,
    pub optional_call: Optional,
    pub arguments: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Plus,
    Minus,
    Typeof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Equal,
    NotEqual,
    StrictEqual,
    StrictNotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}
