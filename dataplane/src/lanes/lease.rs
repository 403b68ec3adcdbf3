//! Keeps this process alive in the table `replica`, and its fair share of lanes its own.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wigwag_domain::{LANES, TenantKey};
use wigwag_store::{Error, LaneEpoch, effect, job_ready, lane, outbox, replica};

use super::{crash_loop, fence::Fence, ownership::Ownership};
use crate::{calls, dispatch::in_flight::InFlight};

/// For effects and sends that run while lanes are given back.
const RELEASE_PATIENCE: Duration = Duration::from_secs(1);

/// Takes, keeps and gives back lanes.
pub struct Lease {
    /// The database.
    pub pool: PgPool,
    /// Our name.
    pub replica: String,
    /// How long we own lanes after our last word.
    pub lease: Duration,
    /// How long a send whose answer was lost holds its contact.
    pub unknown_hold: Duration,
    /// Attempts before a job is a dead letter.
    pub max_attempts: i16,
    /// What is ours.
    pub ownership: Arc<Ownership>,
    /// Under which lanes are given back.
    pub fence: Arc<Fence>,
    /// Sends that wait for their answer.
    pub in_flight: Arc<InFlight>,
}

impl Lease {
    /// Keeps the lease until told to stop; then gives all lanes back.
    pub async fn run(self, tenants: impl Fn() -> Vec<TenantKey>, stop: CancellationToken) {
        let mut started = false;
        let mut tick = tokio::time::interval(self.lease / 3);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut retry = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = tick.tick() => {}
                () = tokio::time::sleep(Duration::from_millis(200)), if retry => {}
            }
            let tenants = tenants();
            let round = async {
                if !started {
                    self.take_back().await?;
                }
                self.round(&tenants).await
            };
            match round.await {
                Ok(()) => (started, retry) = (true, tenants.is_empty()),
                Err(error) => {
                    warn!(%error, "lease not renewed; sending stops when it ends");
                    retry = true;
                }
            }
        }
        self.leave().await;
    }

    /// What a process of our name owned before is ours again at once: it was us.
    async fn take_back(&self) -> Result<(), Error> {
        let lanes = lane::take_back(&self.pool, &self.replica).await?;
        if !lanes.is_empty() {
            info!(lanes = lanes.len(), "took lanes back that a process of this name left");
            self.begin(lanes.clone(), &lanes).await?;
        }
        Ok(())
    }

    async fn round(&self, tenants: &[TenantKey]) -> Result<(), Error> {
        let begun = Instant::now();
        let names: Vec<&TenantKey> = tenants.iter().collect();
        replica::renew(&self.pool, &self.replica, &names, self.lease).await?;
        self.ownership.renewed(begun, self.lease);
        self.agree(lane::owned(&self.pool, &self.replica).await?).await?;
        let living = replica::living(&self.pool).await?;
        for tenant in tenants {
            let share = fair_share(living.get(tenant).copied().unwrap_or(1));
            let owned = self.ownership.count(tenant);
            if owned < share {
                self.take(tenant, share - owned).await?;
            } else if owned > share {
                self.hand_over(tenant, owned - share).await?;
            }
        }
        let configured: HashSet<&TenantKey> = names.into_iter().collect();
        let strangers: Vec<LaneEpoch> =
            self.ownership.all().into_iter().filter(|lane| !configured.contains(&lane.tenant)).collect();
        self.release(&strangers).await
    }

    /// The database decides what is ours, whatever we remember.
    async fn agree(&self, owned: Vec<LaneEpoch>) -> Result<(), Error> {
        let remembered = self.ownership.all();
        let lost: Vec<LaneEpoch> = remembered.iter().filter(|lane| !owned.contains(lane)).cloned().collect();
        if !lost.is_empty() {
            warn!(lanes = lost.len(), "lanes were taken from us: our lease had ended");
            self.ownership.remove(&lost);
        }
        // Taken, but an error kept us from beginning with them.
        let idle: Vec<LaneEpoch> = owned.into_iter().filter(|lane| !remembered.contains(lane)).collect();
        if idle.is_empty() { Ok(()) } else { self.begin(idle, &[]).await }
    }

    async fn take(&self, tenant: &TenantKey, lanes: usize) -> Result<(), Error> {
        let taken = lane::take(&self.pool, tenant, &self.replica, i64::try_from(lanes).unwrap_or(i64::MAX)).await?;
        if taken.is_empty() {
            return Ok(());
        }
        let abandoned: Vec<LaneEpoch> =
            taken.iter().filter(|taken| taken.abandoned).map(|taken| taken.lane.clone()).collect();
        info!(%tenant, lanes = taken.len(), abandoned = abandoned.len(), "took lanes");
        self.begin(taken.into_iter().map(|taken| taken.lane).collect(), &abandoned).await
    }

    /// Makes lanes ours: after what their owner left behind is in order.
    async fn begin(&self, lanes: Vec<LaneEpoch>, abandoned: &[LaneEpoch]) -> Result<(), Error> {
        let lost = outbox::lose_track(&self.pool, &lanes, self.unknown_hold).await?;
        if lost > 0 {
            warn!(
                messages = lost,
                "answers of sends were lost with their sender; they are unknown until a receipt tells"
            );
        }
        // An owner that gave its lanes back may still store the answers of its calls; one that died will not.
        let lost = effect::take_over(&self.pool, abandoned, &calls::lost_with_its_process()).await?;
        if !lost.is_empty() {
            warn!(calls = lost.len(), "answers of calls were lost with their process; their sessions go on by unknown");
        }
        let exhausted = job_ready::count_attempts(&self.pool, abandoned, self.max_attempts).await?;
        for job in exhausted {
            crash_loop::give_up(&self.pool, &self.fence, &lanes, job, self.max_attempts).await?;
        }
        self.ownership.add(lanes);
        Ok(())
    }

    async fn hand_over(&self, tenant: &TenantKey, lanes: usize) -> Result<(), Error> {
        let mut surplus: Vec<LaneEpoch> =
            self.ownership.all().into_iter().filter(|lane| lane.tenant == *tenant).collect();
        surplus.truncate(lanes);
        info!(%tenant, lanes = surplus.len(), "handing lanes over");
        self.release(&surplus).await
    }

    async fn release(&self, lanes: &[LaneEpoch]) -> Result<(), Error> {
        if lanes.is_empty() {
            return Ok(());
        }
        // Nobody commits while this is held, and afterwards nobody knows these lanes as ours.
        let closed = self.fence.close().await;
        self.ownership.remove(lanes);
        drop(closed);
        self.in_flight.drained(lanes, RELEASE_PATIENCE).await;
        lane::release(&self.pool, &self.replica, lanes).await
    }

    async fn leave(&self) {
        let lanes = self.ownership.all();
        info!(lanes = lanes.len(), "giving lanes back");
        let left = async {
            self.release(&lanes).await?;
            replica::leave(&self.pool, &self.replica).await
        };
        if let Err(error) = left.await {
            warn!(%error, "lanes were not given back; others take them when the lease ends");
        }
    }
}

/// Lanes that one of so many replicas aims at.
fn fair_share(living: usize) -> usize {
    usize::from(LANES.unsigned_abs()).div_ceil(living.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_all_lanes() {
        for living in 1..=70 {
            assert!(fair_share(living) * living >= 64, "{living} replicas");
        }
        assert_eq!(fair_share(0), 64, "a replica that does not see itself yet is alone");
        assert_eq!(fair_share(3), 22);
    }
}
