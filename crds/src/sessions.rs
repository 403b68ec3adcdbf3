//! `GET /sessions` on the data plane's admin port: how many open sessions stand where. The operator shows it in the
//! status of Flows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Open sessions by node.
pub type Nodes = BTreeMap<String, u64>;

/// Open sessions by revision and node.
pub type Revisions = BTreeMap<String, Nodes>;

/// The whole document. Each replica tells of all open sessions of its tenants, as they stood at most 5 s ago, so one of
/// them is enough to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// By tenant (`namespace/name`), Flow, revision and node. What has no open session is not there. A session that is
    /// in a called Flow counts for the Flow that was started, at the node that called.
    pub tenants: BTreeMap<String, BTreeMap<String, Revisions>>,
}
