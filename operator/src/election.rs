//! Who leads: one replica, by a Lease. Only the leader runs controllers.
//!
//! The semantics are client-go's. A leader that could not renew for two thirds of the lease gives up by its own clock,
//! without asking anybody, so that it has stopped before another may begin; the process then ends. Clocks of different
//! machines are never compared: a lease has expired when it stood unchanged for its duration by *our* clock.

mod claim;
mod lease;

pub use claim::{Claim, Observed, Record, Step};
pub use lease::KubeLease;

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Where the record of leadership is kept.
pub trait LeaseStore: Send + Sync {
    /// The record as it stands, `None` when nobody ever led.
    fn read(&self) -> impl Future<Output = Result<Option<Record>, Error>> + Send;
    /// Writes the record if it still has this version (`None`: if there is none). `false` when somebody was faster.
    fn write(&self, record: Record, over: Option<String>) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Takes part in the election.
#[derive(Debug)]
pub struct Candidate<S> {
    store: S,
    identity: String,
    lease: Duration,
}

// === impl Candidate ===

impl<S: LeaseStore> Candidate<S> {
    /// A candidate with its own name and the duration of the lease.
    pub const fn new(store: S, identity: String, lease: Duration) -> Self {
        Self { store, identity, lease }
    }

    /// Waits until we lead; returns the time of the claim. `None` when told to stop before that.
    pub async fn win(&self, stop: &CancellationToken) -> Option<Instant> {
        let mut seen = Observed::default();
        loop {
            let asked_at = Instant::now();
            match timeout_at(asked_at + self.deadline(), self.attempt(&mut seen)).await {
                Ok(Ok(true)) => return Some(asked_at),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "asking for the lease failed; trying again"),
                Err(_) => tracing::warn!("asking for the lease took too long; trying again"),
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = sleep(self.pause()) => {}
            }
        }
    }

    /// Renews until the lease is lost, which it returns: the process must end then, another replica may lead already.
    pub async fn hold(&self, since: Instant) -> Error {
        let mut renewed_at = since;
        let mut seen = Observed::default();
        loop {
            let deadline = renewed_at + self.deadline();
            sleep_until(deadline.min(Instant::now() + self.pause())).await;
            // The lease counts from when we asked: the answer may have been on its way for long.
            let asked_at = Instant::now();
            if asked_at >= deadline {
                return Error::LeaseLost("it could not be renewed in time");
            }
            match timeout_at(deadline, self.attempt(&mut seen)).await {
                Ok(Ok(true)) => renewed_at = asked_at,
                Ok(Ok(false)) => return Error::LeaseLost("another replica holds it"),
                Ok(Err(error)) => tracing::warn!(%error, "renewing the lease failed; trying again"),
                Err(_) => return Error::LeaseLost("it could not be renewed in time"),
            }
        }
    }

    /// Lets go of the lease, so that the next replica need not wait for its end. Best effort: it ends by itself.
    pub async fn release(&self) {
        let released = async {
            let Some(record) = self.store.read().await? else { return Ok(true) };
            if record.holder.as_deref() != Some(&self.identity) {
                return Ok(true);
            }
            let version = record.version.clone();
            self.store.write(Record { holder: None, ..record }, version).await
        };
        match timeout_at(Instant::now() + self.pause(), released).await {
            Ok(Ok(_)) => tracing::info!("released the lease"),
            Ok(Err(error)) => tracing::warn!(%error, "the lease was not released; it ends by itself"),
            Err(_) => tracing::warn!("releasing the lease took too long; it ends by itself"),
        }
    }

    /// One try to take or renew; `true` when we lead now.
    async fn attempt(&self, seen: &mut Observed) -> Result<bool, Error> {
        let record = self.store.read().await?;
        let claim = Claim { identity: &self.identity, lease: self.lease };
        match claim.step(record.as_ref(), seen, Instant::now()) {
            Step::Wait => Ok(false),
            Step::Write(next) => self.store.write(next, record.and_then(|r| r.version)).await,
        }
    }

    /// After so long without a renewal we no longer lead.
    fn deadline(&self) -> Duration {
        self.lease * 2 / 3
    }

    /// Between two tries: several fit into the deadline.
    fn pause(&self) -> Duration {
        self.lease * 2 / 15
    }
}

#[cfg(test)]
mod tests;
