//! The checks of single values that every kind of content shares.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::Checked;
use crate::graph_error::GraphError;

pub(super) fn required_text<'a>(
    parent: &'a Value,
    path: &str,
    key: &str,
    length: RangeInclusive<usize>,
) -> Checked<&'a str> {
    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match &parent[key] {
        Value::Null => Err(GraphError::missing(&path)),
        value => within(value, &path, length),
    }
}

pub(super) fn optional_text(parent: &Value, path: &str, key: &str, length: RangeInclusive<usize>) -> Checked<()> {
    match &parent[key] {
        Value::Null => Ok(()),
        value => within(value, &format!("{path}.{key}"), length).map(drop),
    }
}

/// Lengths of a plain text and of the caller's own id are 100 at Meta, those inside other objects 131009.
pub(super) fn within<'a>(value: &'a Value, path: &str, length: RangeInclusive<usize>) -> Checked<&'a str> {
    let text =
        value.as_str().ok_or_else(|| GraphError::invalid_parameter(format!("Param {path} must be a string.")))?;
    let characters = text.chars().count();
    if length.contains(&characters) {
        return Ok(text);
    }
    let details =
        format!("{path} length invalid: {characters}. Min length: {}, max length: {}", length.start(), length.end());
    match path {
        "text.body" | "biz_opaque_callback_data" => Err(GraphError::invalid_parameter(details)),
        _ => Err(GraphError::invalid_value(details)),
    }
}

pub(super) fn items<'a>(value: &'a Value, path: &str, count: RangeInclusive<usize>) -> Checked<&'a Vec<Value>> {
    let items = value.as_array().ok_or_else(|| GraphError::missing(path))?;
    if !count.contains(&items.len()) {
        return Err(GraphError::invalid_value(format!(
            "{path} count invalid: {}. Min: {}, max: {}",
            items.len(),
            count.start(),
            count.end()
        )));
    }
    Ok(items)
}

pub(super) fn number(parent: &Value, path: &str, key: &str) -> Checked<()> {
    match &parent[key] {
        Value::Null => Err(GraphError::missing(&format!("{path}.{key}"))),
        value if value.is_number() || value.as_str().is_some_and(|t| t.parse::<f64>().is_ok()) => Ok(()),
        _ => Err(GraphError::invalid_parameter(format!("Param {path}.{key} must be a number."))),
    }
}

/// A list of words, of which a value must be one.
pub(super) fn one_of(parent: &Value, path: &str, key: &str, known: &[&str]) -> Checked<()> {
    match parent[key].as_str() {
        Some(word) if known.contains(&word) => Ok(()),
        None if parent[key].is_null() => Ok(()),
        _ => Err(GraphError::invalid_value(format!("{path}.{key} must be one of {{{}}}.", known.join(", ")))),
    }
}
