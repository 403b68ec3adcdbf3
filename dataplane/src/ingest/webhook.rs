//! `GET` and `POST /webhooks/{provider}`: the handshake, and the updates.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use tokio::{sync::oneshot, time::timeout_at};
use tracing::{info, warn};
use wigwag_domain::ProviderName;
use wigwag_providers::Provider;

use super::{Intake, PATIENCE, Stored, Submission};
use crate::{
    config::{Config, Tenant},
    metrics::Metrics,
};

/// Largest body: Meta posts up to 3 MB.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// For a body to come in; a client that trickles is cut off.
const BODY_PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// What the handlers need.
#[derive(Clone)]
pub struct Ingest {
    /// The tenants.
    pub config: Arc<ArcSwap<Config>>,
    /// The way to the flusher.
    pub intake: Intake,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// The routes, for hosts and for prefixes.
pub fn routes(ingest: Ingest) -> Router {
    let both = get(handshake).post(receive);
    Router::new()
        .route("/webhooks/{provider}", both.clone())
        .route("/t/{tenant}/webhooks/{provider}", both)
        .with_state(ingest)
}

/// Who is meant: the last part of the path, and the tenant where the path names one.
#[derive(serde::Deserialize)]
struct Target {
    tenant: Option<String>,
    provider: String,
}

/// A refusal: `outcome` is what metrics count and the caller reads, `message` is for the log.
struct Refused {
    tenant: Option<Arc<Tenant>>,
    status: StatusCode,
    outcome: &'static str,
    message: String,
}

/// A webhook's way in, found.
struct Found {
    tenant: Arc<Tenant>,
    provider: ProviderName,
    adapter: Arc<dyn Provider>,
}

async fn handshake(
    State(ingest): State<Ingest>,
    Path(target): Path<Target>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let answer = ingest.find(&target, &headers).and_then(|found| {
        found
            .adapter
            .challenge(query.as_deref().unwrap_or_default())
            .map_err(|refusal| found.refuse(StatusCode::FORBIDDEN, "handshake-refused", refusal.to_string()))
    });
    match answer {
        Ok(challenge) => ([(header::CONTENT_TYPE, "text/plain")], challenge).into_response(),
        Err(refused) => ingest.refuse(&target, refused, None),
    }
}

async fn receive(State(ingest): State<Ingest>, Path(target): Path<Target>, headers: HeaderMap, body: Body) -> Response {
    let begun = Instant::now();
    match ingest.take_in(&target, &headers, body).await {
        Ok(Some((found, stored))) => ingest.stored(&found, &stored, begun),
        Ok(None) => StatusCode::OK.into_response(),
        Err(refused) => ingest.refuse(&target, refused, Some(begun)),
    }
}

impl Ingest {
    /// The tenant, the account and its adapter.
    fn find(&self, target: &Target, headers: &HeaderMap) -> Result<Found, Refused> {
        let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let host = text(header::HOST);
        let tenant_header = headers.get("x-tenant-id").and_then(|value| value.to_str().ok());
        let config = self.config.load();
        if config.tenants.is_empty() {
            let message = "no tenant is configured yet: come again".to_owned();
            return Err(Refused {
                tenant: None,
                status: StatusCode::SERVICE_UNAVAILABLE,
                outcome: "not-configured",
                message,
            });
        }
        let Some(tenant) = config.find(host, target.tenant.as_deref(), tenant_header) else {
            return Err(Refused {
                tenant: None,
                status: StatusCode::NOT_FOUND,
                outcome: "unknown-tenant",
                message: format!("no tenant has the host {:?}", host.unwrap_or_default()),
            });
        };
        let name = ProviderName::new(target.provider.as_str());
        let refuse = |status, outcome, message| Err(Refused { tenant: Some(tenant.clone()), status, outcome, message });
        let Some(channel) = tenant.channels.get(&name) else {
            return refuse(StatusCode::NOT_FOUND, "unknown-provider", format!("the tenant has no provider {name:?}"));
        };
        let Some(adapter) = &channel.adapter else {
            let message = format!("credentials are missing: {}", channel.missing.join(", "));
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "credentials-missing", message);
        };
        Ok(Found { adapter: adapter.clone(), provider: name, tenant })
    }

