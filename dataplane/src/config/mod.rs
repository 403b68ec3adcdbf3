//! The configuration: a folder of manifests, the same that `kubectl apply` takes, and a folder of Secrets. What the
//! operator mounts and what a person keeps on a laptop is read alike.
//!
//! [`watch()`] tells that files changed, [`load()`] reads them into a [`Config`], and who serves swaps that in at once. A
//! broken manifest never takes anything down: what ran before it was broken goes on running, and
//! [`Config::problems`] says why.
//!
//! | module | what |
//! | --- | --- |
//! | `folder` | the files: which there are, which cannot be read |
//! | `manifest` | a file's documents: tenants, Flows, Secrets |
//! | `typed` | untyped YAML to our types, naming each field that does not fit |
//! | `rules` | what the API server's schema would refuse |
//! | `secrets` | keys of Secrets, from files or manifests |
//! | `links` | what Flows say of each other and of their tenant |
//! | `entrusted` | what calls may do, and who may use the API |
//! | `load` | all of it together, over the configuration before |
//! | `watch` | has anything changed? |
//! | `configz` | the configuration as the admin port shows it |

mod configz;
mod entrusted;
mod folder;
pub(crate) mod links;
mod load;
pub(crate) mod manifest;
mod rules;
mod secrets;
#[cfg(test)]
mod tests;
pub(crate) mod typed;
mod watch;

use std::{collections::BTreeMap, fmt, hint::black_box, sync::Arc};

use wigwag_crds::flow::Finding;
use wigwag_domain::{ProviderName, TenantKey};
use wigwag_flow::Program;
use wigwag_providers::Provider;

pub use configz::{Runtime, configz};
pub use load::{Loaded, load};
pub use watch::watch;

use crate::calls::policy::CallPolicy;
use manifest::{SecretManifest, TenantManifest};

/// Everything that runs.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The tenants.
    pub tenants: BTreeMap<TenantKey, Arc<Tenant>>,
    /// Why the newest files are not what runs: one line for each file, field and cause.
    pub problems: Vec<String>,
    /// Secrets that stand among the manifests, by namespace and name; the next configuration goes back to them if their
    /// file breaks.
    secrets: BTreeMap<(String, String), SecretManifest>,
}

/// A tenant as it runs.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its key in every table.
    pub key: TenantKey,
    /// The host of its webhooks.
    pub host: Option<String>,
    /// The same as `https://HOST` or `http://HOST`: what its URLs begin with.
    pub base_url: Option<String>,
    /// Revision of what runs: over the spec and the Flows of [`flows`](Self::flows).
    pub revision: String,
    /// Its provider accounts.
    pub channels: BTreeMap<ProviderName, Channel>,
    /// The Flows that run.
    pub flows: Vec<LoadedFlow>,
    /// What its conversations get from it.
    pub conversation: wigwag_flow::Tenant,
    /// What the calls of its Flows may do.
    pub policy: Arc<CallPolicy>,
    /// Who may use its API.
    pub tokens: Tokens,
    /// Findings of the Flows that do not run in any revision, by name.
    pub refused: BTreeMap<String, Vec<Finding>>,
    /// Marks of the Secrets as they were found, by name.
    pub secret_marks: BTreeMap<String, String>,
    /// Where it comes from; the next configuration goes back to it if its file breaks.
    manifest: Arc<TenantManifest>,
}

/// The bearer tokens of a tenant's API; without one nobody may use it. `Debug` shows none of them.
#[derive(Clone, Default)]
pub struct Tokens(Vec<String>);

/// A provider account of a tenant.
#[derive(Clone)]
pub struct Channel {
    /// Its name.
    pub name: ProviderName,
    /// Speaks to the provider; `None` while a credential is missing. Its webhooks are answered 503 then.
    pub adapter: Option<Arc<dyn Provider>>,
    /// The files that are missing or hold nothing to use, as `SECRET/KEY`.
    pub missing: Vec<String>,
    /// Messages a second that the number may carry, in and out together.
    pub throughput: u32,
    /// Mark of the access token: it changes with the token. Empty where there is none.
    pub token_mark: String,
}

/// A Flow that runs.
#[derive(Clone, Debug)]
pub struct LoadedFlow {
    /// The program; it knows its name and revision.
    pub program: Program,
    /// The text of this revision: its `spec` as canonical JSON.
    pub spec: String,
    /// What the check found in the newest manifest, which may be newer than the program.
    pub findings: Vec<Finding>,
    /// Name of the file that it comes from.
    file: String,
}

// === impl Config ===

impl Config {
    /// Which tenant a request is for: the one whose host it names, else the one of the path's prefix `/t/{tenant}`,
    /// else the one of `X-Tenant-Id`, else the only one there is. A prefix or header that names no tenant, or more than
    /// one, finds none.
    #[must_use]
    pub fn find(&self, host: Option<&str>, prefix: Option<&str>, header: Option<&str>) -> Option<Arc<Tenant>> {
        if let Some(tenant) = host.and_then(|host| self.with_host(host)) {
            return Some(tenant.clone());
        }
        match prefix.or(header) {
            Some(name) => only(self.tenants.values().filter(|t| t.key.as_str() == name || t.key.name() == name)),
            None => only(self.tenants.values()),
        }
    }

    fn with_host(&self, host: &str) -> Option<&Arc<Tenant>> {
        let name = without_port(host).trim_end_matches('.');
        self.tenants.values().find(|t| t.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(name)))
    }
}

fn only<'a>(mut tenants: impl Iterator<Item = &'a Arc<Tenant>>) -> Option<Arc<Tenant>> {
    let first = tenants.next()?;
    if tenants.next().is_some() { None } else { Some(first.clone()) }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

// === impl Tokens ===

impl Tokens {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is one of them. All are compared, to the end: how long it takes tells nothing of them but their
    /// lengths.
    #[must_use]
    pub fn allow(&self, presented: &str) -> bool {
        let is_same = |token: &String| {
            token.len() == presented.len()
                && token.bytes().zip(presented.bytes()).fold(0, |differs, (a, b)| black_box(differs | (a ^ b))) == 0
        };
        self.0.iter().fold(false, |allowed, token| allowed | is_same(token))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

// === impl Channel ===

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).field("missing", &self.missing).finish_non_exhaustive()
    }
}
