//! `GET /configz` on the data plane's admin port: which configuration really runs. The operator polls it; people
//! read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::flow::Finding;

/// The whole document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configz {
    /// Name under which this process owns lanes.
    pub replica: String,
    /// Whether the database answers and is of this version.
    pub database: DatabaseReport,
    /// One for each tenant, by `namespace/name`.
    pub tenants: BTreeMap<String, TenantReport>,
    /// Why the newest files are not what runs: one line for each file, field and cause. Empty when they are.
    pub problems: Vec<String>,
}

/// State of the database as this process sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseReport {
    /// It answered lately and has this version's tables.
    pub ready: bool,
    /// What is wrong; empty when nothing is. Never holds the URL.
    pub message: String,
}

/// What one tenant runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantReport {
    /// Configuration revision that runs; see [`crate::revision::config_revision`].
    pub revision: String,
    /// The Flows that run, by name.
    pub flows: BTreeMap<String, FlowReport>,
    /// Marks of the Secrets as loaded, by name; see [`crate::revision::secret_mark`].
    pub secrets: BTreeMap<String, String>,
    /// The channels, by provider.
    pub channels: BTreeMap<String, ChannelReport>,
}

/// What runs of one Flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowReport {
    /// Revision that new conversations get.
    pub revision: String,
    /// What the check found in the newest manifest.
    pub findings: Vec<Finding>,
}

/// State of a provider's channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelReport {
    /// All credential files are there; without them webhooks of this provider are answered 503.
    pub credentials: bool,
    /// Sending waits, and why; receiving goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
}
