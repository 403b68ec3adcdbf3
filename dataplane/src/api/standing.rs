//! How many open sessions stand at which node, and how many failed of late, for the admin port: the operator shows it.
//! Two grouped queries, at most every few seconds, whoever asks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio::sync::Mutex;
use wigwag_crds::sessions::{Errored, Standing};
use wigwag_store::{Error, session_view};

use crate::config::Config;

/// How old an answer may be.
const FRESH: Duration = Duration::from_secs(5);

/// Counts sessions.
#[derive(Clone)]
pub struct Census {
    config: Arc<ArcSwap<Config>>,
    pool: PgPool,
    last: Arc<Mutex<Option<(Instant, Standing)>>>,
}

impl Census {
    /// Counts those of the tenants that run.
    #[must_use]
    pub fn new(config: Arc<ArcSwap<Config>>, pool: PgPool) -> Self {
        Self { config, pool, last: Arc::default() }
    }

    /// Where the open sessions of each tenant stand and what failed, at most 5 s ago.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get(&self) -> Result<Standing, Error> {
        // Whoever asks meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some((at, standing)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(standing.clone());
        }
        let tenants: Vec<_> = self.config.load().tenants.keys().cloned().collect();
        let mut standing = Standing::default();
        for row in session_view::standing(&self.pool, &tenants).await? {
            let flows = standing.tenants.entry(row.tenant.to_string()).or_default();
            let nodes = flows.entry(row.flow).or_default().open.entry(row.revision).or_default();
            nodes.insert(row.node, row.sessions.unsigned_abs());
        }
        for row in session_view::errored(&self.pool, &tenants).await? {
            let flows = standing.tenants.entry(row.tenant.to_string()).or_default();
            let errored = Errored { node: row.node, kind: row.kind, sessions: row.sessions.unsigned_abs() };
            flows.entry(row.flow).or_default().errored.push(errored);
        }
        *last = Some((Instant::now(), standing.clone()));
        Ok(standing)
    }
}
