//! How much comes in by each number: told by ingest, counted against the number's throughput by dispatch.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use wigwag_domain::{ProviderName, TenantKey};

/// An account of a tenant.
pub type Account = (TenantKey, ProviderName);

/// Messages that came in since dispatch last asked.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<HashMap<Account, u32>>);

impl Traffic {
    /// So many messages came in.
    pub fn received(&self, tenant: &TenantKey, provider: &ProviderName, messages: u32) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((tenant.clone(), provider.clone())).or_default() += messages;
    }

    /// What came in since the last call.
    #[must_use]
    pub fn take(&self) -> HashMap<Account, u32> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
