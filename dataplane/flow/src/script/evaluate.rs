//! Runs a condition over a session.

use std::borrow::Cow;

use super::{
    ScriptProblem, World,
    ast::{Expr, MethodCall, Operator, Property, Unary},
    call,
    function::Kind,
    method::{self, Arguments},
    number,
    text::{Builder, compare},
    value::{Js, Outcome},
};
use crate::expression::Fuel;

/// Why there is no value.
enum Stop {
    Problem(ScriptProblem),
    /// A `?.` behind nothing: the whole chain is `undefined`.
    Chain,
}

impl<E: Into<ScriptProblem>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

type Evaluated<'a> = Result<Js<'a>, Stop>;

/// The value of a condition as a truth value.
pub(super) fn holds(root: &Expr, world: &World<'_>, fuel: &Fuel) -> Outcome<bool> {
    match (Evaluation { world, fuel }).value(root) {
        Ok(value) => Ok(value.is_truthy()),
        Err(Stop::Problem(problem)) => Err(problem),
        Err(Stop::Chain) => Ok(false),
    }
}

struct Evaluation<'a, 'f> {
    world: &'a World<'a>,
    fuel: &'f Fuel,
}

impl<'a> Evaluation<'a, '_> {
    fn value(&self, expr: &'a Expr) -> Evaluated<'a> {
        self.fuel.burn(0)?;
        Ok(match expr {
            Expr::Undefined => Js::Undefined,
            Expr::Null => Js::Null,
            Expr::Bool(flag) => Js::Bool(*flag),
            Expr::Number(number) => Js::Number(*number),
            Expr::Text(text) => Js::Text(text.into()),
            Expr::Pattern(pattern) => Js::Pattern(pattern),
            Expr::Context => Js::Context,
            Expr::Template(texts, values) => {
                let mut out = Builder::new(self.fuel);
                for (at, text) in texts.iter().enumerate() {
                    out.push(text)?;
                    if let Some(value) = values.get(at) {
                        out.push(&self.value(value)?.text(self.fuel)?)?;
                    }
                }
                Js::Text(out.finish().into())
            }
            Expr::List(items) => Js::List(self.values(items)?),
            Expr::Object(entries) => {
                let mut object = Vec::new();
                for (key, value) in entries {
                    let key = self.value(key)?.text(self.fuel)?.into_owned();
                    let value = self.data(self.value(value)?)?;
                    // A key keeps the place where it stood first.
                    match object.iter_mut().find(|(other, _)| *other == key) {
                        Some((_, old)) => *old = value,
                        None => object.push((key, value)),
                    }
                }
                Js::Object(object)
            }
            Expr::Member(object, property, optional) => {
                let object = self.object(object, *optional, property)?;
                match property {
                    Property::Name(name) => self.member(object, name)?,
                    Property::Computed(key) => {
                        let key = self.value(key)?.text(self.fuel)?;
                        self.member(object, &key)?
                    }
                }
            }
            Expr::Chain(inner) => match self.value(inner) {
                Err(Stop::Chain) => Js::Undefined,
                value => return value,
            },
            Expr::Method(call) => return self.method(call),
            Expr::Call(function, arguments) => call::call(*function, self.values(arguments)?, self.world, self.fuel)?,
            Expr::Unary(operator, inner) => {
                let value = self.value(inner)?;
                match operator {
                    Unary::Not => Js::Bool(!value.is_truthy()),
                    Unary::Plus => Js::Number(value.number(self.fuel)?),
                    Unary::Minus => Js::Number(-value.number(self.fuel)?),
                    Unary::Typeof => Js::Text(value.type_name().into()),
                }
            }
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.binary(*operator, left, right)?
            }
            Expr::And(left, right) => match self.value(left)? {
                left if left.is_truthy() => self.value(right)?,
                left => left,
            },
            Expr::Or(left, right) => match self.value(left)? {
                left if left.is_truthy() => left,
                _ => self.value(right)?,
            },
            Expr::Coalesce(left, right) => match self.value(left)? {
                left if left.is_nullish() => self.value(right)?,
                left => left,
            },
            Expr::If(when, then, otherwise) => {
                self.value(if self.value(when)?.is_truthy() { then } else { otherwise })?
            }
        })
    }

    /// Values that go into something, or into a function.
    fn values(&self, exprs: &'a [Expr]) -> Result<Vec<Js<'a>>, Stop> {
        exprs.iter().map(|expr| self.data(self.value(expr)?)).collect()
    }

    /// A value with `context` as the data that it stands for.
    fn data(&self, value: Js<'a>) -> Evaluated<'a> {
        if !matches!(value, Js::Context) {
            return Ok(value);
        }
        let whole = Cow::Owned(self.world.context.whole());
        self.fuel.burn_made(&whole)?;
        Ok(Js::Data(whole))
    }

    /// What stands in front of a property.
    fn object(&self, expr: &'a Expr, optional: bool, property: &Property) -> Evaluated<'a> {
        let name = match property {
            Property::Name(name) => name,
            // The key may be the customer's: it is not named.
            Property::Computed(_) => "[]",
        };
        self.present(self.value(expr)?, optional, name)
    }

    fn present(&self, object: Js<'a>, optional: bool, name: &str) -> Evaluated<'a> {
        if !object.is_nullish() {
            return Ok(object);
        }
        if optional {
            return Err(Stop::Chain);
        }
        let of = object.in_words();
        Err(ScriptProblem::Threw(format!("`.{name}` of {of}: write `?.{name}` where it may be missing")).into())
    }

    fn member(&self, object: Js<'a>, name: &str) -> Outcome<Js<'a>> {
        if !matches!(object, Js::Context) {
            return object.member(name, self.fuel);
        }
        match self.world.context.get(name) {
            Some(value) => {
                self.fuel.burn_made(&value)?;
                Ok(Js::from(value))
            }
            None => Js::Object(Vec::new()).member(name, self.fuel),
        }
    }

    fn method(&self, call: &'a MethodCall) -> Evaluated<'a> {
        let name = call.method.name();
        let object = self.present(self.value(&call.object)?, call.optional_member, name)?;
        if object.kind() == Kind::Object || !call.method.belongs_to(object.kind()) {
            let of = object.in_words();
            return match self.member(object, name)? {
                Js::Method(_) => {
                    self.values(&call.arguments)?;
                    Ok(Js::Text("[object Object]".into()))
                }
                nothing if call.optional_call && nothing.is_nullish() => Err(Stop::Chain),
                _ => Err(ScriptProblem::Threw(format!("{of} has no `{name}()`")).into()),
            };
        }
        let arguments = Arguments::new(self.values(&call.arguments)?);
        Ok(method::call(object, call.method, arguments, self.world.zone, self.fuel)?)
    }

    fn binary(&self, operator: Operator, left: Js<'a>, right: Js<'a>) -> Outcome<Js<'a>> {
        let fuel = self.fuel;
        Ok(match operator {
            Operator::StrictEqual => Js::Bool(left.is_same(&right, fuel)?),
            Operator::StrictNotEqual => Js::Bool(!left.is_same(&right, fuel)?),
            Operator::Equal => Js::Bool(left.equals_loosely(right, fuel)?),
            Operator::NotEqual => Js::Bool(!left.equals_loosely(right, fuel)?),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                Js::Bool(self.order(operator, left, right)?)
            }
            Operator::In => Js::Bool(self.has(left, right)?),
            Operator::Add => match (left.primitive(true, fuel)?, right.primitive(true, fuel)?) {
                (left, right) if matches!(left, Js::Text(_)) || matches!(right, Js::Text(_)) => {
                    let (left, right) = (left.text(fuel)?, right.text(fuel)?);
                    fuel.burn(left.len() + right.len())?;
                    Js::Text((left.into_owned() + &right).into())
                }
                (left, right) => Js::Number(left.number(fuel)? + right.number(fuel)?),
            },
            Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder | Operator::Power => {
                let (left, right) = (left.number(fuel)?, right.number(fuel)?);
                Js::Number(match operator {
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Remainder => left % right,
                    _ => number::power(left, right),
                })
            }
        })
    }

    fn order(&self, operator: Operator, left: Js<'a>, right: Js<'a>) -> Outcome<bool> {
        let fuel = self.fuel;
        let order = match (left.primitive(false, fuel)?, right.primitive(false, fuel)?) {
            (Js::Text(left), Js::Text(right)) => {
                fuel.burn(left.len().min(right.len()))?;
                Some(compare(&left, &right))
            }
            (left, right) => left.number(fuel)?.partial_cmp(&right.number(fuel)?),
        };
        // `NaN` is neither more nor less.
        Ok(order.is_some_and(|order| match operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    /// `key in object`.
    fn has(&self, key: Js<'a>, object: Js<'a>) -> Outcome<bool> {
        let key = key.text(self.fuel)?;
        match object {
            Js::Undefined | Js::Null | Js::Bool(_) | Js::Number(_) | Js::Text(_) => {
                let of = object.in_words();
                Err(ScriptProblem::Threw(format!("`in` looks into {of}, which has no keys: write includes()")))
            }
            // What is there may be `undefined`.
            Js::Object(entries) if entries.iter().any(|(other, _)| *other == key) => Ok(true),
            object => Ok(!matches!(self.member(object, &key)?, Js::Undefined)),
        }
    }
}
