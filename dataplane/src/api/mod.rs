//! The HTTP API by which people and programs steer conversations. It stands beside the webhooks, on the same listener,
//! and finds the tenant as they do.
//!
//! Nothing here steps a conversation: what is told becomes a signal with a job of its contact's lane, in the order of
//! everything else that happens to the contact, and is answered once that is committed.
//!
//! | module | what | who may |
//! | --- | --- | --- |
//! | `resume` | `POST /resume/{token}` | who has the token |
//! | `start` | `POST /api/webhook?flowId=` | a provider account's verify token, or a bearer token |
//! | `sessions` | `GET /api/v1/sessions…` | a bearer token of the tenant |
//! | `steer` | `POST /api/v1/sessions/{id}/…`, `POST /api/v1/flows/{name}/sessions/end` | a bearer token of the tenant |
//! | `auth` | which tenant, and is it allowed? | |
//! | `body` | JSON within its limits | |
//! | `error` | what went wrong, in one shape | |
//! | `standing` | how many open sessions stand where, for the admin port | |

mod auth;
mod body;
mod error;
mod resume;
mod sessions;
pub mod standing;
mod start;
mod steer;

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use axum::{
    Router,
    routing::{get, post},
};
use http::{HeaderMap, header};
use jiff::Timestamp;
use sqlx::PgPool;
use wigwag_domain::{Content, Payload, ProviderName};
use wigwag_store::signal::{self, Signal};

use crate::{
    config::{Config, Tenant},
    lanes::hint::Hints,
    programs::Programs,
};
use error::ApiError;

/// What the handlers need.
#[derive(Clone)]
pub struct Api {
    /// The tenants.
    pub config: Arc<ArcSwap<Config>>,
    /// The database. Not the pool of the lanes: who asks much must not keep conversations waiting.
    pub pool: PgPool,
    /// Told of new jobs.
    pub hints: Hints,
    /// Compiled revisions.
    pub programs: Arc<Programs>,
}

/// The routes, for hosts and for prefixes.
pub fn routes(api: Api) -> Router {
    let routes = Router::new()
        .route("/resume/{token}", post(resume::resume))
        .route("/api/webhook", post(start::start))
        .route("/api/v1/sessions", get(sessions::list))
        .route("/api/v1/sessions/{session}", get(sessions::show))
        .route("/api/v1/sessions/{session}/end", post(steer::end))
        .route("/api/v1/sessions/{session}/restart", post(steer::restart))
        .route("/api/v1/sessions/{session}/move", post(steer::move_to))
        .route("/api/v1/sessions/{session}/release", post(steer::release))
        .route("/api/v1/flows/{flow}/sessions/end", post(steer::end_all));
    Router::new().merge(routes.clone()).nest("/t/{tenant}", routes).with_state(api)
}

impl Api {
    /// The tenant that a request is for.
    fn tenant(&self, prefix: Option<&str>, headers: &HeaderMap) -> Option<Arc<Tenant>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        self.config.load().find(text(header::HOST.as_str()), prefix, text("x-tenant-id"))
    }

    /// Commits signals with their jobs; returns how many were not told before.
    async fn tell(&self, signals: &[Signal]) -> Result<usize, ApiError> {
        let mut connection = self.pool.acquire().await.map_err(wigwag_store::Error::from)?;
        let jobs = signal::insert(&mut connection, signals).await?;
        let told = jobs.len();
        self.hints.new_jobs(jobs, HashMap::new());
        Ok(told)
    }
}

/// A message that nobody sent: with it a conversation is begun from outside. It has no id of a provider's.
fn unsent_message(
    tenant: &Tenant,
    provider: &ProviderName,
    from: String,
    name: Option<String>,
    content: Content,
) -> Payload {
    let adapter = tenant.channels.get(provider).and_then(|channel| channel.adapter.as_ref());
    let channel = adapter.map(|adapter| adapter.channel().to_owned()).unwrap_or_default();
    Payload {
        from,
        to: channel.clone(),
        message: content.text().to_owned(),
        message_id: String::new(),
        tenant_id: tenant.key.name().to_owned(),
        contact_name: name,
        timestamp: Timestamp::now(),
        provider: provider.clone(),
        channel,
        user_id: None,
        content,
        quotes: None,
        referral: None,
    }
}
