//! How long to wait after a failure: doubled each time, with jitter, forgotten after a success.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kube::runtime::utils::Backoff;

/// First and longest wait after a failed reconcile.
const RECONCILE: Growth = Growth { first: Duration::from_secs(1), longest: Duration::from_secs(300) };
/// First and longest wait of a broken watch. Short, because until it is back nothing that happens is seen.
const WATCH: Growth = Growth { first: Duration::from_millis(200), longest: Duration::from_secs(5) };

#[derive(Clone, Copy, Debug)]
struct Growth {
    first: Duration,
    longest: Duration,
}

impl Growth {
    /// The wait after so many failures in a row, between half and the whole of what doubling gives.
    fn after(self, failures: u32, jitter: f64) -> Duration {
        let whole = self.first.saturating_mul(1 << failures.min(20)).min(self.longest);
        whole.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// Failures in a row, by object.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, u32>>);

impl Attempts {
    /// The object failed once more: how long to wait.
    pub fn failed(&self, object: &str) -> Duration {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(object.to_owned()).or_default();
        let wait = RECONCILE.after(*count, rand::random());
        *count = count.saturating_add(1);
        wait
    }

    /// How many objects of a controller failed last time; their names begin with the controller's.
    pub fn failing(&self, controller: &str) -> usize {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.keys().filter(|object| object.starts_with(controller)).count()
    }

    /// The object is fine again, or gone.
    pub fn succeeded(&self, object: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(object);
    }
}

/// Waits of one watch; kube asks for the next and resets them itself.
#[derive(Debug, Default)]
pub struct WatchBackoff(u32);

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = WATCH.after(self.0, rand::random());
        self.0 = self.0.saturating_add(1);
        Some(wait)
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_one_second_to_five_minutes() {
        let waits: Vec<_> = [0, 1, 2, 8, 9, 1_000].map(|n| RECONCILE.after(n, 1.0).as_secs()).into();
        assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
        assert_eq!(RECONCILE.after(2, 0.0), Duration::from_secs(2), "jitter takes at most half away");
    }

    #[test]
    fn a_success_forgets_the_failures_of_that_object_only() {
        let attempts = Attempts::default();
        for object in ["a", "a", "a", "a", "b", "b", "b", "b"] {
            attempts.failed(object);
        }
        attempts.succeeded("a");
        assert!(attempts.failed("a") <= Duration::from_secs(1));
        assert!(attempts.failed("b") >= Duration::from_secs(8));
    }
}
