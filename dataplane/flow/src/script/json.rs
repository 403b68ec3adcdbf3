//! `JSON.stringify` and `JSON.parse`.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    ScriptProblem, date, number,
    text::Builder,
    value::{Js, Outcome},
};
use crate::expression::Fuel;

/// A text of JSON as a value.
pub(super) fn parse<'a>(text: &str, fuel: &Fuel) -> Outcome<Js<'a>> {
    // A value takes more room than its text.
    fuel.burn(text.len().saturating_mul(16))?;
    let value = serde_json::from_str::<Value>(text);
    value
        .map(|value| Js::from(Cow::Owned(value)))
        .map_err(|_| ScriptProblem::Threw("JSON.parse got a text that is no JSON".to_owned()))
}

/// A value as JSON; `None` for what has none.
pub(super) fn stringify(value: Js<'_>, fuel: &Fuel) -> Outcome<Option<String>> {
    if matches!(value, Js::Undefined | Js::Method(_)) {
        return Ok(None);
    }
    let mut out = Builder::new(fuel);
    write(value, &mut out, fuel)?;
    Ok(Some(out.finish()))
}

fn write(value: Js<'_>, out: &mut Builder<'_>, fuel: &Fuel) -> Outcome<()> {
    match value {
        Js::Undefined | Js::Null | Js::Method(_) => out.push("null"),
        Js::Bool(flag) => out.push(if flag { "true" } else { "false" }),
        Js::Number(number) if number.is_finite() => out.push(&number::print(number)),
        Js::Number(_) => out.push("null"),
        Js::Text(text) => quoted(&text, out),
        Js::Date(time) => match date::print(time) {
            Some(text) => quoted(&text, out),
            None => out.push("null"),
        },
        Js::Pattern(_) | Js::Context => out.push("{}"),
        Js::List(_) => list(value, out, fuel),
        Js::Data(ref data) if data.is_array() => list(value, out, fuel),
        Js::Data(_) | Js::Object(_) => object(value, out, fuel),
    }
}

fn list(value: Js<'_>, out: &mut Builder<'_>, fuel: &Fuel) -> Outcome<()> {
    out.push("[")?;
    for (at, item) in value.items(fuel)?.into_iter().enumerate() {
        if at > 0 {
            out.push(",")?;
        }
        write(item, out, fuel)?;
    }
    out.push("]")
}

fn object(value: Js<'_>, out: &mut Builder<'_>, fuel: &Fuel) -> Outcome<()> {
    out.push("{")?;
    let mut first = true;
    for (key, value) in value.entries(fuel)? {
        if matches!(value, Js::Undefined | Js::Method(_)) {
            continue;
        }
        if !first {
            out.push(",")?;
        }
        first = false;
        quoted(&key, out)?;
        out.push(":")?;
        write(value, out, fuel)?;
    }
    out.push("}")
}

fn quoted(text: &str, out: &mut Builder<'_>) -> Outcome<()> {
    out.push(&Value::from(text).to_string())
}
