//! `POST /api/webhook?flowId=NAME`: a program starts a Flow with a contact, as the editor's backend has it: its aliases,
//! its answers, its errors (`{"success": false, "error": …}`).
//!
//! Where a conversation of that Flow is open and listens, `variables` are set and what the program says is said in it;
//! else one begins, with `variables` there from the first node. 200 after the commit.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{FromRequestParts, Query, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tracing::info;
use uuid::Uuid;
use wigwag_domain::{
    ContactId, Content, InboundId, ProviderName, Sender, SessionId, SignalId, Tap, TapKind, cut, digits,
};
use wigwag_store::{contact, inbound};

use super::{
    Api,
    auth::{self, Meant},
    body,
    error::ApiError,
    sessions, unsent_message,
};
use crate::{config::Tenant, signals::Told};

/// How long after a customer's message an account may answer it freely.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The longest name that is kept, in UTF-16 units.
const NAME: usize = 256;

/// What may stand in the query.
#[derive(Default, Deserialize)]
struct Asked {
    #[serde(rename = "flowId")]
    flow: Option<String>,
    token: Option<String>,
}

/// What the body says, by whichever of its names.
struct Start {
    phone: Option<String>,
    name: Option<String>,
    content: Content,
    variables: Map<String, Value>,
    token: Option<String>,
}

/// A start that may be.
struct Admitted {
    flow: String,
    /// Digits.
    phone: String,
    /// The accounts that can speak; at least one.
    accounts: Vec<ProviderName>,
}

pub(super) async fn start(State(api): State<Api>, request: Request) -> Response {
    match begin(&api, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => {
            error.log(Uuid::now_v7());
            let mut response = (error.status, Json(json!({"success": false, "error": error.message}))).into_response();
            response.headers_mut().extend(error.headers().map(|(name, value)| (Some(name), value)));
            response
        }
    }
}

async fn begin(api: &Api, request: Request) -> Result<Value, ApiError> {
    let (mut parts, body) = request.into_parts();
    let Meant(tenant) = Meant::from_request_parts(&mut parts, api).await?;
    let Query(asked) = Query::<Asked>::try_from_uri(&parts.uri).unwrap_or_default();
    let start = Start::read(body).await?;
    let Admitted { flow, phone, accounts } = admit(&tenant, &parts.headers, asked, &start)?;
    let contact = resolve(api, &tenant, &phone, start.name.clone()).await?;
    let id = SignalId(Uuid::now_v7());
    let session = match open(api, contact, &flow).await? {
        Some(open) => open,
        None => SessionId::begun_by(InboundId(id.0), &flow),
    };
    let account = account(api, contact, accounts).await?;
    let message = Box::new(unsent_message(&tenant, &account, format!("+{phone}"), start.name, start.content));
    let told = Told::Start { flow: flow.clone(), message, variables: start.variables };
    api.tell(&[told.signal(Some(id), &tenant.key, contact, None)]).await?;
    info!(tenant = %tenant.key, %contact, flow, %session, "flow started by hand");
    Ok(json!({"success": true, "flowId": flow, "sessionId": session, "contactId": contact}))
}

