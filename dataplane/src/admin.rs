//! The admin port: probes, metrics, and what really runs. Not for the internet.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use wigwag_crds::{configz::Configz, sessions::Standing};

use crate::{
    api::standing::Census,
    channels::Channels,
    config::{self, Config, Runtime},
    health::Health,
    metrics::Metrics,
};

/// What the handlers show.
#[derive(Clone)]
pub struct Admin {
    /// Our name.
    pub replica: String,
    /// What runs.
    pub config: Arc<ArcSwap<Config>>,
    /// Which accounts take messages.
    pub channels: Channels,
    /// Whether we can work.
    pub health: Arc<Health>,
    /// Where open sessions stand.
    pub census: Census,
    /// What was counted.
    pub metrics: Arc<Metrics>,
}

/// The routes.
pub fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/configz", get(configz))
        .route("/sessions", get(sessions))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

async fn readyz(State(admin): State<Admin>) -> Response {
    match admin.health.unready() {
        None => "ok\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn configz(State(admin): State<Admin>) -> Json<Configz> {
    let config = admin.config.load();
    let paused = config
        .tenants
        .values()
        .flat_map(|tenant| tenant.channels.keys().map(|provider| (tenant.key.clone(), provider.clone())))
        .filter_map(|(tenant, provider)| {
            let reason = admin.channels.reason(&tenant, &provider)?;
            Some(((tenant, provider), reason))
        })
        .collect();
    let runtime = Runtime { replica: admin.replica.clone(), database: admin.health.database(), paused };
    Json(config::configz(&config, &runtime))
}

async fn sessions(State(admin): State<Admin>) -> Result<Json<Standing>, (StatusCode, String)> {
    let standing = admin.census.get().await;
    standing.map(Json).map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")))
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &admin.metrics.registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
