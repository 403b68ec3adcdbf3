//! The Graph API: `POST /{version}/{phone-number-id}/messages` and the number's metadata.
//!
//! A call goes token -> number -> shape -> template -> rules -> ledger -> answer. There is no idempotency, as at Meta: the same body
//! twice is two messages.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Event, Number, Platform, ReadMark, Refused, SendFault, Sent,
    customer::wamid,
    graph_error::GraphError,
    server::Hangup,
    shape::{self, Call, Target},
};

pub(crate) fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .route("/{version}/{phone_number_id}/messages", post(messages))
        .route("/{version}/{phone_number_id}", get(metadata))
        .with_state(platform)
}

async fn messages(
    State(platform): State<Arc<Platform>>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&raw).unwrap_or_default();
    let call = authorised(&platform, &version, &id, &headers).and_then(|number| Ok((number, shape::check(&body)?)));
    match call {
        Err(error) => refuse(&platform, &id, body, error),
        Ok((_, Call::MarkRead { message_id, typing })) => {
            platform.change(|s| {
                let order = s.ledger.next_order();
                s.ledger.read_marks.push(ReadMark { order, message_id, typing });
            });
            Json(json!({"success": true})).into_response()
        }
        Ok((number, Call::Send { to, own_id })) => {
            let template = match platform.template_of(&body) {
                Ok(template) => template,
                Err(error) => return refuse(&platform, &id, body, error),
            };
            let sent = Sent { template, ..sent(&platform, &number, to, own_id, body) };
            send(&platform, sent).await
        }
    }
}

