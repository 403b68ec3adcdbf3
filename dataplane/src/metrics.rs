//! Every metric, once. Labels are tenants, providers and words of closed sets, so their number is bounded by the
//! configuration.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use wigwag_domain::TenantKey;
use wigwag_flow::Passage;

/// By tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByTenant {
    tenant: String,
}

/// By tenant and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByOutcome {
    tenant: String,
    outcome: &'static str,
}

/// By tenant and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByReason {
    tenant: String,
    reason: &'static str,
}

/// By tenant, Flow and what happened at one of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByNode {
    tenant: String,
    flow: String,
    node: String,
    kind: &'static str,
}

/// By tenant, Flow, node and what happened there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByPassage {
    tenant: String,
    flow: String,
    node: String,
    event: &'static str,
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    /// What `GET /metrics` prints.
    pub registry: Registry,
    webhooks: Family<ByOutcome, Counter>,
    messages: Family<ByTenant, Counter>,
    duplicates: Family<ByTenant, Counter>,
    receipts: Family<ByTenant, Counter>,
    dead_letters: Family<ByReason, Counter>,
    identity_conflicts: Counter,
    flush_seconds: Histogram,
    flush_items: Histogram,
    ingest_to_commit: Histogram,
    commit_to_send: Histogram,
    jobs: Family<ByOutcome, Counter>,
    sends: Family<ByOutcome, Counter>,
    http_calls: Family<ByOutcome, Counter>,
    http_call_seconds: Histogram,
    flow_errors: Family<ByNode, Counter>,
    flow_nodes: Family<ByPassage, Counter>,
    lanes: Gauge,
    queue_depth: Family<ByTenant, Gauge>,
    oldest_job: Family<ByTenant, Gauge<f64, AtomicU64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.000_25, 2.0, 18));
        let mut metrics = Self {
            registry: Registry::with_prefix("wigwag"),
            webhooks: Family::default(),
            messages: Family::default(),
            duplicates: Family::default(),
            receipts: Family::default(),
            dead_letters: Family::default(),
            identity_conflicts: Counter::default(),
            flush_seconds: seconds(),
            flush_items: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            ingest_to_commit: seconds(),
            commit_to_send: seconds(),
            jobs: Family::default(),
            sends: Family::default(),
            http_calls: Family::default(),
            http_call_seconds: seconds(),
            flow_errors: Family::default(),
            flow_nodes: Family::default(),
            lanes: Gauge::default(),
            queue_depth: Family::default(),
            oldest_job: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("webhooks", "Webhooks, by how they were answered", self.webhooks.clone());
        registry.register("inbound_messages", "Messages of customers that were stored", self.messages.clone());
        registry.register("inbound_duplicates", "Messages that had been stored before", self.duplicates.clone());
        registry.register("receipts", "Receipts that changed a message of ours", self.receipts.clone());
        registry.register("dead_letters", "What could not be handled, by reason", self.dead_letters.clone());
        registry.register(
            "identity_conflicts",
            "Senders whose phone is another contact's than their user id",
            self.identity_conflicts.clone(),
        );
        registry.register_with_unit("flush", "Time of a transaction", Unit::Seconds, self.flush_seconds.clone());
        registry.register("flush_items", "Items in a transaction", self.flush_items.clone());
        registry.register_with_unit(
            "ingest_to_commit",
            "From a webhook's last byte to its commit",
            Unit::Seconds,
            self.ingest_to_commit.clone(),
        );
        registry.register_with_unit(
            "commit_to_first_send",
            "From a message's commit to the hand-over of the first answer",
            Unit::Seconds,
            self.commit_to_send.clone(),
        );
        registry.register("jobs", "Jobs, by how they ended", self.jobs.clone());
        registry.register("sends", "Sends, by outcome", self.sends.clone());
        registry.register("http_calls", "Calls of Flows, by outcome", self.http_calls.clone());
        registry.register_with_unit(
            "http_call",
            "From the look-up of a call's host to the end of its answer",
            Unit::Seconds,
            self.http_call_seconds.clone(),
        );
        registry.register("flow_errors", "What did not work out in Flows, by node", self.flow_errors.clone());
        registry.register("flow_node", "What happened at the nodes of Flows", self.flow_nodes.clone());
        registry.register("lanes_owned", "Lanes that this process owns", self.lanes.clone());
        registry.register("queue_depth", "Jobs that wait", self.queue_depth.clone());
        registry.register_with_unit("queue_oldest", "Age of the oldest job", Unit::Seconds, self.oldest_job.clone());
    }

    /// A webhook was answered.
    pub fn webhook(&self, tenant: &str, outcome: &'static str) {
        self.webhooks.get_or_create(&ByOutcome { tenant: tenant.to_owned(), outcome }).inc();
    }

    /// A webhook's items were committed this many seconds after its last byte.
    pub fn ingested(&self, tenant: &TenantKey, messages: u64, duplicates: u64, seconds: f64) {
        let label = by_tenant(tenant);
        self.messages.get_or_create(&label).inc_by(messages);
        self.duplicates.get_or_create(&label).inc_by(duplicates);
        self.ingest_to_commit.observe(seconds);
    }

    /// A transaction was committed.
    pub fn flushed(&self, items: usize, identity_conflicts: u64, seconds: f64) {
        self.flush_seconds.observe(seconds);
        self.flush_items.observe(f64::from(u32::try_from(items).unwrap_or(u32::MAX)));
        self.identity_conflicts.inc_by(identity_conflicts);
    }

    /// A receipt changed a message of ours.
    pub fn receipt(&self, tenant: &TenantKey) {
        self.receipts.get_or_create(&by_tenant(tenant)).inc();
    }

    /// Something became a dead letter.
    pub fn dead_letter(&self, tenant: &TenantKey, reason: &'static str) {
        self.dead_letters.get_or_create(&ByReason { tenant: tenant.to_string(), reason }).inc();
    }

    /// A job ended.
    pub fn job(&self, tenant: &TenantKey, outcome: &'static str) {
        self.jobs.get_or_create(&by_outcome(tenant, outcome)).inc();
    }

    /// A send ended.
    pub fn send(&self, tenant: &TenantKey, outcome: &'static str) {
        self.sends.get_or_create(&by_outcome(tenant, outcome)).inc();
    }

    /// A call of a Flow ended.
    pub fn http_call(&self, tenant: &TenantKey, outcome: &'static str) {
        self.http_calls.get_or_create(&by_outcome(tenant, outcome)).inc();
    }

    /// A call of a Flow took so long.
    pub fn http_call_ended(&self, after: Duration) {
        self.http_call_seconds.observe(after.as_secs_f64());
    }

    /// The first answer to a message was handed over this many seconds after the message was received.
    pub fn first_send(&self, seconds: f64) {
        self.commit_to_send.observe(seconds);
    }

    /// Something did not work out at a node.
    pub fn flow_error(&self, tenant: &TenantKey, flow: &str, node: &str, kind: &'static str) {
        let label = ByNode { tenant: tenant.to_string(), flow: flow.to_owned(), node: node.to_owned(), kind };
        self.flow_errors.get_or_create(&label).inc();
    }

    /// A session came through a node.
    pub fn passage(&self, tenant: &TenantKey, passage: &Passage) {
        let (flow, node) = (passage.flow.clone(), passage.node.clone());
        let label = ByPassage { tenant: tenant.to_string(), flow, node, event: passage.what.as_str() };
        self.flow_nodes.get_or_create(&label).inc();
    }

    /// This process owns so many lanes.
    pub fn lanes(&self, owned: usize) {
        self.lanes.set(i64::try_from(owned).unwrap_or(i64::MAX));
    }

    /// So many jobs of a tenant wait, the oldest for so many seconds.
    pub fn queue(&self, tenant: &TenantKey, jobs: i64, oldest_seconds: f64) {
        self.queue_depth.get_or_create(&by_tenant(tenant)).set(jobs);
        self.oldest_job.get_or_create(&by_tenant(tenant)).set(oldest_seconds);
    }
}

fn by_tenant(tenant: &TenantKey) -> ByTenant {
    ByTenant { tenant: tenant.to_string() }
}

fn by_outcome(tenant: &TenantKey, outcome: &'static str) -> ByOutcome {
    ByOutcome { tenant: tenant.to_string(), outcome }
}
