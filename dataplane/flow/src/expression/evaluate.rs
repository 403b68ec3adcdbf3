//! Runs an expression over a session's JSON.
//!
//! Values are borrowed from the scope as long as nothing must be made. Errors are values of the language: `true || x`
//! is true whatever `x` is, as CEL has it.

use std::{borrow::Cow, cell::Cell, cmp::Ordering};

use serde_json::{Map, Value};

use super::{
    EvaluateError, Scope,
    ast::{Expr, Fold, FoldKind, Name, Operator},
    number::Num,
    value::{equal, kind, size},
};

type Evaluated<'a> = Result<Cow<'a, Value>, EvaluateError>;

/// What all expressions of one event may cost together: a unit for each step, and one for each [`BYTES_A_UNIT`] bytes
/// that are read or made. All of it takes some 10 ms and 32 MB.
#[derive(Debug)]
pub(crate) struct Fuel(Cell<u64>);

const BYTES_A_UNIT: u64 = 32;
/// To parse a byte costs as much as to copy so many.
const PARSED: usize = 10;

/// The element outside of a comprehension, where the syntax tree never asks for it.
static NOTHING: Value = Value::Null;

impl Fuel {
    /// The fuel of an event.
    pub const fn of_event() -> Self {
        Self(Cell::new(1_000_000))
    }

    /// Takes what a step costs that handles so many bytes.
    pub fn burn(&self, bytes: usize) -> Result<(), EvaluateError> {
        let left = self.0.get().checked_sub(1 + bytes as u64 / BYTES_A_UNIT);
        self.0.set(left.unwrap_or(0));
        left.map(drop).ok_or(EvaluateError::Exhausted)
    }

    /// Takes what a value costs that had to be made to be looked at: a history is parsed for that.
    #[expect(clippy::ptr_arg, reason = "whether it is owned is the question")]
    pub fn burn_made(&self, value: &Cow<'_, Value>) -> Result<(), EvaluateError> {
        match value {
            Cow::Owned(made) => self.burn(size(made) * PARSED),
            Cow::Borrowed(_) => Ok(()),
        }
    }
}

pub(super) fn evaluate<'a>(root: &'a Expr, scope: &'a Scope<'a>, fuel: &Fuel) -> Evaluated<'a> {
    Evaluation { scope, fuel }.value(root, &NOTHING)
}

struct Evaluation<'s, 'f> {
    scope: &'s Scope<'s>,
    fuel: &'f Fuel,
}

