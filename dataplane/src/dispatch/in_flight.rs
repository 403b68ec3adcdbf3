//! Sends that wait for their answer, by lane: a lane is given back when its sends are answered, or after a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use wigwag_domain::{Lane, TenantKey};
use wigwag_store::LaneEpoch;

/// Counts of sends in flight.
#[derive(Debug, Default)]
pub struct InFlight {
    counts: Mutex<HashMap<(TenantKey, Lane), usize>>,
    ended: Notify,
}

/// One send in flight; it ends when this is dropped.
#[derive(Debug)]
pub struct Flight {
    all: Arc<InFlight>,
    lane: (TenantKey, Lane),
}

impl InFlight {
    /// Begins a send.
    #[must_use]
    pub fn begin(self: &Arc<Self>, tenant: TenantKey, lane: Lane) -> Flight {
        let lane = (tenant, lane);
        *self.lock().entry(lane.clone()).or_default() += 1;
        Flight { all: self.clone(), lane }
    }

    /// Waits until no send of these lanes is in flight, but no longer than `patience`.
    pub async fn drained(&self, lanes: &[LaneEpoch], patience: Duration) {
        let drained = async {
            loop {
                let ended = self.ended.notified();
                let busy = {
                    let counts = self.lock();
                    lanes.iter().any(|lane| counts.contains_key(&(lane.tenant.clone(), lane.lane)))
                };
                if !busy {
                    return;
                }
                ended.await;
            }
        };
        // What is still in flight then is settled by its own answer, whoever owns the lane.
        let _ = tokio::time::timeout(patience, drained).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(TenantKey, Lane), usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut counts = self.all.lock();
        if let Some(count) = counts.get_mut(&self.lane) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.lane);
            }
        }
        drop(counts);
        self.all.ended.notify_waiters();
    }
}
