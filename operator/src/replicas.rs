//! What each replica of each tenant's data plane really runs: its `/configz`, polled. And where the tenant's open
//! sessions stand: one replica's `/sessions`, once a minute.
//!
//! A tenant's reconcile says what it expects (`expect`); a task for each tenant asks its replicas, eagerly after a change
//! and seldom otherwise; what they newly tell wakes the tenant and its Flows, whose reconciles read it here (`view`).

mod poll;
mod probe;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};
use wigwag_crds::{
    configz::{Configz, TenantReport},
    sessions::FlowStanding,
};

pub use probe::Prober;

/// A tenant, as `/configz` names it: `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What a tenant's replicas should come to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Configuration revision of the ConfigMap; empty if there is none.
    pub revision: String,
    /// Every Flow that names the tenant, with the revision in the ConfigMap; `None` if no revision of it is there.
    pub flows: BTreeMap<String, Option<String>>,
    /// Mark of each Secret that the data plane loads, by name; that of an empty Secret where it is missing.
    pub secrets: BTreeMap<String, String>,
    /// The mark of an empty Secret; a replica without the Secret's files may as well name none.
    pub empty_mark: String,
    /// The Pods.
    pub targets: Vec<Target>,
}

/// A Pod of the data plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name of the Pod.
    pub pod: String,
    /// Where it answers; `None` until it has an address.
    pub address: Option<SocketAddr>,
    /// Whether it takes traffic.
    pub ready: bool,
}

/// What a replica answered, or why it did not.
pub type Report = Result<Configz, String>;

/// The sessions of a tenant, by Flow.
pub type Sessions = BTreeMap<String, FlowStanding>;

/// What is expected of a tenant's replicas, and what they told last, by Pod.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The expectation.
    pub expected: Expected,
    /// The answers; Pods that were not asked yet are not among them.
    pub reports: BTreeMap<String, Report>,
    /// The sessions, as a minute ago at most; `None` before the first answer.
    pub sessions: Option<Sessions>,
}

/// How far a replica is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lag {
    /// It runs what is expected.
    None,
    /// It runs another configuration; its revision, empty if it runs none.
    Config(String),
    /// It has yet to load this Secret.
    Secret(String),
}

/// Told when a replica has something new to tell.
pub trait Listener: Send + Sync {
    /// The tenant's replicas told something new.
    fn tenant(&self, tenant: &TenantKey);
    /// What is expected or known of the Flow's revision changed.
    fn flow(&self, namespace: &str, flow: &str);
}

/// All tenants' replicas.
pub struct Replicas {
    tenants: Mutex<HashMap<TenantKey, Watched>>,
    prober: Prober,
    listener: Box<dyn Listener>,
}

struct Watched {
    expected: watch::Sender<Expected>,
    reports: watch::Sender<BTreeMap<String, Report>>,
    sessions: Option<Sessions>,
}

/// A reconcile waits no longer for the answers of Pods that were not asked yet. A round takes one second at most.
const FIRST_ANSWER: Duration = Duration::from_millis(1_200);

// === impl Replicas ===

impl Replicas {
    /// No tenants yet.
    pub fn new(listener: Box<dyn Listener>) -> Arc<Self> {
        Arc::new(Self { tenants: Mutex::default(), prober: Prober::default(), listener })
    }

    /// From now on this is expected of the tenant's replicas. Asks them at once if that is news.
    pub fn expect(self: &Arc<Self>, tenant: &TenantKey, expected: Expected) {
        let mut tenants = self.lock();
        let old = match tenants.get(tenant) {
            Some(watched) => {
                let old = watched.expected.borrow().clone();
                if old == expected {
                    return;
                }
                watched.expected.send_replace(expected.clone());
                old
            }
            None => {
                let (sender, receiver) = watch::channel(expected.clone());
                let reports = watch::Sender::new(BTreeMap::new());
                tenants.insert(tenant.clone(), Watched { expected: sender, reports, sessions: None });
                tokio::spawn(poll::run(Arc::clone(self), tenant.clone(), receiver));
                Expected::default()
            }
        };
        drop(tenants);
        let names: BTreeSet<_> = old.flows.keys().chain(expected.flows.keys()).collect();
        for name in names {
            self.listener.flow(&tenant.namespace, name);
        }
    }