/// Whether this start may be and can be. The token is looked at before anything that tells of the tenant.
fn admit(tenant: &Tenant, headers: &HeaderMap, asked: Asked, start: &Start) -> Result<Admitted, ApiError> {
    let flow = asked.flow.filter(|flow| !flow.is_empty());
    let flow = flow.ok_or_else(|| ApiError::invalid("flowId is missing: name the Flow in the query"))?;
    let own = headers.get("x-webhook-token").and_then(|value| value.to_str().ok());
    let tokens = [own, auth::bearer(headers), asked.token.as_deref(), start.token.as_deref()];
    if !tokens.into_iter().flatten().any(|token| may_start(tenant, token)) {
        let message = "the token is missing or wrong: send the verify token of one of the tenant's accounts, or an API \
                       token, as X-Webhook-Token";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", message));
    }
    let phone = start.phone.as_deref().ok_or_else(no_phone)?;
    let phone = digits(phone)
        .ok_or_else(|| ApiError::invalid(format!("from: {phone:?} is no phone number: write it as +34600111222")))?;
    let program = tenant.flows.iter().map(|loaded| &loaded.program).find(|program| program.name() == flow);
    if program.ok_or_else(|| ApiError::not_found("Flow not found"))?.is_suspended() {
        return Err(ApiError::conflict("Flow is not active"));
    }
    let usable = tenant.channels.values().filter(|channel| channel.adapter.is_some());
    let accounts: Vec<ProviderName> = usable.map(|channel| channel.name.clone()).collect();
    if accounts.is_empty() {
        return Err(no_account());
    }
    Ok(Admitted { flow, phone, accounts })
}

fn may_start(tenant: &Tenant, token: &str) -> bool {
    let mut adapters = tenant.channels.values().filter_map(|channel| channel.adapter.as_ref());
    tenant.tokens.allow(token) || adapters.any(|adapter| adapter.is_verify_token(token))
}

fn no_phone() -> ApiError {
    ApiError::invalid("from is missing: the contact's phone number")
}

fn no_account() -> ApiError {
    ApiError::conflict("Tenant is not configured for WhatsApp")
}

/// Who has this number; a new contact where it is nobody's.
async fn resolve(api: &Api, tenant: &Arc<Tenant>, phone: &str, name: Option<String>) -> Result<ContactId, ApiError> {
    let sender = Sender { phone: Some(phone.to_owned()), user_id: None, name };
    let mut transaction = api.pool.begin().await.map_err(wigwag_store::Error::from)?;
    let resolved = contact::resolve(&mut transaction, &[(tenant.key.clone(), sender)]).await?;
    transaction.commit().await.map_err(wigwag_store::Error::from)?;
    resolved.contacts.first().copied().ok_or_else(no_phone)
}

/// The contact's open session in this Flow, which must be one that can be spoken to. While people speak with the contact,
/// no Flow does.
async fn open(api: &Api, contact: ContactId, flow: &str) -> Result<Option<SessionId>, ApiError> {
    let open = sessions::open_without_people(api, contact, None).await?;
    let Some(session) = open.into_iter().find(|session| session.flow == flow) else { return Ok(None) };
    let listens = session.waiting_since().is_some() || session.holds_messages_until().is_some();
    if !listens {
        let waits = session.waits_for().unwrap_or("nothing");
        let message = format!(
            "the contact's session of this Flow takes no messages now (it waits for {waits}): resume it, or end it first"
        );
        return Err(ApiError::conflict(message));
    }
    Ok(Some(session.id))
}

/// The account that speaks: the one by which the contact wrote last, else the first.
async fn account(api: &Api, contact: ContactId, accounts: Vec<ProviderName>) -> Result<ProviderName, ApiError> {
    let of: Vec<_> = accounts.iter().map(|account| (contact, account.clone())).collect();
    let newest = inbound::newest(&api.pool, &of, Timestamp::now() - WINDOW).await?;
    let last = newest.into_iter().max_by_key(|(_, id)| *id).map(|((_, account), _)| account);
    last.or_else(|| accounts.into_iter().next()).ok_or_else(no_account)
}

impl Start {
    async fn read(body: Body) -> Result<Self, ApiError> {
        match body::json(body).await? {
            Value::Null => Self::of(&Map::new()),
            Value::Object(fields) => Self::of(&fields),
            _ => Err(ApiError::invalid("the body is no JSON object")),
        }
    }

