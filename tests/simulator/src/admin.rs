//! `/sim/*`: the simulator driven with curl from another process.
//!
//! | call | what it does |
//! | --- | --- |
//! | `POST /sim/numbers` | registers a [`Number`] |
//! | `POST /sim/numbers/{id}/verify` | the GET handshake with its webhook |
//! | `POST /sim/connect` | `{"host", "addresses": ["IP:PORT"], "spread"?}`: where webhooks for a host go |
//! | `POST /sim/customers/{phone}/messages` | `{"text": "hola"}`, `{"tap": "Comprar"}`, `{"tap": 1}` or `{"type": "image", "image": {…}}`, with `name`, `number` and `wait_ms` (how long to wait for an answer) beside |
//! | `GET /sim/conversation/{phone}` | what both wrote, in order, with receipts |
//! | `GET /sim/ledger` | the whole [`Ledger`] |
//! | `GET /sim/stats` | counts, and messages accepted twice |
//! | `POST /sim/faults`, `DELETE` | adds [`Rule`]s `{"sends": […], "messages": […], "statuses": […]}`; forgets all |
//! | `POST /sim/receipts` | `{"policy": "none" \| "sent" \| "all"}` |
//! | `POST /sim/statuses` | `{"wamid", "status": "delivered"}` (or `{"failed": 131026}`): one receipt by hand |
//! | `GET /sim/held`, `POST /sim/release` | held answers; `{"wamid"?}` releases one, or all |
//! | `POST /sim/pause` | `{"for_ms", "discard"?}`: listens without accepting for so long |
//! | `POST /sim/load` | runs a [`LoadPlan`] to its end |

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::{
    Backlog, Choice, Customer, Inbound, Ledger, Line, LoadPlan, LoadReport, Number, Platform, Posted, Receipts, Rule,
    SendFault, Sent, Spread, Status, WebhookFault,
};

type Shared = State<Arc<Platform>>;
type Answer<T> = Result<Json<T>, Problem>;

pub(crate) fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .route("/numbers", post(register))
        .route("/numbers/{id}/verify", post(verify))
        .route("/connect", post(connect))
        .route("/customers/{phone}/messages", post(write))
        .route("/conversation/{phone}", get(conversation))
        .route("/ledger", get(ledger))
        .route("/stats", get(stats))
        .route("/faults", post(add_faults).delete(clear_faults))
        .route("/receipts", post(receipts))
        .route("/statuses", post(status))
        .route("/held", get(held))
        .route("/release", post(release))
        .route("/pause", post(pause))
        .route("/load", post(load))
        .with_state(platform)
}

/// A call that could not be done: 400 with the reason in words.
struct Problem(anyhow::Error);

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"error": format!("{:#}", self.0)}))).into_response()
    }
}

// === Numbers ===

async fn register(State(platform): Shared, Json(number): Json<Number>) -> Answer<Number> {
    platform.register(number.clone())?;
    Ok(Json(number))
}

