//! JSON of a request's body, within what a session can hold.

use std::time::Duration;

use axum::body::Body;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use wigwag_domain::clean;
use wigwag_flow::is_context_key;

use super::error::ApiError;

/// Largest body, in bytes: as much as a session's variables.
const LIMIT: usize = 64 * 1024;
/// How deep it may be nested: as deep as a session's variables.
const DEPTH: usize = 32;
/// For a body to come in.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body; an empty one is `null`.
///
/// # Errors
/// 413 for more than 64 KiB, 408 for one that trickles, 400 for what is no JSON or nested deeper than 32 levels.
pub(super) async fn json(body: Body) -> Result<Value, ApiError> {
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, LIMIT).collect()).await.map_err(|_| {
        let message = format!("the body took longer than {} s", PATIENCE.as_secs());
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "TIMEOUT", message)
    })?;
    let bytes = collected
        .map_err(|error| match error.is::<LengthLimitError>() {
            true => {
                let message = format!("the body has more than {LIMIT} bytes: send less, or a link to it");
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", message)
            }
            false => ApiError::invalid("the body ended early"),
        })?
        .to_bytes();
    parse(&bytes)
}

/// Variables that a program sets.
///
/// # Errors
/// 400 for a name by which conversations read something of the engine's: nobody could read the variable.
pub(super) fn variables(variables: Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    match variables.keys().find(|name| is_context_key(name)) {
        Some(name) => {
            let message = format!("variables.{name}: the conversation itself keeps {name:?}: choose another name");
            Err(ApiError::invalid(message))
        }
        None => Ok(variables),
    }
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    let mut value =
        serde_json::from_slice(bytes).map_err(|error| ApiError::invalid(format!("the body is no JSON: {error}")))?;
    if !settle(&mut value, DEPTH) {
        return Err(ApiError::invalid(format!("the body is nested deeper than {DEPTH} levels: keep it flat")));
    }
    Ok(value)
}

/// Replaces what no column of the database holds; tells whether the value is no deeper than `depth`.
fn settle(value: &mut Value, depth: usize) -> bool {
    match value {
        Value::String(text) if text.contains('\0') => *text = clean(text).into_owned(),
        Value::Array(_) | Value::Object(_) if depth == 0 => return false,
        Value::Array(items) => return items.iter_mut().all(|item| settle(item, depth - 1)),
        Value::Object(fields) => {
            if fields.keys().any(|name| name.contains('\0')) {
                let cleaned = std::mem::take(fields).into_iter();
                *fields = cleaned.map(|(name, value)| (clean(&name).into_owned(), value)).collect();
            }
            return fields.values_mut().all(|field| settle(field, depth - 1));
        }
        _ => {}
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn no_body_is_null_and_what_is_no_json_is_refused() {
        assert_eq!(parse(b" \n").unwrap(), Value::Null);
        assert_eq!(parse(b"{\"a\": [1]}").unwrap(), json!({"a": [1]}));
        for odd in [&b"{"[..], b"{} {}", b"\xff", b"\"\\ud800\""] {
            assert_eq!(parse(odd).unwrap_err().status, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn a_variable_that_would_hide_a_key_of_the_conversation_is_refused_by_its_name() {
        let given = |name: &str| Map::from_iter([(name.to_owned(), json!(1))]);
        assert!(variables(given("plan")).is_ok());
        let refused = variables(given("lastInput")).unwrap_err();
        assert!(refused.message.starts_with("variables.lastInput: "), "{}", refused.message);
    }

    #[test]
    fn nul_never_reaches_the_database() {
        assert_eq!(parse(br#"{"a\u0000": ["b\u0000"]}"#).unwrap(), json!({"a\u{fffd}": ["b\u{fffd}"]}));
    }

    #[test]
    fn a_body_is_at_most_32_levels_deep() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(32).as_bytes()).is_ok());
        assert!(parse(nested(33).as_bytes()).is_err());
    }
}
