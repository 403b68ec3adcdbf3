//! Calls of functions that stand by themselves.

use super::{
    World, date,
    function::{Function, Kind},
    json,
    method::{Arguments, threw},
    number,
    value::{Js, Outcome},
};
use crate::expression::Fuel;

/// Calls a function. The object `context` is given as the data that it stands for.
pub(super) fn call<'a>(function: Function, arguments: Vec<Js<'a>>, world: &World<'_>, fuel: &Fuel) -> Outcome<Js<'a>> {
    let none = arguments.is_empty();
    let mut arguments = Arguments::new(arguments);
    match function {
        Function::Number if none => Ok(Js::Number(0.0)),
        Function::Number => arguments.next().number(fuel).map(Js::Number),
        Function::String if none => Ok(Js::Text("".into())),
        Function::String => arguments.text(fuel).map(Js::Text),
        Function::Boolean => Ok(Js::Bool(arguments.next().is_truthy())),
        Function::ParseInt => {
            let text = arguments.text(fuel)?;
            fuel.burn(text.len())?;
            let radix = number::whole(arguments.number_or(0.0, fuel)?);
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and is no radix then")]
            Ok(Js::Number(number::parse_int(&text, radix as i32)))
        }
        Function::ParseFloat => {
            let text = arguments.text(fuel)?;
            fuel.burn(text.len())?;
            Ok(Js::Number(number::parse_float(&text)))
        }
        Function::IsNan => Ok(Js::Bool(arguments.next().number(fuel)?.is_nan())),
        Function::IsFinite => Ok(Js::Bool(arguments.next().number(fuel)?.is_finite())),
        Function::NumberIsNan => Ok(Js::Bool(matches!(arguments.next(), Js::Number(number) if number.is_nan()))),
        Function::NumberIsFinite => Ok(Js::Bool(matches!(arguments.next(), Js::Number(number) if number.is_finite()))),
        Function::NumberIsInteger => {
            let whole = |number: f64| number.is_finite() && number.fract() == 0.0;
            Ok(Js::Bool(matches!(arguments.next(), Js::Number(number) if whole(number))))
        }
        Function::ArrayIsArray => Ok(Js::Bool(arguments.next().kind() == Kind::List)),
        Function::Abs => math(arguments, f64::abs, fuel),
        Function::Ceil => math(arguments, f64::ceil, fuel),
        Function::Floor => math(arguments, f64::floor, fuel),
        Function::Round => math(arguments, number::round, fuel),
        Function::Trunc => math(arguments, f64::trunc, fuel),
        Function::Sqrt => math(arguments, f64::sqrt, fuel),
        Function::Sign => math(arguments, |number| if number == 0.0 { number } else { number.signum() }, fuel),
        Function::Pow => {
            let base = arguments.next().number(fuel)?;
            Ok(Js::Number(number::power(base, arguments.next().number(fuel)?)))
        }
        Function::Min => extreme(arguments, f64::INFINITY, |a, b| a < b, fuel),
        Function::Max => extreme(arguments, f64::NEG_INFINITY, |a, b| a > b, fuel),
        Function::JsonStringify => {
            let text = json::stringify(arguments.next(), fuel)?;
            Ok(text.map_or(Js::Undefined, |text| Js::Text(text.into())))
        }
        Function::JsonParse => json::parse(&arguments.text(fuel)?, fuel),
        Function::Keys | Function::Values | Function::Entries => {
            let of = arguments.next();
            if of.is_nullish() {
                return Err(threw("Object.keys(), values() and entries() take an object, and got none"));
            }
            let entry = |(key, value): (String, Js<'a>)| match function {
                Function::Keys => Js::Text(key.into()),
                Function::Values => value,
                _ => Js::List(vec![Js::Text(key.into()), value]),
            };
            Ok(Js::List(of.entries(fuel)?.into_iter().map(entry).collect()))
        }
        Function::DateNow => Ok(Js::Number(now(world))),
        Function::NewDate if none => Ok(Js::Date(now(world))),
        Function::NewDate => match arguments.next() {
            Js::Date(time) => Ok(Js::Date(time)),
            of => match of.primitive(true, fuel)? {
                Js::Text(text) => Ok(Js::Date(date::parse(&text, world.zone))),
                of => Ok(Js::Date(date::from_number(of.number(fuel)?))),
            },
        },
    }
}

fn now(world: &World<'_>) -> f64 {
    world.now.as_millisecond() as f64
}

fn math<'a>(mut arguments: Arguments<'a>, function: fn(f64) -> f64, fuel: &Fuel) -> Outcome<Js<'a>> {
    Ok(Js::Number(function(arguments.next().number(fuel)?)))
}

/// `Math.min` and `Math.max`: `NaN` if any is.
fn extreme<'a>(arguments: Arguments<'a>, none: f64, beats: fn(f64, f64) -> bool, fuel: &Fuel) -> Outcome<Js<'a>> {
    let mut best = none;
    for argument in arguments.rest() {
        let number = argument.number(fuel)?;
        if number.is_nan() || beats(number, best) {
            best = number;
        }
    }
    Ok(Js::Number(best))
}
