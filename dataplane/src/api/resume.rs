//! `POST /resume/{token}`: a program outside resumes a conversation that waits for it in a `waitFor` node. The token says
//! which one and is the only credential, so it stands in no log and in no answer. It works once.
//!
//! 200 after the commit; 409 the second time; 410 once nobody waits any more; 404 for a token that is not ours. A call
//! that comes before the session stands at the node is kept for it.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;
use wigwag_flow::{Resume, Session};
use wigwag_store::{session_view, signal};

use super::{Api, auth::Meant, body, error::ApiError};
use crate::signals::Told;

#[derive(Deserialize)]
pub(super) struct Token {
    token: String,
}

pub(super) async fn resume(
    State(api): State<Api>,
    Meant(tenant): Meant,
    Path(Token { token }): Path<Token>,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let resume = tenant.conversation.resume_key().and_then(|key| key.read(&token));
    let resume = resume.ok_or_else(|| ApiError::not_found("no conversation is resumed by this URL"))?;
    let data = body::json(body).await?;
    let id = resume.signal();
    // The session first: one that a call before this has just brought to its end is to be told as that.
    let found = session_view::read(&api.pool, &tenant.key, resume.session).await?.ok_or_else(gone)?;
    if signal::read(&api.pool, &[id]).await?.contains_key(&id) {
        return Err(twice());
    }
    if !may_come(&found.session.context, &resume) {
        return Err(gone());
    }
    let signal = Told::Resume { data }.signal(Some(id), &tenant.key, found.contact, Some(resume.session));
    if api.tell(&[signal]).await? == 0 {
        return Err(twice());
    }
    info!(tenant = %tenant.key, contact = %found.contact, session = %resume.session, node = resume.node, "resumed");
    Ok(Json(json!({"resumed": true})))
}

/// Whether the session stands at that visit of the node, or may come to it.
fn may_come(stored: &str, resume: &Resume) -> bool {
    let Ok(session) = Session::from_json(stored) else { return false };
    let is_late = || session.due().is_some_and(|due| due <= Timestamp::now());
    let stands_there = session.waits_for_signal() == Some(resume.signal());
    session.is_open() && !session.has_left(resume) && !(stands_there && is_late())
}

fn twice() -> ApiError {
    ApiError::conflict("the conversation was resumed by this URL before")
}

fn gone() -> ApiError {
    ApiError::new(StatusCode::GONE, "GONE", "the conversation does not wait for this any more")
}