/// The number that this token may use.
fn authorised(platform: &Platform, version: &str, id: &str, headers: &HeaderMap) -> Result<Number, GraphError> {
    let known = version.strip_prefix('v').and_then(|v| v.parse::<f32>().ok());
    if known.is_none() {
        return Err(GraphError::new(2500, format!("Unknown path components: /{version}")));
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    let state = platform.state();
    let has_token = |number: &&Number| number.access_tokens.iter().any(|t| Some(t.as_str()) == token);
    if !state.numbers.values().any(|n| has_token(&n)) {
        return Err(GraphError::new(190, "Error validating access token: the session is invalid."));
    }
    state.numbers.get(id).filter(has_token).cloned().ok_or_else(|| {
        GraphError::invalid_parameter(format!(
            "Unsupported post request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation."
        ))
    })
}

fn sent(platform: &Platform, number: &Number, to: Target, own_id: Option<String>, body: Value) -> Sent {
    let (given, wa_id, user_id, wrong_country) = match to {
        Target::Phone { given, digits, has_plus: true } => (given, Some(digits), None, false),
        Target::Phone { given, digits, has_plus: false } => {
            (given, Some(format!("{}{digits}", country_code(&number.display_phone_number))), None, true)
        }
        Target::User(id) => (id.clone(), None, Some(id), false),
        Target::Group(id) => (id.clone(), Some(id), None, false),
    };
    let mut state = platform.state();
    let identity = wa_id.as_deref().or(user_id.as_deref()).unwrap_or_default();
    let profile = state.profile(identity).cloned();
    Sent {
        order: state.ledger.next_order(),
        at: Timestamp::now(),
        phone_number_id: number.phone_number_id.clone(),
        to: given,
        customer: profile.as_ref().map_or_else(|| identity.to_owned(), |p| p.key()),
        user_id: user_id.or_else(|| profile?.user_id),
        wa_id,
        wrong_country,
        wamid: wamid(),
        biz_opaque_callback_data: own_id,
        body,
        template: None,
        receipts: Vec::new(),
    }
}

/// Roughly: one digit in North America and Russia, two elsewhere. Enough for the message to go astray.
fn country_code(display: &str) -> &str {
    let length = if display.starts_with(['1', '7']) { 1 } else { 2 };
    display.get(..length).unwrap_or_default()
}

async fn send(platform: &Arc<Platform>, sent: Sent) -> Response {
    let (number, body) = (sent.phone_number_id.clone(), sent.body.clone());
    let fault = {
        let mut guard = platform.state();
        let state = &mut *guard;
        let names = [Some(sent.customer.as_str()), sent.wa_id.as_deref(), sent.user_id.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        let kind = body["type"].as_str().unwrap_or("text");
        state.sends.draw(&number, &names, |fault| fault.meets(kind), &mut state.random)
    };
    match fault {
        None => accept(platform, sent, None),
        Some(SendFault::ShutWindow) => {
            let details = "Message failed to send because more than 24 hours have passed since the customer last replied \
                           to this number.";
            refuse(platform, &number, body, GraphError::new(131_047, details))
        }
        Some(SendFault::AcceptAndFail { code }) => accept(platform, sent, Some(code)),
        Some(SendFault::HoldAnswer) => {
            let wamid = sent.wamid.clone();
            let answer = accept(platform, sent, None);
            platform.wait_for_release(&wamid).await;
            answer
        }
        Some(SendFault::AcceptAndClose) => {
            let mut answer = accept(platform, sent, None);
            answer.extensions_mut().insert(Hangup);
            answer
        }
        Some(SendFault::Hang) => {
            note_refusal(platform, &number, body, None, None, "hang: read and never answered");
            std::future::pending().await
        }
        Some(SendFault::Close) => {
            note_refusal(platform, &number, body, None, None, "close: the connection was closed unanswered");
            let mut answer = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            answer.extensions_mut().insert(Hangup);
            answer
        }
        Some(SendFault::Refuse { status, code: Some(code), retry_after }) => {
            let mut error = GraphError { retry_after, ..GraphError::new(code, "Refused by a rule of the simulator.") };
            if status != 0 {
                error.status = status;
            }
            refuse(platform, &number, body, error)
        }
        Some(SendFault::Refuse { status, code: None, retry_after }) => {
            note_refusal(platform, &number, body, Some(status), None, "refused by a rule, without a Graph error");
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut answer = (status, "<html>Sorry, something went wrong.</html>").into_response();
            if let Some(seconds) = retry_after {
                answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            answer
        }
    }
}

/// In the ledger, told, its receipts on their way; the answer may still be withheld.
fn accept(platform: &Arc<Platform>, sent: Sent, failing: Option<i64>) -> Response {
    let contact = match &sent.wa_id {
        Some(wa_id) => json!({"input": sent.to, "wa_id": wa_id}),
        None => json!({"input": sent.to, "user_id": sent.user_id}),
    };
    let answer = json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": sent.wamid}]});
    let wamid = sent.wamid.clone();
    let event = Event::BotMessage {
        phone_number_id: sent.phone_number_id.clone(),
        customer: sent.customer.clone(),
        wamid: wamid.clone(),
        text: sent.line(),
    };
    platform.change(|s| s.ledger.accept(sent));
    platform.tell(event);
    platform.begin_receipts(&wamid, failing);
    Json(answer).into_response()
}

fn refuse(platform: &Platform, number: &str, body: Value, error: GraphError) -> Response {
    note_refusal(platform, number, body, Some(error.status), Some(error.code), &error.details);
    error.into_response()
}

fn note_refusal(p: &Platform, number: &str, body: Value, status: Option<u16>, code: Option<i64>, reason: &str) {
    let refused = Refused {
        at: Timestamp::now(),
        phone_number_id: number.to_owned(),
        status,
        code,
        reason: reason.to_owned(),
        body,
    };
    p.change(|s| s.ledger.refused.push(refused));
    p.tell(Event::Refused { phone_number_id: number.to_owned(), reason: reason.to_owned() });
}

// === Metadata ===

#[derive(Deserialize)]
struct Fields {
    fields: Option<String>,
}

async fn metadata(
    State(platform): State<Arc<Platform>>,
    Path((version, id)): Path<(String, String)>,
    Query(Fields { fields }): Query<Fields>,
    headers: HeaderMap,
) -> Response {
    let number = match authorised(&platform, &version, &id, &headers) {
        Ok(number) => number,
        Err(error) => return error.into_response(),
    };
    let known = json!({
        "verified_name": "Wigwag Simulator",
        "display_phone_number": number.display_phone_number,
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {"application": number.webhook_url},
    });
    let fields = fields.unwrap_or_else(|| "verified_name,display_phone_number,quality_rating".to_owned());
    let mut answer = Map::new();
    for field in fields.split(',').filter(|f| *f != "id") {
        match known.get(field) {
            Some(value) => answer.insert(field.to_owned(), value.clone()),
            None => {
                let details = format!("Tried accessing nonexisting field ({field}).");
                return GraphError::invalid_parameter(details).into_response();
            }
        };
    }
    answer.insert("id".to_owned(), json!(number.phone_number_id));
    Json(Value::Object(answer)).into_response()
}
