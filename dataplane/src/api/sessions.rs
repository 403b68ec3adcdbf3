//! `GET /api/v1/sessions` and `GET /api/v1/sessions/{id}`: conversations as people and programs look at them.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wigwag_domain::{ContactId, Sender, SessionId, TenantKey, digits};
use wigwag_flow::Session;
use wigwag_store::{
    contact, session,
    session_view::{self, SessionView, TakenEvent, Which},
};

use super::{Api, auth::Allowed, error::ApiError};

/// Sessions of one answer, unless the query says how many; and at most.
const LIMIT: i64 = 50;
const MOST: i64 = 200;
const STATES: [&str; 4] = ["Active", "Paused", "Completed", "Errored"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    contact: Option<String>,
    flow: Option<String>,
    revision: Option<String>,
    status: Option<String>,
    limit: Option<i64>,
    before: Option<Uuid>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub session: String,
}

/// Newest first; `next` is the `before` of the next page, where there may be one.
pub(super) async fn list(
    State(api): State<Api>,
    Allowed(tenant): Allowed,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(wanted) = wanted.map_err(|error| ApiError::invalid(error.body_text()))?;
    let status = wanted.status.as_deref();
    if let Some(status) = status.filter(|status| !STATES.contains(status)) {
        return Err(ApiError::invalid(format!("status: {status:?} is none of {}", STATES.join(", "))));
    }
    let limit = wanted.limit.unwrap_or(LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid(format!("limit: {limit} is not between 1 and {MOST}")));
    }
    let contact = match &wanted.contact {
        None => None,
        Some(named) => match find_contact(&api, &tenant.key, named).await? {
            Some(contact) => Some(contact),
            None => return Ok(Json(json!({"sessions": [], "next": null}))),
        },
    };
    let which = Which {
        tenant: &tenant.key,
        contact,
        flow: wanted.flow.as_deref(),
        revision: wanted.revision.as_deref(),
        state: status,
        before: wanted.before.map(SessionId),
        limit,
    };
    let found = session_view::list(&api.pool, &which).await?;
    let is_full = i64::try_from(found.len()).is_ok_and(|found| found == limit);
    let next = found.last().filter(|_| is_full).map(|last| last.session.id);
    let sessions: Vec<Value> = found.iter().map(|one| Value::Object(outline(one, parse(one).as_ref()))).collect();
    Ok(Json(json!({"sessions": sessions, "next": next})))
}

/// One session with all that is known of it.
pub(super) async fn show(
    State(api): State<Api>,
    Allowed(tenant): Allowed,
    Path(Named { session }): Path<Named>,
) -> Result<Json<Value>, ApiError> {
    let found = read(&api, &tenant.key, &session).await?;
    let events = session_view::events(&api.pool, found.session.id).await?;
    let session = parse(&found);
    let mut shown = outline(&found, session.as_ref());
    let (mut context, variables) = match session {
        Some(session) => (session.context(), Value::Object(session.variables)),
        None => (Value::Null, Value::Null),
    };
    let meta = context.as_object_mut().and_then(|keys| keys.shift_remove("_meta"));
    shown.insert("pinned".to_owned(), json!(found.session.pinned));
    shown.insert("variables".to_owned(), variables);
    shown.insert("context".to_owned(), context);
    shown.insert("history".to_owned(), meta.map_or_else(|| json!([]), |mut meta| meta["history"].take()));
    shown.insert("events".to_owned(), events.iter().map(event).collect());
    Ok(Json(Value::Object(shown)))
}

/// A session of the tenant by its id.
pub(super) async fn read(api: &Api, tenant: &TenantKey, id: &str) -> Result<SessionView, ApiError> {
    let none = || ApiError::not_found(format!("the tenant has no session {id:?}"));
    let known = Uuid::parse_str(id).map_err(|_| none())?;
    session_view::read(&api.pool, tenant, SessionId(known)).await?.ok_or_else(none)
}

/// The contact's open sessions; refused while people speak with the contact, in another session than `but`.
pub(super) async fn open_without_people(
    api: &Api,
    contact: ContactId,
    but: Option<SessionId>,
) -> Result<Vec<Session>, ApiError> {
    let open = session::open(&api.pool, &[contact]).await?.remove(&contact).unwrap_or_default();
    // One that this version does not read is a later one's, and is left alone.
    let open: Vec<_> = open.iter().filter_map(|stored| Session::from_json(&stored.context).ok()).collect();
    if open.iter().any(|session| session.is_with_people() && Some(session.id) != but) {
        return Err(ApiError::conflict("people speak with this contact: release the conversation first"));
    }
    Ok(open)
}

/// The session as the engine knows it; `None` where this version does not read it.
pub(super) fn parse(view: &SessionView) -> Option<Session> {
    Session::from_json(&view.session.context).ok()
}

/// A contact by its id, phone or business-scoped user id.
async fn find_contact(api: &Api, tenant: &TenantKey, named: &str) -> Result<Option<ContactId>, ApiError> {
    if let Ok(id) = Uuid::parse_str(named) {
        return Ok(Some(ContactId(id)));
    }
    let sender = match digits(named) {
        Some(phone) => Sender { phone: Some(phone), ..Sender::default() },
        None => Sender { user_id: Some(named.to_owned()), ..Sender::default() },
    };
    Ok(contact::find(&api.pool, tenant, &sender).await?)
}

fn outline(view: &SessionView, session: Option<&Session>) -> Map<String, Value> {
    let SessionView { session: stored, contact, name, phone, created_at, updated_at } = view;
    let phone = phone.as_ref().map(|digits| format!("+{digits}"));
    let fields = [
        ("id", json!(stored.id)),
        ("flow", json!(stored.flow)),
        ("revision", json!(stored.revision)),
        ("status", json!(stored.state)),
        ("node", json!(session.map_or(&stored.node, |session| &session.node))),
        ("nodeFlow", json!(session.map(Session::stands_in))),
        ("waitsFor", json!(session.and_then(Session::waits_for))),
        ("due", json!(session.and_then(Session::due))),
        ("contact", json!({"id": contact, "phone": phone, "name": name})),
        ("createdAt", json!(created_at)),
        ("updatedAt", json!(updated_at)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn event(event: &TakenEvent) -> Value {
    json!({"number": event.number, "at": event.at, "kind": event.kind, "source": event.source})
}
