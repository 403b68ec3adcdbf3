//! `/http/*`: somebody else's HTTP service, for flows that call out. It is no part of Graph.
//!
//! A call is answered as the first [`EndpointRule`] says that meets it, else with itself as JSON: `{"method", "path",
//! "query", "headers", "body"}`. Every call is in the ledger, also those that got no answer.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use futures::stream;
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{EndpointCall, Platform, server::Hangup};

/// What an [`EndpointRule`] does with a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointAnswer {
    /// Answers with the call itself.
    #[default]
    Echo,
    /// Answers this.
    Reply {
        /// HTTP status.
        #[serde(default = "ok")]
        status: u16,
        /// Headers beside `Content-Type`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Text goes out as it is, null as nothing, anything else as JSON.
        #[serde(default)]
        body: Value,
    },
    /// Points elsewhere.
    Redirect {
        /// `Location`.
        to: String,
        /// HTTP status.
        #[serde(default = "found")]
        status: u16,
    },
    /// Closes the connection when it has the request's head, without reading the body.
    Close,
    /// Reads the whole request and closes the connection without an answer: whether it was done, nobody can tell.
    CloseAfterReading,
    /// Answers 200 with half of the body that it announces, and closes the connection.
    CutOff,
    /// Reads the whole request and never answers.
    Hang,
    /// Answers 200 and a body without end.
    Endless,
}

fn ok() -> u16 {
    200
}

fn found() -> u16 {
    302
}

/// Which calls get which answer. Rules with `times` go first, in the order in which they came; among the others the
/// newest goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointRule {
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only this path behind `/http`, such as `/orders/7`; `/orders/*` is any that begins so.
    #[serde(default)]
    pub path: Option<String>,
    /// So often, then no more.
    #[serde(default)]
    pub times: Option<u32>,
    /// Milliseconds between the whole request and what is done with it.
    #[serde(default)]
    pub delay_ms: u64,
    /// What is done with it.
    pub answer: EndpointAnswer,
}

impl EndpointRule {
    /// Answers every call of `method` to `path` with 200 and this body.
    pub fn reply(method: &str, path: &str, body: Value) -> Self {
        let answer = EndpointAnswer::Reply { status: 200, headers: BTreeMap::new(), body };
        Self { method: Some(method.to_owned()), ..Self::at(path, answer) }
    }

    /// Does this with every call to `path`.
    pub fn at(path: &str, answer: EndpointAnswer) -> Self {
        Self { path: Some(path.to_owned()), answer, ..Self::default() }
    }

    /// So often, then no more.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// So much later.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay_ms: delay.as_millis() as u64, ..self }
    }

    fn meets(&self, method: &str, path: &str) -> bool {
        let path_meets = |wanted: &str| match wanted.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == wanted,
        };
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(path_meets)
    }
}

impl Platform {
    /// What stands before a path in a flow: `http://ADDRESS:PORT/http`, no slash at the end.
    pub fn endpoint_url(&self) -> String {
        format!("{}/http", self.graph_url())
    }

    /// Answers calls to the endpoint as this rule says, from now on.
    pub fn answer_calls(&self, rule: EndpointRule) {
        self.change(|s| s.endpoint.push(rule));
    }

    /// Forgets all rules of the endpoint: calls are echoed.
    pub fn clear_calls(&self) {
        self.change(|s| s.endpoint.clear());
    }

    fn endpoint_rule(&self, method: &str, path: &str) -> EndpointRule {
        let mut state = self.state();
        let rules = &mut state.endpoint;
        let counted = rules.iter().position(|rule| rule.times.is_some() && rule.meets(method, path));
        let place = counted.or_else(|| rules.iter().rposition(|rule| rule.meets(method, path)));
        let Some(place) = place else { return EndpointRule::default() };
        let rule = rules[place].clone();
        if let Some(left) = &mut rules[place].times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                rules.remove(place);
            }
        }
        rule
    }
}

pub(crate) fn router(platform: Arc<Platform>) -> Router {
    // Routes, not a fallback: Graph's `/{version}/{phone-number-id}` would go before that.
    Router::new().route("/", any(answer)).route("/{*path}", any(answer)).with_state(platform)
}

async fn answer(State(platform): State<Arc<Platform>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let rule = platform.endpoint_rule(parts.method.as_str(), parts.uri.path());
    if rule.answer == EndpointAnswer::Close {
        platform.note_call(&parts, None);
        return hang_up();
    }
    // A sender that goes away within its own request has not made it.
    let Ok(body) = body.collect().await else { return hang_up() };
    let call = platform.note_call(&parts, Some(&body.to_bytes()));
    sleep(Duration::from_millis(rule.delay_ms)).await;

    let response = match rule.answer {
        EndpointAnswer::Echo => echo(&platform, call),
        EndpointAnswer::Reply { status, headers, body } => reply(status, &headers, body),
        EndpointAnswer::Redirect { to, status } => {
            reply(status, &BTreeMap::from([("location".to_owned(), to)]), Value::Null)
        }
        EndpointAnswer::Close | EndpointAnswer::CloseAfterReading => return hang_up(),
        EndpointAnswer::Hang => std::future::pending().await,
        EndpointAnswer::CutOff => {
            let half = [Ok(Bytes::from_static(b"{\"half\": ")), Err(io::Error::other("cut off as a rule says"))];
            let length = [(header::CONTENT_LENGTH, "18"), (header::CONTENT_TYPE, "application/json")];
            (length, Body::from_stream(stream::iter(half))).into_response()
        }
        EndpointAnswer::Endless => {
            let chunk = Bytes::from(vec![b'x'; 16 * 1024]);
            Body::from_stream(stream::repeat_with(move || Ok::<_, io::Error>(chunk.clone()))).into_response()
        }
    };
    let status = response.status().as_u16();
    platform.change(|s| s.ledger.endpoint_calls[call].answered = Some(status));
    response
}

fn reply(status: u16, headers: &BTreeMap<String, String>, body: Value) -> Response {
    let mut response = match body {
        Value::Null => ().into_response(),
        Value::String(text) => text.into_response(),
        json => Json(json).into_response(),
    };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        // What cannot stand in a header is left out: the rule's author sees that it is missing.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn echo(platform: &Platform, call: usize) -> Response {
    let call = platform.state().ledger.endpoint_calls[call].clone();
    let EndpointCall { method, path, query, headers, body, .. } = call;
    Json(json!({"method": method, "path": path, "query": query, "headers": headers, "body": body})).into_response()
}

fn hang_up() -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Hangup);
    response
}

impl Platform {
    /// The place of the call in the ledger.
    fn note_call(&self, parts: &Parts, body: Option<&Bytes>) -> usize {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &parts.headers {
            let known = headers.entry(name.as_str().to_owned()).or_default();
            *known = if known.is_empty() { text(value) } else { format!("{known}, {}", text(value)) };
        }
        let body = body.map(|raw| {
            let text = || Value::String(String::from_utf8_lossy(raw).into_owned());
            if raw.is_empty() { Value::Null } else { serde_json::from_slice(raw).unwrap_or_else(|_| text()) }
        });
        self.change(|s| {
            let call = EndpointCall {
                order: s.ledger.next_order(),
                at: Timestamp::now(),
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().map(str::to_owned),
                idempotency_key: headers.get("idempotency-key").cloned(),
                headers,
                read: body.is_some(),
                body: body.unwrap_or_default(),
                answered: None,
            };
            s.ledger.endpoint_calls.push(call);
            s.ledger.endpoint_calls.len() - 1
        })
    }
}