impl<'s> Evaluation<'s, '_> {
    /// The value of an expression; `element` is where the comprehension around it stands.
    fn value<'a>(&self, expr: &'a Expr, element: &'a Value) -> Evaluated<'a>
    where
        's: 'a,
    {
        self.fuel.burn(0)?;
        match expr {
            Expr::Literal(value) => Ok(Cow::Borrowed(value)),
            Expr::Name(name) => self.name(name),
            Expr::Element => Ok(Cow::Borrowed(element)),
            Expr::Select(inner, field) => self.select(inner, field, element),
            Expr::Has(inner, field) => match self.select(inner, field, element) {
                Ok(_) => Ok(Cow::Owned(true.into())),
                Err(EvaluateError::Missing(_)) => Ok(Cow::Owned(false.into())),
                Err(error) => Err(error),
            },
            Expr::Index(inner, index) => self.index(inner, index, element),
            Expr::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.owned(item, element)).collect();
                Ok(Cow::Owned(Value::Array(items?)))
            }
            Expr::Map(entries) => self.map(entries, element),
            Expr::Not(inner) => Ok(Cow::Owned((!self.bool(inner, element)?).into())),
            Expr::Negate(inner) => match self.value(inner, element)?.as_ref() {
                Value::Number(number) => Num::from(number).negate().map(Cow::Owned),
                other => Err(EvaluateError::Argument { function: "-", got: kind(other) }),
            },
            Expr::And(left, right) => self.either(left, right, element, false),
            Expr::Or(left, right) => self.either(left, right, element, true),
            Expr::If(when, then, otherwise) => {
                let branch = if self.bool(when, element)? { then } else { otherwise };
                self.value(branch, element)
            }
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.value(left, element)?, self.value(right, element)?);
                self.binary(*operator, &left, &right).map(Cow::Owned)
            }
            Expr::Call(function, arguments) => {
                let arguments: Vec<_> =
                    arguments.iter().map(|one| self.value(one, element)).collect::<Result<_, _>>()?;
                self.fuel.burn(arguments.iter().map(|one| size(one)).sum())?;
                function.call(&arguments).map(Cow::Owned)
            }
            Expr::Matches(inner, pattern) => match self.value(inner, element)?.as_ref() {
                Value::String(text) => {
                    // A pattern costs more a byte than a comparison.
                    self.fuel.burn(text.len() * 32)?;
                    Ok(Cow::Owned(pattern.is_match(text).into()))
                }
                other => Err(EvaluateError::Argument { function: "matches", got: kind(other) }),
            },
            Expr::Fold(fold) => self.fold(fold).map(Cow::Owned),
        }
    }

    fn name(&self, name: &Name) -> Evaluated<'s> {
        let missing = |name: &str| EvaluateError::Missing(name.to_owned());
        match name {
            Name::Now => Ok(Cow::Borrowed(self.scope.now)),
            Name::Event => Ok(Cow::Borrowed(self.scope.event)),
            Name::Contact => Ok(Cow::Borrowed(self.scope.contact)),
            Name::Tenant => Ok(Cow::Borrowed(self.scope.tenant)),
            Name::Resume => Ok(Cow::Borrowed(self.scope.resume)),
            Name::Args => Ok(Cow::Borrowed(self.scope.args)),
            Name::Error => Ok(Cow::Borrowed(self.scope.error)),
            Name::Context(key) => {
                let value = self.scope.context.get(*key).ok_or_else(|| missing(key.name()))?;
                self.fuel.burn_made(&value)?;
                Ok(value)
            }
            Name::Variable(name) => self.scope.variables.get(name).map(Cow::Borrowed).ok_or_else(|| missing(name)),
        }
    }

    fn select<'a>(&self, inner: &'a Expr, name: &str, element: &'a Value) -> Evaluated<'a>
    where
        's: 'a,
    {
        let value = self.value(inner, element)?;
        if !value.is_object() {
            return Err(EvaluateError::NoFields { field: name.to_owned(), of: kind(&value) });
        }
        field(value, name).ok_or_else(|| EvaluateError::Missing(name.to_owned()))
    }

    fn index<'a>(&self, inner: &'a Expr, index: &'a Expr, element: &'a Value) -> Evaluated<'a>
    where
        's: 'a,
    {
        let value = self.value(inner, element)?;
        let index = self.value(index, element)?;
        match (value.as_ref(), index.as_ref()) {
            (Value::Array(_), Value::Number(number)) if number.is_i64() => {
                let place = number.as_i64().and_then(|place| usize::try_from(place).ok());
                place.and_then(|place| nth(value, place)).ok_or(EvaluateError::OutOfRange)
            }
            // The key may be the customer's: it is not named.
            (Value::Object(_), Value::String(key)) => {
                field(value, key).ok_or_else(|| EvaluateError::Missing("[]".to_owned()))
            }
            (left, right) => Err(EvaluateError::Operands { operator: "[]", left: kind(left), right: kind(right) }),
        }
    }

    fn map<'a>(&self, entries: &'a [(Expr, Expr)], element: &'a Value) -> Evaluated<'a>
    where
        's: 'a,
    {
        let mut map = Map::new();
        for (key, value) in entries {
            let key = match self.owned(key, element)? {
                Value::String(key) => key,
                other => return Err(EvaluateError::Key(kind(&other))),
            };
            if map.insert(key, self.owned(value, element)?).is_some() {
                return Err(EvaluateError::SameKey);
            }
        }
        Ok(Cow::Owned(Value::Object(map)))
    }

    /// `&&` and `||`: `decisive` settles it from either side, whatever the other side is.
    fn either<'a>(&self, left: &'a Expr, right: &'a Expr, element: &'a Value, decisive: bool) -> Evaluated<'a>
    where
        's: 'a,
    {
        let left = self.bool(left, element);
        if left == Ok(decisive) || left == Err(EvaluateError::Exhausted) {
            return left.map(|flag| Cow::Owned(flag.into()));
        }
        let right = self.bool(right, element)?;
        if right == decisive { Ok(Cow::Owned(right.into())) } else { left.map(|flag| Cow::Owned(flag.into())) }
    }

    fn bool<'a>(&self, expr: &'a Expr, element: &'a Value) -> Result<bool, EvaluateError>
    where
        's: 'a,
    {
        let value = self.value(expr, element)?;
        value.as_bool().ok_or_else(|| EvaluateError::NotABool(kind(&value)))
    }

    fn owned<'a>(&self, expr: &'a Expr, element: &'a Value) -> Result<Value, EvaluateError>
    where
        's: 'a,
    {
        let value = self.value(expr, element)?;
        if let Cow::Borrowed(value) = &value {
            self.fuel.burn(size(value))?;
        }
        Ok(value.into_owned())
    }

    fn binary(&self, operator: Operator, left: &Value, right: &Value) -> Result<Value, EvaluateError> {
        self.fuel.burn(size(left) + size(right))?;
        let wrong = || EvaluateError::Operands { operator: operator.as_str(), left: kind(left), right: kind(right) };
        let order = |expected: fn(Ordering) -> bool| {
            let order = match (left, right) {
                (Value::Number(a), Value::Number(b)) => Num::from(a).partial_cmp(&Num::from(b)),
                (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
                (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
                _ => None,
            };
            order.map(|order| expected(order).into()).ok_or_else(wrong)
        };
        match operator {
            Operator::Equal => Ok(equal(left, right).into()),
            Operator::NotEqual => Ok((!equal(left, right)).into()),
            Operator::Less => order(Ordering::is_lt),
            Operator::LessOrEqual => order(Ordering::is_le),
            Operator::Greater => order(Ordering::is_gt),
            Operator::GreaterOrEqual => order(Ordering::is_ge),
            Operator::In => match (left, right) {
                (left, Value::Array(items)) => Ok(items.iter().any(|item| equal(left, item)).into()),
                (Value::String(key), Value::Object(map)) => Ok(map.contains_key(key).into()),
                _ => Err(wrong()),
            },
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                match (operator, left, right) {
                    (_, Value::Number(a), Value::Number(b)) => Num::from(a).calculate(operator, b.into()),
                    (Operator::Add, Value::String(a), Value::String(b)) => Ok([a.as_str(), b].concat().into()),
                    (Operator::Add, Value::Array(a), Value::Array(b)) => Ok([a.as_slice(), b].concat().into()),
                    _ => Err(wrong()),
                }
            }
        }
    }

    fn fold(&self, fold: &Fold) -> Result<Value, EvaluateError> {
        let range = self.value(&fold.range, &NOTHING)?;
        let keys: Vec<Value>;
        let items = match range.as_ref() {
            Value::Array(items) => items.as_slice(),
            Value::Object(map) => {
                keys = map.keys().map(|key| key.as_str().into()).collect();
                &keys
            }
            other => return Err(EvaluateError::Argument { function: fold.kind.as_str(), got: kind(other) }),
        };
        let mut kept = Vec::new();
        let mut hits = 0;
        // An error decides nothing, as long as another element does.
        let mut undecided = None;
        for item in items {
            if let Some(only) = &fold.only
                && !self.bool(only, item)?
            {
                continue;
            }
            match fold.kind {
                FoldKind::Map => kept.push(self.owned(&fold.body, item)?),
                FoldKind::Filter => {
                    if self.bool(&fold.body, item)? {
                        self.fuel.burn(size(item))?;
                        kept.push(item.clone());
                    }
                }
                FoldKind::ExistsOne => hits += u32::from(self.bool(&fold.body, item)?),
                FoldKind::All | FoldKind::Exists => {
                    let decisive = fold.kind == FoldKind::Exists;
                    match self.bool(&fold.body, item) {
                        Ok(flag) if flag == decisive => return Ok(decisive.into()),
                        Ok(_) => {}
                        Err(EvaluateError::Exhausted) => return Err(EvaluateError::Exhausted),
                        Err(error) => undecided = Some(error),
                    }
                }
            }
        }
        match fold.kind {
            FoldKind::Map | FoldKind::Filter => Ok(Value::Array(kept)),
            FoldKind::ExistsOne => Ok((hits == 1).into()),
            FoldKind::All | FoldKind::Exists => match undecided {
                Some(error) => Err(error),
                None => Ok((fold.kind == FoldKind::All).into()),
            },
        }
    }
}

/// The element of a list.
fn nth(list: Cow<'_, Value>, place: usize) -> Option<Cow<'_, Value>> {
    match list {
        Cow::Borrowed(list) => list.get(place).map(Cow::Borrowed),
        Cow::Owned(mut list) => list.get_mut(place).map(|value| Cow::Owned(value.take())),
    }
}

/// The value of a map's field.
fn field<'a>(map: Cow<'a, Value>, name: &str) -> Option<Cow<'a, Value>> {
    match map {
        Cow::Borrowed(map) => map.get(name).map(Cow::Borrowed),
        Cow::Owned(mut map) => map.get_mut(name).map(|value| Cow::Owned(value.take())),
    }
}
