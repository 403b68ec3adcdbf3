//! Every metric of the operator, once. Names and labels are an interface: alerts match on them.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

type ByController<M> = Family<ControllerLabel, M>;

/// A controller.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabel {
    controller: &'static str,
}

/// A controller and how its reconcile ended: `ok`, or the kind of its error.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    controller: &'static str,
    result: &'static str,
}

/// The metrics, shared by everything that counts.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ResultLabel, Counter>,
    durations: Family<ControllerLabel, Histogram, fn() -> Histogram>,
    queue: ByController<Gauge<i64, AtomicI64>>,
    failing: ByController<Gauge<i64, AtomicI64>>,
    ready: ByController<Gauge<i64, AtomicI64>>,
    leader: Gauge<i64, AtomicI64>,
}

// === impl Metrics ===

impl Default for Metrics {
    fn default() -> Self {
        let seconds: fn() -> Histogram =
            || Histogram::new([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0]);
        let (reconciles, durations) = (Family::default(), Family::new_with_constructor(seconds));
        let (queue, failing, ready) = (ByController::default(), ByController::default(), ByController::default());
        let leader = Gauge::default();
        let mut registry = Registry::with_prefix("wigwag_operator");
        registry.register("reconcile", "Reconciles, by their end", reconciles.clone());
        registry.register("reconcile_duration_seconds", "Time that a reconcile takes", durations.clone());
        registry.register("reconcile_queue_depth", "Objects that wait for their turn", queue.clone());
        registry.register("reconcile_failing", "Objects whose last reconcile failed", failing.clone());
        registry.register("ready", "1 when the controller has seen all its objects and reconciles", ready.clone());
        registry.register("leader", "1 on the replica that holds the lease", leader.clone());
        Self { registry: Arc::new(registry), reconciles, durations, queue, failing, ready, leader }
    }
}

impl Metrics {
    /// An object waits for its turn.
    pub fn queued(&self, controller: &'static str) {
        self.queue.get_or_create(&ControllerLabel { controller }).inc();
    }

    /// Its turn has come.
    pub fn dequeued(&self, controller: &'static str) {
        self.queue.get_or_create(&ControllerLabel { controller }).dec();
    }

    /// A reconcile ended, so many objects of its controller being in trouble now.
    pub fn reconciled(&self, controller: &'static str, result: &'static str, took: Duration, failing: usize) {
        self.reconciles.get_or_create(&ResultLabel { controller, result }).inc();
        self.durations.get_or_create(&ControllerLabel { controller }).observe(took.as_secs_f64());
        self.failing.get_or_create(&ControllerLabel { controller }).set(i64::try_from(failing).unwrap_or(i64::MAX));
    }

    /// A controller runs, or has stopped.
    pub fn set_ready(&self, controller: &'static str, ready: bool) {
        self.ready.get_or_create(&ControllerLabel { controller }).set(ready.into());
    }

    /// This replica leads, or does not.
    pub fn set_leader(&self, leader: bool) {
        self.leader.set(leader.into());
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashboards_find_the_names_that_they_match_on() {
        let metrics = Metrics::default();
        metrics.queued("tenant");
        metrics.reconciled("tenant", "ok", Duration::from_millis(10), 2);
        metrics.set_ready("tenant", true);
        metrics.set_leader(true);
        let text = metrics.render();
        for line in [
            "wigwag_operator_reconcile_total{controller=\"tenant\",result=\"ok\"} 1",
            "wigwag_operator_reconcile_duration_seconds_count{controller=\"tenant\"} 1",
            "wigwag_operator_reconcile_queue_depth{controller=\"tenant\"} 1",
            "wigwag_operator_reconcile_failing{controller=\"tenant\"} 2",
            "wigwag_operator_ready{controller=\"tenant\"} 1",
            "wigwag_operator_leader 1",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }
}