    fn of(fields: &Map<String, Value>) -> Result<Self, ApiError> {
        let variables = match fields.get("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => body::variables(variables.clone())?,
            Some(_) => return Err(ApiError::invalid("variables: not an object: write {\"name\": value}")),
        };
        let profile = fields.get("profile").and_then(|profile| text(profile.get("name")?));
        let said = first(fields, &["message", "text", "keyword", "trigger", "input", "body"]);
        Ok(Self {
            phone: first(fields, &["from", "phone", "wa_id", "waId"]),
            name: first(fields, &["name", "fullName", "contactName"])
                .or(profile)
                .map(|name| cut(&name, NAME).into_owned()),
            content: tap(fields, said.as_deref()).unwrap_or_else(|| Content::Text { text: said.unwrap_or_default() }),
            variables,
            token: first(fields, &["token"]),
        })
    }
}

/// A tap, where the body has one.
fn tap(fields: &Map<String, Value>, said: Option<&str>) -> Option<Content> {
    let interactive = fields.get("interactive")?.as_object()?;
    let (id, title) = (interactive.get("id").and_then(text), interactive.get("title").and_then(text));
    if id.is_none() && title.is_none() {
        return None;
    }
    let kind = match interactive.get("type").and_then(Value::as_str) {
        Some("list_reply") => TapKind::ListReply,
        _ => TapKind::ButtonReply,
    };
    let title = title.or_else(|| said.map(str::to_owned)).unwrap_or_default();
    Some(Content::Tap(Tap { kind, id: id.unwrap_or_default(), title, description: None }))
}

/// The first of these fields that says something.
fn first(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| text(fields.get(*name)?))
}

/// Words, numbers, or the provider's `{"body": …}`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(fields) => text(fields.get("body")?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(value: Value) -> Start {
        let Value::Object(fields) = value else { unreachable!("a test's own object") };
        Start::of(&fields).unwrap()
    }

    #[test]
    fn every_alias_of_the_contract_is_read() {
        for name in ["from", "phone", "wa_id", "waId"] {
            assert_eq!(read(json!({name: "34600111222"})).phone.as_deref(), Some("34600111222"), "{name}");
        }
        for name in ["message", "text", "keyword", "trigger", "input", "body"] {
            assert_eq!(read(json!({name: "hola"})).content, Content::Text { text: "hola".to_owned() }, "{name}");
        }
        for name in ["name", "fullName", "contactName"] {
            assert_eq!(read(json!({name: "Ana"})).name.as_deref(), Some("Ana"), "{name}");
        }
        assert_eq!(read(json!({"profile": {"name": "Ana"}})).name.as_deref(), Some("Ana"));
        assert_eq!(read(json!({"from": 34600111222_u64})).phone.as_deref(), Some("34600111222"));
        assert_eq!(read(json!({"text": {"body": "hola"}})).content.text(), "hola");
    }

    #[test]
    fn an_empty_alias_leaves_its_place_to_the_next() {
        let start = read(json!({"from": " ", "phone": "34600111222", "message": "", "text": "hola"}));
        assert_eq!((start.phone.as_deref(), start.content.text()), (Some("34600111222"), "hola"));
    }

    #[test]
    fn an_interactive_answer_is_a_tap_with_the_words_that_the_customer_saw() {
        let Content::Tap(tap) =
            read(json!({"interactive": {"type": "list_reply", "id": "l", "title": "Large"}})).content
        else {
            unreachable!("a tap")
        };
        assert_eq!((tap.kind, tap.id.as_str(), tap.title.as_str()), (TapKind::ListReply, "l", "Large"));
        assert_eq!(read(json!({"interactive": {"id": "s"}, "text": "Small"})).content.text(), "Small");
        assert_eq!(read(json!({"interactive": {}, "text": "Small"})).content.kind(), "text");
    }

    #[test]
    fn variables_are_an_object() {
        let fields = json!({"variables": [1]});
        assert!(Start::of(fields.as_object().unwrap()).is_err());
        assert_eq!(read(json!({"variables": {"plan": "gold"}})).variables["plan"], "gold");
    }
}
