//! The configuration as `GET /configz` shows it: what runs, and why that is not what the files say. Holds no secret.

use std::collections::BTreeMap;

use wigwag_crds::configz::{ChannelReport, Configz, DatabaseReport, FlowReport, TenantReport};
use wigwag_domain::{ProviderName, TenantKey};

use super::{Config, Tenant};

/// What the process knows besides its configuration.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// Name under which it owns lanes.
    pub replica: String,
    /// The database as it sees it.
    pub database: DatabaseReport,
    /// Channels whose sends wait, and why.
    pub paused: BTreeMap<(TenantKey, ProviderName), String>,
}

/// The whole document.
#[must_use]
pub fn configz(config: &Config, runtime: &Runtime) -> Configz {
    Configz {
        replica: runtime.replica.clone(),
        database: runtime.database.clone(),
        tenants: config.tenants.values().map(|t| (t.key.to_string(), report(t, runtime))).collect(),
        problems: config.problems.clone(),
    }
}

fn report(tenant: &Tenant, runtime: &Runtime) -> TenantReport {
    let running = tenant.flows.iter().map(|flow| {
        let report = FlowReport { revision: flow.program.revision().to_owned(), findings: flow.findings.clone() };
        (flow.program.name().to_owned(), report)
    });
    let refused = tenant
        .refused
        .iter()
        .map(|(name, findings)| (name.clone(), FlowReport { revision: String::new(), findings: findings.clone() }));
    let channels = tenant.channels.values().map(|channel| {
        let paused = runtime.paused.get(&(tenant.key.clone(), channel.name.clone())).cloned();
        (channel.name.to_string(), ChannelReport { credentials: channel.adapter.is_some(), paused })
    });
    TenantReport {
        revision: tenant.revision.clone(),
        flows: running.chain(refused).collect(),
        secrets: tenant.secret_marks.clone(),
        channels: channels.collect(),
    }
}
