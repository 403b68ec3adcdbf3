//! JSON values as expressions see them: kinds, equality, size, and how they print.

use serde_json::{Number, Value};

use super::number::Num;

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Equality, in which `1` and `1.0` are the same.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Num::from(a) == Num::from(b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// About the bytes of a value's JSON: what budgets and [`super::Fuel`] count.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => quoted_size(text),
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(key, value)| quoted_size(key) + size(value) + 2).sum::<usize>() + 2,
    }
}

/// Control characters take six bytes, quotes and the like two.
fn quoted_size(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    });
    text.len() + escapes.sum::<usize>() + 2
}

/// How deep lists and maps are nested in a value.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Prints a value as a customer reads it: whole numbers without a point, null as nothing, lists and maps as JSON.
pub(crate) fn print(value: &Value, out: &mut String) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&print_number(number)),
        Value::String(text) => out.push_str(text),
        Value::Array(_) | Value::Object(_) => print_json(value, out),
    }
}

/// As JSON, with numbers as [`print`] has them.
fn print_json(value: &Value, out: &mut String) {
    fn all<T>(items: impl Iterator<Item = T>, out: &mut String, print: impl Fn(T, &mut String)) {
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(',');
            }
            print(item, out);
        }
    }
    match value {
        Value::Number(number) => out.push_str(&print_number(number)),
        Value::Array(items) => {
            out.push('[');
            all(items.iter(), out, print_json);
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            all(entries.iter(), out, |(name, value), out| {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                print_json(value, out);
            });
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn print_number(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_print_as_a_customer_reads_them() {
        for (value, printed) in [
            (json!(null), ""),
            (json!(true), "true"),
            (json!(3), "3"),
            (json!(3.0), "3"),
            (json!(-0.5), "-0.5"),
            (json!(1e300), "1e+300"),
            (json!("a {{ b }}"), "a {{ b }}"),
            (json!([1, "a"]), "[1,\"a\"]"),
            (json!({"a": null, "b": [2.0, {"c": -7.0}]}), "{\"a\":null,\"b\":[2,{\"c\":-7}]}"),
        ] {
            let mut out = String::new();
            print(&value, &mut out);
            assert_eq!(out, printed);
        }
    }

    #[test]
    fn numbers_are_equal_by_value_at_any_depth() {
        assert!(equal(&json!({"a": [1]}), &json!({"a": [1.0]})));
        assert!(!equal(&json!({"a": [1]}), &json!({"a": ["1"]})));
        assert!(!equal(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
    }
}
