//! What every reconcile has at hand.

use std::sync::Arc;

use kube::{
    Client,
    runtime::{events::Recorder, reflector::Store},
};
use tokio::{sync::Semaphore, time::Instant};
use wigwag_crds::{Flow, WhatsAppTenant};

use crate::{
    backoff::Attempts,
    metrics::Metrics,
    raw::Raw,
    replicas::{Listener, Replicas, TenantKey},
    wake::Waker,
};

/// Shared by all controllers of the process.
pub struct Context {
    /// Talks to the API server; never retries by itself.
    pub client: Client,
    /// Image of the data plane.
    pub image: String,
    /// What the replicas run.
    pub replicas: Arc<Replicas>,
    /// Wakes tenants.
    pub tenants: Arc<Waker<Raw<WhatsAppTenant>>>,
    /// Wakes Flows.
    pub flows: Arc<Waker<Raw<Flow>>>,
    /// All tenants in scope, one store for each watched namespace (or one for all).
    pub known_tenants: Vec<Store<Raw<WhatsAppTenant>>>,
    /// By this time all of them should be known.
    pub all_seen_by: Instant,
    /// Failures in a row.
    pub attempts: Attempts,
    /// Bounds how many reconciles run at once, so that many tenants do not flood the API server.
    pub turns: Semaphore,
    /// Counts.
    pub metrics: Metrics,
    /// Publishes events.
    pub recorder: Recorder,
}

/// What replicas tell wakes the reconciles that read it.
#[derive(Debug)]
pub struct WakeUp {
    /// Wakes tenants.
    pub tenants: Arc<Waker<Raw<WhatsAppTenant>>>,
    /// Wakes Flows.
    pub flows: Arc<Waker<Raw<Flow>>>,
}

impl Listener for WakeUp {
    fn tenant(&self, tenant: &TenantKey) {
        self.tenants.wake(&tenant.namespace, &tenant.name);
    }

    fn flow(&self, namespace: &str, flow: &str) {
        self.flows.wake(namespace, flow);
    }
}
