//! Wigwag on a real API server, installed by its chart: what `kubectl apply` leads to.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod chart;
mod entrusted;
mod faults;
mod quickstart;
mod recovery;
mod refusals;
mod sessions;

use tokio::sync::OnceCell;
use wigwag_e2e::cluster::Cluster;

/// The cluster of all tests that break nothing of it.
async fn shared() -> &'static Cluster {
    static SHARED: OnceCell<Cluster> = OnceCell::const_new();
    SHARED.get_or_init(async || Cluster::start(serde_json::json!({})).await.unwrap()).await
}
