//! What must be done once for a tenant, not once for each replica: by the owner of its lane 0, with jitter.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rand::Rng;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wigwag_domain::{Lane, TenantKey};
use wigwag_store::{Error, dedupe, flow_revision, job_ready, receipt};

use crate::{
    config::Config,
    lanes::{hint::Hints, ownership::Ownership},
    metrics::Metrics,
};

/// Time between looks at fresh orphans and at the depth of queues.
const EVERY: Duration = Duration::from_secs(1);
/// Rounds between looks at all orphans, and between clean-ups.
const HOURLY: u32 = 3600;
/// Rows that are deleted at once.
const BATCH: i64 = 5_000;

/// Keeps tables small and orphans few.
pub struct Upkeep {
    /// The tenants.
    pub config: Arc<ArcSwap<Config>>,
    /// The database.
    pub pool: PgPool,
    /// What is ours.
    pub ownership: Arc<Ownership>,
    /// Told of new jobs.
    pub hints: Hints,
    /// Gauges of queues and lanes.
    pub metrics: Arc<Metrics>,
}

impl Upkeep {
    /// Works until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut round = rand::rng().random_range(0..HOURLY);
        loop {
            let pause = EVERY.mul_f64(rand::rng().random_range(0.9..1.1));
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            round = (round + 1) % HOURLY;
            if let Err(error) = self.round(round == 0).await {
                warn!(%error, "upkeep");
            }
        }
    }

    async fn round(&self, hourly: bool) -> Result<(), Error> {
        self.metrics.lanes(self.ownership.all().len());
        let config = self.config.load_full();
        let ours: Vec<TenantKey> =
            config.tenants.keys().filter(|key| self.ownership.epoch(key, Lane(0)).is_some()).cloned().collect();
        if ours.is_empty() {
            return Ok(());
        }
        for depth in job_ready::depth(&self.pool, &ours.iter().collect::<Vec<_>>()).await? {
            self.metrics.queue(&depth.tenant, depth.jobs, depth.oldest_seconds);
        }
        let mut connection = self.pool.acquire().await.map_err(Error::from)?;
        let which = if hourly { receipt::Which::All(&ours) } else { receipt::Which::Fresh(&ours) };
        let adopted = receipt::adopt(&mut connection, which).await?;
        for changed in &adopted.changed {
            self.metrics.receipt(&changed.tenant);
        }
        self.hints.new_jobs(adopted.jobs, HashMap::new());
        if hourly {
            let forgotten = dedupe::forget_old(&mut connection, BATCH).await?;
            drop(connection);
            for key in &ours {
                let Some(tenant) = config.tenants.get(key) else { continue };
                let current: Vec<_> = tenant
                    .flows
                    .iter()
                    .map(|flow| (flow.program.name().to_owned(), flow.program.revision().to_owned()))
                    .collect();
                flow_revision::forget_unused(&self.pool, key, &current, BATCH).await?;
            }
            info!(dedupe_keys = forgotten, "cleaned up");
        }
        Ok(())
    }
}
