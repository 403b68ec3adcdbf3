//! Faults, receipts by hand, held answers, and a simulator that does not accept.

use std::time::Duration;

use axum::{Json, extract::State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Answer, Shared};
use crate::{Backlog, Posted, Receipts, Rule, SendFault, Sent, Status, WebhookFault};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct Faults {
    sends: Vec<Rule<SendFault>>,
    messages: Vec<Rule<WebhookFault>>,
    statuses: Vec<Rule<WebhookFault>>,
}

pub(super) async fn add_faults(State(platform): Shared, Json(faults): Json<Faults>) -> StatusCode {
    faults.sends.into_iter().for_each(|rule| platform.fail_sends(rule));
    faults.messages.into_iter().for_each(|rule| platform.disturb_messages(rule));
    faults.statuses.into_iter().for_each(|rule| platform.disturb_statuses(rule));
    StatusCode::NO_CONTENT
}

pub(super) async fn clear_faults(State(platform): Shared) -> StatusCode {
    platform.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct ReceiptPolicy {
    policy: Receipts,
}

pub(super) async fn receipts(State(platform): Shared, Json(body): Json<ReceiptPolicy>) -> StatusCode {
    platform.set_receipts(body.policy);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct OneStatus {
    wamid: String,
    status: Status,
}

pub(super) async fn status(State(platform): Shared, Json(body): Json<OneStatus>) -> Answer<Posted> {
    Ok(Json(platform.post_status(&body.wamid, body.status).await?))
}

pub(super) async fn held(State(platform): Shared) -> Json<Vec<Sent>> {
    Json(platform.held())
}

#[derive(Deserialize)]
pub(super) struct Release {
    wamid: Option<String>,
}

pub(super) async fn release(State(platform): Shared, Json(body): Json<Release>) -> Json<Value> {
    let before = platform.held().len();
    match body.wamid {
        Some(wamid) => {
            platform.release(Some(&wamid));
        }
        None => platform.release_all(),
    }
    Json(json!({"released": before - platform.held().len()}))
}

#[derive(Deserialize)]
pub(super) struct Pause {
    for_ms: u64,
    #[serde(default)]
    discard: bool,
}

/// The gate closes after this answer, which a closed gate would not let out, and opens by itself: nobody could ask for it.
pub(super) async fn pause(State(platform): Shared, Json(pause): Json<Pause>) -> StatusCode {
    let backlog = if pause.discard { Backlog::Discard } else { Backlog::Serve };
    let shared = platform.clone();
    platform.spawn(async move {
        shared.pause_accepting().await;
        sleep(Duration::from_millis(pause.for_ms)).await;
        shared.resume_accepting(backlog);
    });
    StatusCode::NO_CONTENT
}
