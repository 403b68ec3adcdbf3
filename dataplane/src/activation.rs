//! From files to what runs: a new configuration is read, its revisions are stored where sessions will find them, each
//! tenant gets the key of its resume URLs, and then it is swapped in at once.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wigwag_flow::ResumeKey;
use wigwag_store::{Error, flow_revision, flow_revision::FlowRevision, lane, tenant_key};

use crate::{
    config::{self, Config, Loaded},
    health::Health,
};

/// Brings configurations to life.
pub struct Activation {
    /// Folder with manifests.
    pub config_dir: PathBuf,
    /// Folder with Secrets.
    pub secrets_dir: PathBuf,
    /// What runs.
    pub config: Arc<ArcSwap<Config>>,
    /// The database.
    pub pool: PgPool,
    /// Told when something runs.
    pub health: Arc<Health>,
}

impl Activation {
    /// Follows the files until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = config::watch(&self.config_dir, &self.secrets_dir);
        loop {
            self.activate(&stop).await;
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Reads the files as they are now, and swaps them in once the database has what they need.
    async fn activate(&self, stop: &CancellationToken) {
        let before = self.config.load_full();
        let Loaded { config: mut new, changed } = config::load(&self.config_dir, &self.secrets_dir, Some(&before));
        if !changed && self.health.is_configured() {
            return;
        }
        for problem in &new.problems {
            warn!(problem, "configuration");
        }
        while let Err(error) = self.prepare(&mut new).await {
            warn!(%error, "the new configuration waits for the database");
            let mut waiting = Config::clone(&before);
            waiting.problems.clone_from(&new.problems);
            waiting.problems.push(format!("the new configuration waits for the database: {error}"));
            self.config.store(Arc::new(waiting));
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
            }
        }
        for (key, tenant) in &new.tenants {
            if before.tenants.get(key).is_none_or(|old| old.revision != tenant.revision) {
                info!(tenant = %key, revision = tenant.revision, flows = tenant.flows.len(), "configuration is active");
            }
        }
        self.config.store(Arc::new(new));
        self.health.configured();
    }

    /// Brings the database and the configuration together: what one needs of the other.
    async fn prepare(&self, config: &mut Config) -> Result<(), Error> {
        self.store(config).await?;
        for tenant in config.tenants.values_mut() {
            // Without a host there is no URL at which a conversation could be resumed.
            let Some(base_url) = tenant.base_url.clone() else { continue };
            let key = ResumeKey::new(tenant_key::get(&self.pool, &tenant.key, rand::random()).await?);
            let tenant = Arc::make_mut(tenant);
            tenant.conversation = tenant.conversation.clone().with_resume(base_url, key);
        }
        Ok(())
    }

    async fn store(&self, config: &Config) -> Result<(), Error> {
        let revisions: Vec<FlowRevision<'_>> = config
            .tenants
            .values()
            .flat_map(|tenant| {
                tenant.flows.iter().map(|flow| FlowRevision {
                    tenant: &tenant.key,
                    flow: flow.program.name(),
                    revision: flow.program.revision(),
                    spec: &flow.spec,
                })
            })
            .collect();
        flow_revision::insert(&self.pool, &revisions).await?;
        lane::ensure(&self.pool, &config.tenants.keys().collect::<Vec<_>>()).await
    }
}
