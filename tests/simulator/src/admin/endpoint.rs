//! The endpoint of somebody else: what it answers, and who called it.

use axum::{Json, extract::State};
use http::StatusCode;
use serde_json::{Value, json};

use super::Shared;
use crate::EndpointRule;

pub(super) async fn calls(State(platform): Shared) -> Json<Value> {
    let ledger = platform.ledger();
    Json(json!({"calls": ledger.endpoint_calls, "by_key": ledger.calls_by_key()}))
}

pub(super) async fn add(State(platform): Shared, Json(rule): Json<EndpointRule>) -> StatusCode {
    platform.answer_calls(rule);
    StatusCode::NO_CONTENT
}

pub(super) async fn clear(State(platform): Shared) -> StatusCode {
    platform.clear_calls();
    StatusCode::NO_CONTENT
}
