//! Accounts that take no messages for now, as all replicas know from the table `channel`. Sending waits; receiving
//! goes on. A pause ends when another token is in place, or when a try every few minutes succeeds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tracing::{error, info};
use wigwag_domain::{ProviderName, TenantKey};
use wigwag_store::{Error, channel};

use crate::{config::Config, dispatch::traffic::Account};

/// The paused accounts.
#[derive(Clone)]
pub struct Channels {
    paused: Arc<Mutex<HashMap<Account, Paused>>>,
    config: Arc<ArcSwap<Config>>,
    pool: PgPool,
}

#[derive(Clone, Debug)]
struct Paused {
    reason: String,
    probe_due: bool,
}

/// Whether a message may go out by an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Open,
    /// One may, to try.
    Probe,
    /// None may.
    Shut,
}

impl Channels {
    /// No account is paused as far as we know.
    #[must_use]
    pub fn new(config: Arc<ArcSwap<Config>>, pool: PgPool) -> Self {
        Self { paused: Arc::default(), config, pool }
    }

    /// Reads the table, and ends pauses whose token was replaced.
    ///
    /// # Errors
    /// See [`Error::fault`].
    pub async fn refresh(&self) -> Result<(), Error> {
        let mut paused = HashMap::new();
        for row in channel::paused(&self.pool).await? {
            let mark = self.token_mark(&row.tenant, &row.provider);
            if mark.as_ref().is_some_and(|mark| *mark != row.token_mark) {
                info!(tenant = %row.tenant, provider = %row.provider, "token was replaced; sending goes on");
                channel::resume(&self.pool, &row.tenant, &row.provider).await?;
            } else if mark.is_some() {
                let state = Paused { reason: row.reason, probe_due: row.probe_due };
                paused.insert((row.tenant, row.provider), state);
            }
        }
        *self.lock() = paused;
        Ok(())
    }

    /// Whether a message may go out.
    #[must_use]
    pub fn gate(&self, tenant: &TenantKey, provider: &ProviderName) -> Gate {
        match self.lock().get(&(tenant.clone(), provider.clone())) {
            None => Gate::Open,
            Some(paused) if paused.probe_due => Gate::Probe,
            Some(_) => Gate::Shut,
        }
    }

    /// Takes the right to try with one message.
    pub async fn take_probe(&self, tenant: &TenantKey, provider: &ProviderName) -> bool {
        if let Some(paused) = self.lock().get_mut(&(tenant.clone(), provider.clone())) {
            paused.probe_due = false;
        }
        channel::take_probe(&self.pool, tenant, provider).await.unwrap_or(false)
    }

    /// The provider refused us: nothing more goes out by this account.
    pub async fn pause(&self, tenant: &TenantKey, provider: &ProviderName, reason: &str) {
        let mark = self.token_mark(tenant, provider).unwrap_or_default();
        error!(%tenant, %provider, reason, "sending is paused; receiving goes on");
        let paused = Paused { reason: reason.to_owned(), probe_due: false };
        self.lock().insert((tenant.clone(), provider.clone()), paused);
        if let Err(error) = channel::pause(&self.pool, tenant, provider, reason, &mark).await {
            error!(%tenant, %provider, %error, "other replicas were not told of the pause; each finds out by itself");
        }
    }

    /// A message went through.
    pub async fn accepted(&self, tenant: &TenantKey, provider: &ProviderName) {
        if self.lock().remove(&(tenant.clone(), provider.clone())).is_none() {
            return;
        }
        info!(%tenant, %provider, "the provider takes messages again");
        if let Err(error) = channel::resume(&self.pool, tenant, provider).await {
            error!(%tenant, %provider, %error, "the end of the pause was not written; the next message tries again");
        }
    }

    /// Why an account is paused.
    #[must_use]
    pub fn reason(&self, tenant: &TenantKey, provider: &ProviderName) -> Option<String> {
        self.lock().get(&(tenant.clone(), provider.clone())).map(|paused| paused.reason.clone())
    }

    fn token_mark(&self, tenant: &TenantKey, provider: &ProviderName) -> Option<String> {
        let config = self.config.load();
        Some(config.tenants.get(tenant)?.channels.get(provider)?.token_mark.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Account, Paused>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
