//! Conditions: their types, the closed set of their reasons, and how an old and a new list become one.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

/// Types of conditions of a [`crate::WhatsAppTenant`].
pub mod tenant {
    /// Every Secret and key that the tenant names is there.
    pub const CREDENTIALS_VALID: &str = "CredentialsValid";
    /// The data plane reaches its database, and the database is of its version.
    pub const DATABASE_READY: &str = "DatabaseReady";
    /// The Ingress has an address.
    pub const ROUTE_PROGRAMMED: &str = "RouteProgrammed";
    /// As many replicas as wanted are ready.
    pub const WORKER_AVAILABLE: &str = "WorkerAvailable";
    /// Every provider takes our messages.
    pub const SEND_READY: &str = "SendReady";
    /// All of the above, and the configuration of the spec runs everywhere.
    pub const READY: &str = "Ready";
}

/// Types of conditions of a [`crate::Flow`].
pub mod flow {
    /// The Flow compiles.
    pub const ACCEPTED: &str = "Accepted";
    /// What it refers to outside itself exists.
    pub const RESOLVED: &str = "Resolved";
    /// Every ready replica runs this revision.
    pub const PROGRAMMED: &str = "Programmed";
    /// New conversations run this revision.
    pub const READY: &str = "Ready";
}

/// Why a condition is as it is. A closed set: dashboards and alerts match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    // Both kinds.
    /// Everything is as it should be.
    Ready,
    /// Not looked at yet.
    Pending,
    // Tenants.
    /// All Secrets and keys are there.
    CredentialsFound,
    /// A Secret, or a key of it, is missing or holds nothing to use.
    SecretMissing,
    /// The data plane is connected to a database of its version.
    DatabaseConnected,
    /// The data plane does not reach its database.
    DatabaseUnreachable,
    /// No replica has reported yet.
    NoReplicaReports,
    /// The Ingress has an address.
    RouteProgrammed,
    /// The ingress controller has given no address yet.
    RoutePending,
    /// The tenant asks for no route.
    NoRoute,
    /// Another tenant has the host already.
    HostConflict,
    /// All wanted replicas are ready.
    ReplicasReady,
    /// Replicas are starting or failing.
    ReplicasUnready,
    /// Nobody asks for replicas.
    NoReplicas,
    /// All providers take our messages.
    ProvidersAccept,
    /// A provider refused our token; sending waits.
    TokenRefused,
    /// Replicas have yet to load what the spec says.
    ConfigPending,
    /// A replica refuses its configuration and runs the one before.
    ConfigRefused,
    /// The configuration does not fit into a ConfigMap.
    ConfigTooLarge,
    /// An object with a name that we need belongs to someone else.
    NameTaken,
    /// The API server refuses an object that we make; its own words tell why.
    ObjectRefused,
    /// The spec does not read as one of this version.
    SpecUnreadable,
    // Flows.
    /// The Flow compiles.
    Compiled,
    /// The Flow has errors; see its findings.
    FlowInvalid,
    /// Its tenant exists.
    TenantFound,
    /// Its tenant does not exist.
    TenantMissing,
    /// Every ready replica runs this revision.
    Programmed,
    /// Replicas have yet to load this revision.
    ProgrammingPending,
    /// It runs, and takes no new conversations until its `suspend` is taken away.
    Suspended,
    /// Open sessions stand at a node that an edit took away. Only told as an event: the Flow runs all the same.
    NodeInUse,
}

impl Reason {
    /// The word that stands in the condition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Pending => "Pending",
            Self::CredentialsFound => "CredentialsFound",
            Self::SecretMissing => "SecretMissing",
            Self::DatabaseConnected => "DatabaseConnected",
            Self::DatabaseUnreachable => "DatabaseUnreachable",
            Self::NoReplicaReports => "NoReplicaReports",
            Self::RouteProgrammed => "RouteProgrammed",
            Self::RoutePending => "RoutePending",
            Self::NoRoute => "NoRoute",
            Self::HostConflict => "HostConflict",
            Self::ReplicasReady => "ReplicasReady",
            Self::ReplicasUnready => "ReplicasUnready",
            Self::NoReplicas => "NoReplicas",
            Self::ProvidersAccept => "ProvidersAccept",
            Self::TokenRefused => "TokenRefused",
            Self::ConfigPending => "ConfigPending",
            Self::ConfigRefused => "ConfigRefused",
            Self::ConfigTooLarge => "ConfigTooLarge",
            Self::NameTaken => "NameTaken",
            Self::ObjectRefused => "ObjectRefused",
            Self::SpecUnreadable => "SpecUnreadable",
            Self::Compiled => "Compiled",
            Self::FlowInvalid => "FlowInvalid",
            Self::TenantFound => "TenantFound",
            Self::TenantMissing => "TenantMissing",
            Self::Programmed => "Programmed",
            Self::ProgrammingPending => "ProgrammingPending",
            Self::Suspended => "Suspended",
            Self::NodeInUse => "NodeInUse",
        }
    }
}

/// Three-valued, as Kubernetes has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// `True`
    True,
    /// `False`
    False,
    /// `Unknown`: not looked at, or not to be known now.
    Unknown,
}

impl Truth {
    /// The word that stands in the condition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// A condition before it has met the one that stands in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// One of the constants of [`tenant`] or [`flow`].
    pub type_: &'static str,
    /// Does it hold?
    pub status: Truth,
    /// Why.
    pub reason: Reason,
    /// In words: what is wrong, where, and what to do next.
    pub message: String,
}

impl Verdict {
    /// A verdict with its message.
    #[must_use]
    pub fn new(type_: &'static str, status: Truth, reason: Reason, message: impl Into<String>) -> Self {
        Self { type_, status, reason, message: message.into() }
    }
}

/// The list to write: the new verdicts, each with the time at which its status last changed. Where nothing changed
/// the result equals `old`, so that nothing is written.
#[must_use]
pub fn merge(old: &[Condition], verdicts: &[Verdict], generation: Option<i64>, now: Timestamp) -> Vec<Condition> {
    verdicts
        .iter()
        .map(|verdict| {
            let since = old
                .iter()
                .find(|c| c.type_ == verdict.type_ && c.status == verdict.status.as_str())
                .map_or(Time(now), |c| c.last_transition_time.clone());
            Condition {
                type_: verdict.type_.to_owned(),
                status: verdict.status.as_str().to_owned(),
                reason: verdict.reason.as_str().to_owned(),
                message: verdict.message.clone(),
                observed_generation: generation,
                last_transition_time: since,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("time")
    }

    #[test]
    fn a_condition_keeps_its_time_until_its_status_changes() {
        let yes = Verdict::new(tenant::READY, Truth::True, Reason::Ready, "ok");
        let first = merge(&[], std::slice::from_ref(&yes), Some(1), at(10));
        let again = merge(&first, &[yes], Some(1), at(20));
        assert_eq!(first, again, "an unchanged verdict must not lead to a write");
        let no = Verdict::new(tenant::READY, Truth::False, Reason::SecretMissing, "no");
        assert_eq!(merge(&again, &[no], Some(1), at(30))[0].last_transition_time, Time(at(30)));
    }
}
