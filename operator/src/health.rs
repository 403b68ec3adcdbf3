//! `/livez`, `/readyz` and `/metrics`.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use tokio::net::TcpListener;

use crate::{error::Error, metrics::Metrics};

/// Prometheus refuses a page whose type it does not know.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What this process still waits for. Ready is one that waits for nothing; a replica that does not lead waits for
/// nothing either, it stands by.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeSet<&'static str>>>);

// === impl Readiness ===

impl Readiness {
    /// From now on it waits for this.
    pub fn waits_for(&self, what: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }

    /// It waits for this no more.
    pub fn has(&self, what: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(what);
    }

    fn answer(&self) -> (StatusCode, String) {
        let pending: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        if pending.is_empty() {
            (StatusCode::OK, "ready\n".to_owned())
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for {}\n", pending.join(", ")))
        }
    }
}

/// Serves until the process ends.
///
/// # Errors
/// When the address cannot be listened to.
pub async fn serve(address: &str, readiness: Readiness, metrics: Metrics) -> Result<(), Error> {
    let failed = |source| Error::Listen { address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    tracing::info!(address = %listener.local_addr().map_err(failed)?, "serving /livez, /readyz and /metrics");
    let app = Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(async |State(readiness): State<Readiness>| readiness.answer()))
        .with_state(readiness)
        .route("/metrics", get(async move || ([(CONTENT_TYPE, OPEN_METRICS)], metrics.render())));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_it_waits_for_nothing() {
        let readiness = Readiness::default();
        assert_eq!(readiness.answer().0, StatusCode::OK);
        readiness.waits_for("custom resources");
        assert_eq!(readiness.answer(), (StatusCode::SERVICE_UNAVAILABLE, "waiting for custom resources\n".to_owned()));
        readiness.has("custom resources");
        assert_eq!(readiness.answer().0, StatusCode::OK);
    }
}
