//! What people do to conversations: end, restart, move and release one, and end those of a Flow.
//!
//! `202 {"accepted": true}` after the commit: the lane's owner steps the session in its turn, as a rule within
//! milliseconds. What the session was like when it was asked for is checked before: 409 where it is over or with
//! nobody, 422 for a node that its revision does not have. A session that moved on in between ignores it.

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tracing::info;
use uuid::Uuid;
use wigwag_domain::{Content, SessionId, SignalId};
use wigwag_flow::Session;
use wigwag_store::session_view::{self, SessionView};

use super::{
    Api,
    auth::Allowed,
    body,
    error::ApiError,
    sessions::{self, Named},
    unsent_message,
};
use crate::{config::Tenant, signals::Told};

/// Sessions that are told at once, where a Flow's are ended.
const BATCH: i64 = 500;

type Accepted = Result<(StatusCode, Json<Value>), ApiError>;

#[derive(Deserialize)]
struct Move {
    node: String,
}

#[derive(Deserialize)]
struct Release {
    to: String,
    #[serde(default)]
    variables: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct OfFlow {
    flow: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfRevision {
    revision: Option<String>,
}

/// A session that is open.
struct Open {
    view: SessionView,
    session: Session,
}

pub(super) async fn end(
    State(api): State<Api>,
    Allowed(tenant): Allowed,
    Path(Named { session }): Path<Named>,
) -> Accepted {
    let open = open(&api, &tenant, &session).await?;
    tell(&api, &tenant, &open, &Told::End, None).await
}

/// Begins it anew with the message that began it, on the newest revision of its Flow.
pub(super) async fn restart(
    State(api): State<Api>,
    Allowed(tenant): Allowed,
    Path(Named { session }): Path<Named>,
) -> Accepted {
    let open = open(&api, &tenant, &session).await?;
    let Open { view, session } = &open;
    let program = tenant.flows.iter().map(|loaded| &loaded.program).find(|program| program.name() == session.flow);
    match program {
        None => {
            let message = format!("Flow {:?} does not run any more: end the session instead", session.flow);
            return Err(ApiError::conflict(message));
        }
        Some(program) if program.is_suspended() => {
            return Err(ApiError::conflict(format!("Flow {:?} is suspended: it takes no new sessions", session.flow)));
        }
        Some(_) => {}
    }
    sessions::open_without_people(&api, view.contact, Some(session.id)).await?;
    let id = SignalId(Uuid::now_v7());
    let from = view.phone.as_ref().map(|digits| format!("+{digits}")).unwrap_or_default();
    let text = session.context()["triggerMessage"].as_str().unwrap_or_default().to_owned();
    let content = Content::Text { text };
    let message = unsent_message(&tenant, &session.provider, from, view.name.clone(), content);
    tell(&api, &tenant, &open, &Told::Restart { message: Box::new(message) }, Some(id)).await
}

pub(super) async fn move_to(
    State(api): State<Api>,
    Allowed(tenant): Allowed,
    Path(Named { session }): Path<Named>,
    body: Body,
) -> Accepted {
    let Move { node } = read(body, "{\"node\": NAME}").await?;
    let open = open(&api, &tenant, &session).await?;
    has_node(&api, &tenant, &open.session, &node).await?;
    tell(&api, &tenant, &open, &Told::Move { node }, None).await
}

pub(super) async fn release(
    State(api): State<Api>,
    Allowed(tenant): Allowed,
    Path(Named { session }): Path<Named>,
    body: Body,
) -> Accepted {
    let Release { to, variables } = read(body, "{\"to\": \"next\" | \"end\" | NODE, \"variables\": {}}").await?;
    let variables = body::variables(variables)?;
    let open = open(&api, &tenant, &session).await?;
    if !open.session.is_with_people() {
        let waits = open.session.waits_for().unwrap_or("nothing");
        return Err(ApiError::conflict("the session is not with people: move it, or resume it by its URL")
            .with(json!({"waitsFor": waits})));
    }
    if !matches!(to.as_str(), "next" | "end") {
        has_node(&api, &tenant, &open.session, &to).await?;
    }
    tell(&api, &tenant, &open, &Told::Release { to, variables }, None).await
}

/// Ends all open sessions of a Flow, or those of one of its revisions, and answers how many.
pub(super) async fn end_all(
    State(api): State<Api>,
    Allowed(tenant): Allowed,
    Path(OfFlow { flow }): Path<OfFlow>,
    asked: Result<Query<OfRevision>, QueryRejection>,
) -> Accepted {
    let Query(OfRevision { revision }) = asked.map_err(|error| ApiError::invalid(error.body_text()))?;
    let mut told = 0;
    let mut last = SessionId(Uuid::nil());
    loop {
        let open = session_view::open_of_flow(&api.pool, &tenant.key, &flow, revision.as_deref(), last, BATCH).await?;
        let Some((newest, _)) = open.last() else { break };
        last = *newest;
        let end = |(session, contact): &(SessionId, _)| Told::End.signal(None, &tenant.key, *contact, Some(*session));
        told += api.tell(&open.iter().map(end).collect::<Vec<_>>()).await?;
        if i64::try_from(open.len()).is_ok_and(|read| read < BATCH) {
            break;
        }
    }
    if told == 0 && !tenant.flows.iter().any(|loaded| loaded.program.name() == flow) {
        return Err(ApiError::not_found(format!("the tenant has no Flow {flow:?}, and no open session of one")));
    }
    info!(tenant = %tenant.key, flow, revision, sessions = told, "sessions of a flow are ended");
    Ok((StatusCode::ACCEPTED, Json(json!({"accepted": true, "sessions": told}))))
}

async fn open(api: &Api, tenant: &Tenant, id: &str) -> Result<Open, ApiError> {
    let view = sessions::read(api, &tenant.key, id).await?;
    let unreadable = || ApiError::conflict("this version does not read the session: it is a later one's");
    let session = sessions::parse(&view).ok_or_else(unreadable)?;
    if !session.is_open() {
        let state = view.session.state;
        return Err(ApiError::conflict(format!("the session is over ({state}): start a new one"))
            .with(json!({"status": state})));
    }
    Ok(Open { view, session })
}

/// Whether a node is one of the flow that the session is in, in the revision that it runs.
async fn has_node(api: &Api, tenant: &Tenant, session: &Session, node: &str) -> Result<(), ApiError> {
    let Some(programs) = api.programs.linked(&api.pool, tenant, session).await? else { return Ok(()) };
    let flow = session.stands_in();
    if programs.get(flow).is_none_or(|program| program.has_node(node)) {
        return Ok(());
    }
    let message = format!("Flow {flow:?} has no node {node:?} in the session's revision");
    let details = json!({"field": "node", "value": node, "flow": flow});
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", message).with(details))
}

async fn tell(api: &Api, tenant: &Tenant, open: &Open, told: &Told, id: Option<SignalId>) -> Accepted {
    let (session, contact) = (open.session.id, open.view.contact);
    api.tell(&[told.signal(id, &tenant.key, contact, Some(session))]).await?;
    info!(tenant = %tenant.key, %contact, %session, told = told.kind(), "session steered");
    Ok((StatusCode::ACCEPTED, Json(json!({"accepted": true}))))
}

/// The body as what was asked for.
async fn read<T: DeserializeOwned>(body: Body, form: &str) -> Result<T, ApiError> {
    serde_json::from_value(body::json(body).await?)
        .map_err(|error| ApiError::invalid(format!("the body is not {form}: {error}")))
}