    /// Reads, proves and stores a webhook; `None` where it held nothing.
    async fn take_in(
        &self,
        target: &Target,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Option<(Found, Stored)>, Refused> {
        let found = self.find(target, headers)?;
        let body = read(body).await.map_err(|(status, outcome, message)| found.refuse(status, outcome, message))?;
        let received = Instant::now();
        let verified = found
            .adapter
            .verify(headers, &body)
            .map_err(|refusal| found.refuse(StatusCode::UNAUTHORIZED, "signature-refused", refusal.to_string()))?;
        let items = found.adapter.parse(verified, Timestamp::now());
        if items.is_empty() {
            return Ok(None);
        }
        let (done, stored) = oneshot::channel();
        let submission = Submission {
            tenant: found.tenant.key.clone(),
            provider: found.provider.clone(),
            adapter: found.adapter.kind(),
            items,
            received,
            done,
        };
        let later = |outcome, why: String| found.refuse(StatusCode::SERVICE_UNAVAILABLE, outcome, why);
        self.intake.submit(submission).map_err(|full| later("overloaded", full.to_string()))?;
        let stored = timeout_at((received + PATIENCE).into(), stored)
            .await
            .map_err(|_| later("not-stored", format!("the database took longer than {PATIENCE:?}")))?
            .map_err(|_| later("not-stored", "the process is going down".to_owned()))?
            .map_err(|why| later("not-stored", why.to_string()))?;
        Ok(Some((found, stored)))
    }

    fn stored(&self, found: &Found, stored: &Stored, begun: Instant) -> Response {
        self.metrics.webhook(found.tenant.key.as_str(), "stored");
        // A batch may hold a thousand; its first job finds it.
        let (job, contact) = stored.jobs.first().map(|(job, contact)| (job.to_string(), contact.to_string())).unzip();
        info!(
            tenant = %found.tenant.key,
            provider = %found.provider,
            job,
            contact,
            messages = stored.jobs.len(),
            duplicates = stored.duplicates,
            dead_letters = stored.dead,
            ms = millis(begun),
            "webhook stored"
        );
        StatusCode::OK.into_response()
    }

    fn refuse(&self, target: &Target, refused: Refused, begun: Option<Instant>) -> Response {
        let tenant = refused.tenant.as_ref().map_or("", |tenant| tenant.key.as_str());
        self.metrics.webhook(tenant, refused.outcome);
        warn!(
            tenant,
            provider = target.provider,
            outcome = refused.outcome,
            status = refused.status.as_u16(),
            why = refused.message,
            ms = begun.map(millis),
            "webhook refused"
        );
        // The log says more: whoever posts here may be anybody.
        let mut response = (refused.status, format!("{}\n", refused.outcome)).into_response();
        if refused.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, http::HeaderValue::from_static("1"));
        }
        response
    }
}

impl Found {
    fn refuse(&self, status: StatusCode, outcome: &'static str, message: String) -> Refused {
        Refused { tenant: Some(self.tenant.clone()), status, outcome, message }
    }
}

async fn read(body: Body) -> Result<Bytes, (StatusCode, &'static str, String)> {
    let collected =
        tokio::time::timeout(BODY_PATIENCE, Limited::new(body, BODY_LIMIT).collect()).await.map_err(|_| {
            (StatusCode::REQUEST_TIMEOUT, "body-slow", format!("the body took longer than {BODY_PATIENCE:?}"))
        })?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", format!("the body has more than {BODY_LIMIT} bytes")))
        }
        Err(_) => Err((StatusCode::BAD_REQUEST, "body-broken", "the body ended early".to_owned())),
    }
}

fn millis(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
