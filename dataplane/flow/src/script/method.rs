//! Calls of methods: by what the value is that they are called on.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::{
    ScriptProblem, date,
    function::{Kind, Method},
    list, number, string,
    value::{Js, Outcome},
};
use crate::expression::Fuel;

/// What a call was given; what it was not given is `undefined`.
pub(super) struct Arguments<'a>(std::vec::IntoIter<Js<'a>>);

impl<'a> Arguments<'a> {
    pub fn new(arguments: Vec<Js<'a>>) -> Self {
        Self(arguments.into_iter())
    }

    pub fn next(&mut self) -> Js<'a> {
        self.0.next().unwrap_or(Js::Undefined)
    }

    pub fn text(&mut self, fuel: &Fuel) -> Outcome<Cow<'a, str>> {
        self.next().text(fuel)
    }

    /// A number, or what stands for it where there is none.
    pub fn number_or(&mut self, default: f64, fuel: &Fuel) -> Outcome<f64> {
        match self.next() {
            Js::Undefined => Ok(default),
            value => value.number(fuel),
        }
    }

    pub fn rest(self) -> std::vec::IntoIter<Js<'a>> {
        self.0
    }
}

/// Calls a method that the value has.
pub(super) fn call<'a>(
    value: Js<'a>,
    method: Method,
    mut arguments: Arguments<'a>,
    zone: &TimeZone,
    fuel: &Fuel,
) -> Outcome<Js<'a>> {
    match (value, method) {
        (Js::Text(text), _) => string::call(text, method, arguments, fuel),
        (Js::Number(number), Method::ToFixed) => {
            let places = number::whole(arguments.number_or(0.0, fuel)?);
            if !(0.0..=100.0).contains(&places) {
                return Err(threw("toFixed takes 0 to 100 places"));
            }
            fuel.burn(2_048)?;
            Ok(Js::Text(number::fixed(number, number::clamped(places, 100)).into()))
        }
        (Js::Number(number), _) => {
            let radix = number::whole(arguments.number_or(10.0, fuel)?);
            if !(2.0..=36.0).contains(&radix) {
                return Err(threw("toString takes a base of 2 to 36"));
            }
            if radix == 10.0 || !number.is_finite() {
                return Ok(Js::Text(number::print(number).into()));
            }
            let radix = u32::try_from(number::clamped(radix, 36)).unwrap_or(10);
            let printed = number::in_radix(number, radix);
            printed.map(|text| Js::Text(text.into())).ok_or_else(|| threw("toString with a base takes whole numbers"))
        }
        (Js::Date(time), Method::ToIsoString) => {
            date::print(time).map(|text| Js::Text(text.into())).ok_or_else(|| threw("toISOString of what is no date"))
        }
        (Js::Date(time), method) if method != Method::ToString => date::call(time, method, zone).map(Js::Number),
        (Js::Pattern(pattern), Method::Test) => {
            let text = arguments.text(fuel)?;
            fuel.burn(text.len() * string::PATTERN_COST)?;
            Ok(Js::Bool(pattern.regex.is_match(&text)))
        }
        (value, method) if value.kind() == Kind::List => list::call(value.items(fuel)?, method, arguments, fuel),
        (value, _) => value.text(fuel).map(Js::Text),
    }
}

pub(super) fn threw(message: &str) -> ScriptProblem {
    ScriptProblem::Threw(message.to_owned())
}
