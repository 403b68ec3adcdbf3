//! `GET /sessions` on the data plane's admin port: how many open sessions stand where, and how many failed of late. The
//! operator shows it in the status of Flows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Open sessions by node.
pub type Nodes = BTreeMap<String, u64>;

/// Open sessions by revision and node.
pub type Revisions = BTreeMap<String, Nodes>;

/// The whole document. Each replica tells of all sessions of its tenants, as they stood at most 5 s ago, so one of them
/// is enough to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// By tenant (`namespace/name`) and Flow. What has neither an open session nor a failed one is not there.
    pub tenants: BTreeMap<String, BTreeMap<String, FlowStanding>>,
}

/// The sessions of a Flow. One that is in a called Flow counts for the Flow that was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowStanding {
    /// Open ones, at the Flow's own node: while in a called Flow, at the one that called.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: Revisions,
    /// Those that could not go on, of the last 24 hours; of a tenant's last 1,000 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errored: Vec<Errored>,
}

/// Sessions that ended as `Errored` in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Errored {
    /// The node that failed; of the called Flow, where it was in one.
    pub node: String,
    /// What failed, as `wigwag_flow_errors_total` says it: `http-5xx`, `send`, `timeout` and so on.
    pub kind: String,
    /// How many.
    pub sessions: u64,
}