async fn verify(State(platform): Shared, Path(id): Path<String>) -> Answer<Value> {
    platform.verify(&id).await?;
    Ok(Json(json!({"verified": true})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connect {
    host: String,
    addresses: Vec<SocketAddr>,
    spread: Option<Spread>,
}

async fn connect(State(platform): Shared, Json(connect): Json<Connect>) -> Json<Value> {
    platform.connect(&connect.host, &connect.addresses);
    if let Some(spread) = connect.spread {
        platform.set_spread(spread);
    }
    Json(json!({"host": connect.host, "addresses": connect.addresses}))
}

// === Customers ===

async fn write(
    State(platform): Shared,
    Path(phone): Path<String>,
    Json(mut message): Json<Map<String, Value>>,
) -> Answer<Value> {
    let number = match message.remove("number") {
        Some(Value::String(number)) => number,
        _ => platform.only_number()?,
    };
    let name = message.remove("name").and_then(|n| n.as_str().map(str::to_owned));
    let name = name.or_else(|| Some(platform.state().profile(&phone)?.name.clone()));
    let wait = message.remove("wait_ms").and_then(|ms| ms.as_u64()).unwrap_or(0);
    let customer = platform.customer(&number, &phone, name.as_deref().unwrap_or("Customer"))?;

    let posted = write_as(&customer, message).await?;
    let mut replies: Vec<String> = Vec::new();
    // The first answer within the time asked for; what belongs to it comes close behind.
    let mut patience = Duration::from_millis(wait);
    while let Ok(reply) = customer.reply(patience).await {
        replies.push(reply.line());
        patience = patience.min(Duration::from_millis(300));
    }
    Ok(Json(json!({"posted": posted, "replies": replies})))
}

async fn write_as(customer: &Customer, mut message: Map<String, Value>) -> anyhow::Result<Posted> {
    if let Some(Value::String(text)) = message.get("text") {
        return customer.say(text).await;
    }
    match message.remove("tap") {
        None => {}
        Some(Value::String(title)) => return customer.tap(title.as_str()).await,
        Some(place) => {
            let place = place.as_u64().context("tap is an option's title, its id, or its place from 1")?;
            return customer.tap(Choice::Place(place as usize)).await;
        }
    }
    let Some(Value::String(kind)) = message.remove("type") else {
        bail!("write {{\"text\": …}}, {{\"tap\": …}}, or {{\"type\": KIND, KIND: …}}")
    };
    let content = message.remove(&kind).with_context(|| format!("type {kind:?} without {kind:?} beside"))?;
    let inbound = message.into_iter().fold(Inbound::of(kind, content), |m, (key, value)| m.with(key, value));
    customer.post(inbound).await
}

async fn conversation(State(platform): Shared, Path(phone): Path<String>) -> Json<Vec<Line>> {
    Json(platform.conversation(&phone))
}

// === Looking ===

async fn ledger(State(platform): Shared) -> Json<Ledger> {
    Json(platform.ledger())
}

async fn stats(State(platform): Shared) -> Json<Value> {
    let held = platform.held().len();
    let ledger = platform.ledger();
    Json(json!({
        "customer_messages": ledger.customer_messages.len(),
        "sends": ledger.sends.len(),
        "duplicates": ledger.duplicates(),
        "wrong_country": ledger.sends.iter().filter(|s| s.wrong_country).count(),
        "refused": ledger.refused.len(),
        "held": held,
        "webhooks": ledger.deliveries.len(),
        "webhook_attempts": ledger.deliveries.iter().map(|d| d.attempts.len()).sum::<usize>(),
        "webhooks_acknowledged": ledger.deliveries.iter().filter(|d| d.acknowledged_at.is_some()).count(),
        "webhooks_pending": ledger.pending_webhooks(),
        "dropped": ledger.dropped.len(),
    }))
}

// === Faults ===

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Faults {
    sends: Vec<Rule<SendFault>>,
    messages: Vec<Rule<WebhookFault>>,
    statuses: Vec<Rule<WebhookFault>>,
}

async fn add_faults(State(platform): Shared, Json(faults): Json<Faults>) -> StatusCode {
    faults.sends.into_iter().for_each(|rule| platform.fail_sends(rule));
    faults.messages.into_iter().for_each(|rule| platform.disturb_messages(rule));
    faults.statuses.into_iter().for_each(|rule| platform.disturb_statuses(rule));
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(platform): Shared) -> StatusCode {
    platform.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct ReceiptPolicy {
    policy: Receipts,
}

async fn receipts(State(platform): Shared, Json(body): Json<ReceiptPolicy>) -> StatusCode {
    platform.set_receipts(body.policy);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct OneStatus {
    wamid: String,
    status: Status,
}

async fn status(State(platform): Shared, Json(body): Json<OneStatus>) -> Answer<Posted> {
    Ok(Json(platform.post_status(&body.wamid, body.status).await?))
}

async fn held(State(platform): Shared) -> Json<Vec<Sent>> {
    Json(platform.held())
}

#[derive(Deserialize)]
struct Release {
    wamid: Option<String>,
}

async fn release(State(platform): Shared, Json(body): Json<Release>) -> Json<Value> {
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
struct Pause {
    for_ms: u64,
    #[serde(default)]
    discard: bool,
}

/// The gate closes after this answer, which a closed gate would not let out, and opens by itself: nobody could ask for it.
async fn pause(State(platform): Shared, Json(pause): Json<Pause>) -> StatusCode {
    let backlog = if pause.discard { Backlog::Discard } else { Backlog::Serve };
    let shared = platform.clone();
    platform.spawn(async move {
        shared.pause_accepting().await;
        sleep(Duration::from_millis(pause.for_ms)).await;
        shared.resume_accepting(backlog);
    });
    StatusCode::NO_CONTENT
}

async fn load(State(platform): Shared, Json(plan): Json<LoadPlan>) -> Answer<LoadReport> {
    Ok(Json(platform.load(plan)?.finish().await?))
}
