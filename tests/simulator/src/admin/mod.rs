//! `/sim/*`: the simulator driven with curl from another process.
//!
//! | call | what it does |
//! | --- | --- |
//! | `POST /sim/numbers` | registers a [`Number`] |
//! | `POST /sim/numbers/{id}/verify` | the GET handshake with its webhook |
//! | `POST /sim/connect` | `{"host", "addresses": ["IP:PORT"], "spread"?}`: where webhooks for a host go |
//! | `POST /sim/templates` | registers a [`Template`] in Meta's own form; from the first one on, sends are held against them |
//! | `POST /sim/customers/{phone}/messages` | a customer writes, taps or fills in a form: see below |
//! | `GET /sim/conversation/{phone}` | what both wrote, in order, with receipts |
//! | `GET /sim/ledger` | the whole [`Ledger`] |
//! | `GET /sim/stats` | counts, and messages accepted twice |
//! | `POST /sim/faults`, `DELETE` | adds [`Rule`]s `{"sends": […], "messages": […], "statuses": […]}`; forgets all |
//! | `POST /sim/receipts` | `{"policy": "none" \| "sent" \| "all"}` |
//! | `POST /sim/statuses` | `{"wamid", "status": "delivered"}` (or `{"failed": 131026}`): one receipt by hand |
//! | `GET /sim/endpoint`, `DELETE` | the calls to `/http/*`, how often each `Idempotency-Key` was used; forgets all rules |
//! | `POST /sim/endpoint` | adds an [`EndpointRule`], such as `{"method": "GET", "path": "/orders/7", "answer": {"reply": {"body": {…}}}}` |
//! | `GET /sim/held`, `POST /sim/release` | held answers; `{"wamid"?}` releases one, or all |
//! | `POST /sim/pause` | `{"for_ms", "discard"?}`: listens without accepting for so long |
//! | `POST /sim/load` | runs a [`LoadPlan`] to its end |
//!
//! A customer's message is one of `{"text": "hola"}`, `{"tap": "Comprar"}`, `{"tap": 1}`, `{"form": {"slot": "9"}}`, or
//! the object of any other type under its name: `{"image": {"caption": "foto"}}`, `{"location": {"latitude": 40.4,
//! "longitude": -3.7}}`, `{"contacts": […]}`, `{"order": {…}}` (one that is not known yet: `{"type": KIND, KIND: …}`).
//! Beside it may stand `name`, `number`, `wait_ms` (how long to wait for an answer), `on` (the wamid of the message that
//! is tapped, filled in or quoted; without it a tap or a form is about the last one), and any other field of Meta's,
//! such as `referral`.

mod customers;
mod disturbances;
mod endpoint;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Ledger, Line, LoadPlan, LoadReport, Number, Platform, Spread, Template};

type Shared = State<Arc<Platform>>;
type Answer<T> = Result<Json<T>, Problem>;

pub(crate) fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .route("/numbers", post(register))
        .route("/numbers/{id}/verify", post(verify))
        .route("/connect", post(connect))
        .route("/templates", post(register_template))
        .route("/customers/{phone}/messages", post(customers::write))
        .route("/conversation/{phone}", get(conversation))
        .route("/ledger", get(ledger))
        .route("/stats", get(stats))
        .route("/faults", post(disturbances::add_faults).delete(disturbances::clear_faults))
        .route("/receipts", post(disturbances::receipts))
        .route("/statuses", post(disturbances::status))
        .route("/endpoint", get(endpoint::calls).post(endpoint::add).delete(endpoint::clear))
        .route("/held", get(disturbances::held))
        .route("/release", post(disturbances::release))
        .route("/pause", post(disturbances::pause))
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

async fn register_template(State(platform): Shared, Json(template): Json<Template>) -> Json<Template> {
    platform.register_template(template.clone());
    Json(template)
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

// === Looking ===

async fn conversation(State(platform): Shared, Path(phone): Path<String>) -> Json<Vec<Line>> {
    Json(platform.conversation(&phone))
}

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
        "endpoint_calls": ledger.endpoint_calls.len(),
        "endpoint_repeated": ledger.calls_by_key().into_iter().filter(|(_, calls)| *calls > 1).collect::<Vec<_>>(),
    }))
}

async fn load(State(platform): Shared, Json(plan): Json<LoadPlan>) -> Answer<LoadReport> {
    Ok(Json(platform.load(plan)?.finish().await?))
}