    /// What is known once every Pod with an address was asked, so that neither a restart of the operator nor a new Pod
    /// makes a tenant look as if nothing were known of it.
    pub async fn asked(&self, tenant: &TenantKey) -> View {
        let Some(View { expected, .. }) = self.view(tenant) else { return View::default() };
        let Some(mut reports) = self.lock().get(tenant).map(|watched| watched.reports.subscribe()) else {
            return View::default();
        };
        let asked = |reports: &BTreeMap<String, Report>| {
            let mut targets = expected.targets.iter().filter(|target| target.address.is_some());
            targets.all(|target| reports.contains_key(&target.pod))
        };
        let all = reports.wait_for(asked);
        // Whoever has not answered by then counts as silent.
        let _ = timeout(FIRST_ANSWER, all).await;
        self.view(tenant).unwrap_or_default()
    }

    /// The tenant is gone; its task ends.
    pub fn forget(&self, tenant: &TenantKey) {
        self.lock().remove(tenant);
    }

    /// What is known; `None` before the tenant's first reconcile.
    #[must_use]
    pub fn view(&self, tenant: &TenantKey) -> Option<View> {
        let tenants = self.lock();
        let watched = tenants.get(tenant)?;
        let expected = watched.expected.borrow().clone();
        // Pods come and go between two rounds; only those that are expected count.
        let mut reports = watched.reports.borrow().clone();
        reports.retain(|pod, _| expected.targets.iter().any(|target| target.pod == *pod));
        Some(View { expected, reports, sessions: watched.sessions.clone() })
    }

    /// A round's answers; wakes those that depend on them where they are news.
    fn heard(&self, tenant: &TenantKey, reports: BTreeMap<String, Report>) {
        let mut tenants = self.lock();
        let Some(watched) = tenants.get_mut(tenant) else { return };
        let news = *watched.reports.borrow() != reports;
        watched.reports.send_replace(reports);
        if !news {
            return;
        }
        let flows: Vec<_> = watched.expected.borrow().flows.keys().cloned().collect();
        drop(tenants);
        self.listener.tenant(tenant);
        for flow in flows {
            self.listener.flow(&tenant.namespace, &flow);
        }
    }

    /// Where the sessions stand; wakes the Flows whose sessions are not where they were.
    fn counted(&self, tenant: &TenantKey, sessions: Sessions) {
        let mut tenants = self.lock();
        let Some(watched) = tenants.get_mut(tenant) else { return };
        let first = watched.sessions.is_none();
        let old = watched.sessions.replace(sessions.clone()).unwrap_or_default();
        let mut flows: Vec<_> = watched.expected.borrow().flows.keys().cloned().collect();
        drop(tenants);
        flows.retain(|flow| first || old.get(flow) != sessions.get(flow));
        for flow in flows {
            self.listener.flow(&tenant.namespace, &flow);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantKey, Watched>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl View ===

impl View {
    /// Answers of the replicas that take traffic, by Pod.
    pub fn ready(&self) -> impl Iterator<Item = (&str, &Configz)> {
        let ready = self.expected.targets.iter().filter(|target| target.ready);
        ready.filter_map(|target| Some((target.pod.as_str(), self.reports.get(&target.pod)?.as_ref().ok()?)))
    }

    /// All answers, by Pod.
    pub fn answers(&self) -> impl Iterator<Item = (&str, &Configz)> {
        self.reports.iter().filter_map(|(pod, report)| Some((pod.as_str(), report.as_ref().ok()?)))
    }

    /// Number of replicas that take traffic.
    #[must_use]
    pub fn ready_targets(&self) -> usize {
        self.expected.targets.iter().filter(|target| target.ready).count()
    }
}

// === impl Expected ===

impl Expected {
    /// How far a replica with this report is behind.
    #[must_use]
    pub fn lag(&self, report: Option<&TenantReport>) -> Lag {
        let Some(report) = report else { return Lag::Config(String::new()) };
        if report.revision != self.revision {
            return Lag::Config(report.revision.clone());
        }
        let stale =
            self.secrets.iter().find(|(name, mark)| report.secrets.get(*name).unwrap_or(&self.empty_mark) != *mark);
        stale.map_or(Lag::None, |(name, _)| Lag::Secret(name.clone()))
    }

    /// Whether nothing more is to come: the replica runs what is expected and has nothing to complain about.
    fn is_settled(&self, tenant: &TenantKey, report: Option<&Report>) -> bool {
        let Some(Ok(configz)) = report else { return false };
        let report = configz.tenants.get(&tenant.to_string());
        let paused = report.is_some_and(|report| report.channels.values().any(|channel| channel.paused.is_some()));
        self.lag(report) == Lag::None && configz.database.ready && configz.problems.is_empty() && !paused
    }
}

// === impl TenantKey ===

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

// === impl Replicas ===

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replicas").field("tenants", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
