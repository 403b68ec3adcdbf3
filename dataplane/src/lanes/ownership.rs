//! The lanes that this process owns, and until when it may believe so.
//!
//! The database decides: every effect and every mark is fenced by epoch there. What is kept here spares work on lanes
//! that are not ours, and lets a sender check, without asking, that its lease still holds before it writes a request.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use wigwag_domain::{Lane, TenantKey};
use wigwag_store::LaneEpoch;

/// The lanes of this process.
#[derive(Debug)]
pub struct Ownership {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    epochs: HashMap<(TenantKey, Lane), i64>,
    valid_until: Option<Instant>,
}

impl Default for Ownership {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Ownership {
    /// Notes a renewal that was begun at `begun` for `lease`: the database counts from a later moment.
    pub fn renewed(&self, begun: Instant, lease: Duration) {
        self.lock().valid_until = Some(begun + lease);
    }

    /// Whether the lease still holds, by this machine's monotonic clock.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.lock().valid_until.is_some_and(|until| Instant::now() < until)
    }

    /// Adds lanes, in their new epoch.
    pub fn add(&self, lanes: impl IntoIterator<Item = LaneEpoch>) {
        self.change(|epochs| {
            for lane in lanes {
                epochs.insert((lane.tenant, lane.lane), lane.epoch);
            }
        });
    }

    /// Removes lanes, where they are still in this epoch.
    pub fn remove(&self, lanes: &[LaneEpoch]) {
        self.change(|epochs| {
            for lane in lanes {
                let key = (lane.tenant.clone(), lane.lane);
                if epochs.get(&key) == Some(&lane.epoch) {
                    epochs.remove(&key);
                }
            }
        });
    }

    /// The epoch in which a lane is ours.
    #[must_use]
    pub fn epoch(&self, tenant: &TenantKey, lane: Lane) -> Option<i64> {
        self.lock().epochs.get(&(tenant.clone(), lane)).copied()
    }

    /// The lanes among these that are ours, with their epochs, each once, in the order in which they are locked.
    #[must_use]
    pub fn of<'a>(&self, lanes: impl IntoIterator<Item = (&'a TenantKey, Lane)>) -> Vec<LaneEpoch> {
        let state = self.lock();
        let wanted: BTreeSet<(&TenantKey, Lane)> = lanes.into_iter().collect();
        wanted
            .into_iter()
            .filter_map(|(tenant, lane)| {
                let epoch = *state.epochs.get(&(tenant.clone(), lane))?;
                Some(LaneEpoch { tenant: tenant.clone(), lane, epoch })
            })
            .collect()
    }

    /// All lanes, in order.
    #[must_use]
    pub fn all(&self) -> Vec<LaneEpoch> {
        let mut lanes: Vec<_> = self
            .lock()
            .epochs
            .iter()
            .map(|((tenant, lane), epoch)| LaneEpoch { tenant: tenant.clone(), lane: *lane, epoch: *epoch })
            .collect();
        lanes.sort();
        lanes
    }

    /// How many lanes of a tenant are ours.
    #[must_use]
    pub fn count(&self, tenant: &TenantKey) -> usize {
        self.lock().epochs.keys().filter(|(owner, _)| owner == tenant).count()
    }

    /// Tells when lanes came or went.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<(TenantKey, Lane), i64>)) {
        change(&mut self.lock().epochs);
        self.changed.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while it is held; a poisoned lock would hold valid state all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
