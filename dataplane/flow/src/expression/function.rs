//! The functions of expressions. Each can be written both ways: `size(x)` and `x.size()`.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    EvaluateError,
    number::Num,
    value::{kind, print},
};
use crate::fold::fold;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Int,
    Double,
    Number,
    Text,
    Lower,
    Fold,
}

/// Name, function, arguments. `string` is CEL's own word for `text`.
const FUNCTIONS: [(&str, Function, usize); 11] = [
    ("size", Function::Size, 1),
    ("contains", Function::Contains, 2),
    ("startsWith", Function::StartsWith, 2),
    ("endsWith", Function::EndsWith, 2),
    ("int", Function::Int, 1),
    ("double", Function::Double, 1),
    ("number", Function::Number, 1),
    ("text", Function::Text, 1),
    ("string", Function::Text, 1),
    ("lower", Function::Lower, 1),
    ("fold", Function::Fold, 1),
];

/// What there is beside the functions, for whoever misspelled one.
const OTHERS: [&str; 7] = ["matches", "has", "all", "exists", "exists_one", "map", "filter"];

impl Function {
    /// A function and how many arguments it takes.
    pub fn find(name: &str) -> Option<(&'static str, Self, usize)> {
        FUNCTIONS.into_iter().find(|(known, ..)| *known == name)
    }

    /// The names of all functions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.into_iter().map(|(name, ..)| name).chain(OTHERS)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Int => "int",
            Self::Double => "double",
            Self::Number => "number",
            Self::Text => "text",
            Self::Lower => "lower",
            Self::Fold => "fold",
        }
    }

    /// Calls it. As many arguments are given as it takes.
    pub fn call(self, arguments: &[Cow<'_, Value>]) -> Result<Value, EvaluateError> {
        let first = arguments.first().map_or(&Value::Null, Cow::as_ref);
        let second = arguments.get(1).map_or(&Value::Null, Cow::as_ref);
        match self {
            Self::Size => match first {
                Value::String(text) => Ok(text.chars().count().into()),
                Value::Array(items) => Ok(items.len().into()),
                Value::Object(map) => Ok(map.len().into()),
                other => Err(self.wrong(other)),
            },
            Self::Contains => Ok(self.text(first)?.contains(self.text(second)?).into()),
            Self::StartsWith => Ok(self.text(first)?.starts_with(self.text(second)?).into()),
            Self::EndsWith => Ok(self.text(first)?.ends_with(self.text(second)?).into()),
            Self::Int => self.number(first)?.truncate().map(Value::from),
            Self::Double => Num::Float(self.number(first)?.float()).value(),
            Self::Number => self.number(first)?.value(),
            Self::Text => {
                let mut out = String::new();
                print(first, &mut out);
                Ok(out.into())
            }
            Self::Lower => Ok(self.text(first)?.to_lowercase().into()),
            Self::Fold => Ok(fold(self.text(first)?).into()),
        }
    }

    fn text(self, value: &Value) -> Result<&str, EvaluateError> {
        value.as_str().ok_or_else(|| self.wrong(value))
    }

    fn number(self, value: &Value) -> Result<Num, EvaluateError> {
        match value {
            Value::Number(number) => Ok(number.into()),
            Value::String(text) => Num::parse(text).ok_or(EvaluateError::NotANumber(self.name())),
            other => Err(self.wrong(other)),
        }
    }

    fn wrong(self, value: &Value) -> EvaluateError {
        EvaluateError::Argument { function: self.name(), got: kind(value) }
    }
}
