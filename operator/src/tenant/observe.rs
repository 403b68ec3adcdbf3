//! Reads everything that a tenant depends on, fresh from the API server: what a watch cached may be older than what we
//! wrote a moment ago.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount},
    networking::v1::Ingress,
};
use kube::{Api, ResourceExt, api::ListParams};
use tokio::time::timeout_at;
use wigwag_crds::{Flow, WhatsAppTenant, WhatsAppTenantSpec, revision::secret_mark};

use super::{build::Owner, pods::Replica};
use crate::{
    apply::Child,
    context::Context,
    error::Error,
    flow::check::{Checked, check},
    raw::Raw,
};

/// Everything that a tenant depends on, as it stood a moment ago.
#[derive(Debug)]
pub struct Observed {
    /// The tenant.
    pub tenant: Raw<WhatsAppTenant>,
    /// The same, as owner of what is made for it.
    pub owner: Owner,
    /// Its spec.
    pub spec: WhatsAppTenantSpec,
    /// Its Flows by name, each with its check.
    pub flows: Vec<(Raw<Flow>, Checked)>,
    /// The Secrets that it names, by name; `None` where there is none.
    pub secrets: BTreeMap<String, Option<Credentials>>,
    /// What stands of what is made for it.
    pub live: Live,
    /// The Pods of its data plane, by name.
    pub replicas: Vec<Replica>,
    /// The older tenant that has the same host, as `namespace/name`.
    pub rival: Option<String>,
}

/// The content of a Secret. Prints nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials(BTreeMap<String, Vec<u8>>);

/// The objects that are made for a tenant, as far as they stand.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Live {
    pub service_account: Option<ServiceAccount>,
    pub config_map: Option<ConfigMap>,
    pub service: Option<Service>,
    pub ingress: Option<Ingress>,
    pub deployment: Option<Deployment>,
}

/// What a look at a tenant finds.
#[derive(Debug)]
pub enum Found {
    /// It is gone, or on its way: the garbage collector takes what it owns.
    Nothing,
    /// Its spec does not read as this version's; why.
    Unreadable(Box<Raw<WhatsAppTenant>>, String),
    /// Everything.
    Tenant(Box<Observed>),
}

/// Looks at a tenant.
///
/// # Errors
/// When the API server does not answer.
pub async fn observe(context: &Context, namespace: &str, name: &str) -> Result<Found, Error> {
    let tenants: Api<Raw<WhatsAppTenant>> = Api::namespaced(context.client.clone(), namespace);
    let tenant = tenants.get_opt(name).await.map_err(Error::api("reading the tenant"))?;
    let Some(tenant) = tenant.filter(|tenant| !tenant.is_going()) else { return Ok(Found::Nothing) };
    let spec: WhatsAppTenantSpec = match tenant.read_spec() {
        Ok(spec) => spec,
        Err(error) => return Ok(Found::Unreadable(Box::new(tenant), error.to_string())),
    };
    let owner = Owner::of(&tenant);
    let (flows, secrets, live, replicas) = tokio::try_join!(
        flows(context, &owner),
        secrets(context, &owner, &spec),
        live(context, &owner),
        replicas(context, &owner),
    )?;
    let rival = match &spec.route {
        Some(route) => rival(context, &tenant, &route.host).await,
        None => None,
    };
    Ok(Found::Tenant(Box::new(Observed { tenant, owner, spec, flows, secrets, live, replicas, rival })))
}

async fn flows(context: &Context, owner: &Owner) -> Result<Vec<(Raw<Flow>, Checked)>, Error> {
    let api: Api<Raw<Flow>> = Api::namespaced(context.client.clone(), &owner.namespace);
    let query = ListParams::default().fields(&format!("spec.tenantRef.name={}", owner.name));
    let flows = api.list(&query).await.map_err(Error::api("listing the tenant's Flows"))?;
    let flows = flows.items.into_iter().filter(|flow| !flow.is_going());
    Ok(flows.map(|flow| (check(&flow), flow)).map(|(checked, flow)| (flow, checked)).collect())
}

async fn secrets(
    context: &Context,
    owner: &Owner,
    spec: &WhatsAppTenantSpec,
) -> Result<BTreeMap<String, Option<Credentials>>, Error> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &owner.namespace);
    let mut names = spec.loaded_secrets();
    names.insert(&spec.database.secret_ref.name);
    let reads = names.into_iter().map(async |name| {
        let secret = api.get_opt(name).await.map_err(Error::api(format!("reading Secret {name:?}")))?;
        Ok::<_, Error>((name.to_owned(), secret.map(Credentials::from)))
    });
    Ok(try_join_all(reads).await?.into_iter().collect())
}

async fn live(context: &Context, owner: &Owner) -> Result<Live, Error> {
    let (service_account, config_map, service, ingress, deployment) = tokio::try_join!(
        standing(context, owner),
        standing(context, owner),
        standing(context, owner),
        standing(context, owner),
        standing(context, owner),
    )?;
    Ok(Live { service_account, config_map, service, ingress, deployment })
}

async fn standing<K: Child>(context: &Context, owner: &Owner) -> Result<Option<K>, Error> {
    let api: Api<K> = Api::namespaced(context.client.clone(), &owner.namespace);
    let read = api.get_opt(&owner.child_name()).await;
    read.map_err(Error::api(format!("reading {} {:?}", K::kind(&()), owner.child_name())))
}

async fn replicas(context: &Context, owner: &Owner) -> Result<Vec<Replica>, Error> {
    let api: Api<Pod> = Api::namespaced(context.client.clone(), &owner.namespace);
    let pods = api.list(&ListParams::default().labels(&owner.pod_query())).await;
    let pods = pods.map_err(Error::api("listing the tenant's Pods"))?;
    Ok(pods.items.iter().filter_map(Replica::of).collect())
}

/// The tenant that had the host before this one, in all namespaces that we see.
async fn rival(context: &Context, tenant: &Raw<WhatsAppTenant>, host: &str) -> Option<String> {
    let age = |tenant: &Raw<WhatsAppTenant>| (tenant.creation_timestamp(), tenant.namespace(), tenant.name_any());
    let mut older = None;
    for store in &context.known_tenants {
        // Before a store has seen everything it would call a host free that is not. But a namespace that cannot be
        // listed must not hold up the tenants of the others for ever.
        let _ = timeout_at(context.all_seen_by, store.wait_until_ready()).await;
        let others = store.state().into_iter().filter(|other| host_of(other) == Some(host) && !other.is_going());
        let others = others.filter(|other| other.uid() != tenant.uid());
        older = others.map(|other| age(&other)).chain(older).min();
    }
    let (_, namespace, name) = older.filter(|older| *older < age(tenant))?;
    Some(format!("{}/{name}", namespace.unwrap_or_default()))
}

/// The host that a tenant asks for.
#[must_use]
pub fn host_of(tenant: &Raw<WhatsAppTenant>) -> Option<&str> {
    tenant.spec["route"]["host"].as_str()
}

// === impl Observed ===

impl Observed {
    /// The content of a Secret; `None` if there is no such Secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Credentials> {
        self.secrets.get(name)?.as_ref()
    }
}

// === impl Credentials ===

impl Credentials {
    /// Whether the key is there and holds something.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_empty())
    }

    /// Whether a value is text with so many characters, without white space at its end.
    #[must_use]
    pub fn has_lines(&self, characters: usize) -> bool {
        let line = |value: &Vec<u8>| {
            std::str::from_utf8(value).is_ok_and(|text| text.trim_end().chars().count() >= characters)
        };
        self.0.values().any(line)
    }

    /// Mark of the whole content, see [`secret_mark`].
    #[must_use]
    pub fn mark(&self, salt: &str) -> String {
        secret_mark(salt, self.0.iter().map(|(key, value)| (key.as_str(), value.as_slice())))
    }

    /// Mark of one key's value.
    #[must_use]
    pub fn mark_of(&self, salt: &str, key: &str) -> Option<String> {
        let value = self.0.get(key)?;
        Some(secret_mark(salt, [(key, value.as_slice())]))
    }

    /// Credentials for tests of what is made of them.
    #[cfg(test)]
    pub fn of(entries: &[(&str, &str)]) -> Self {
        Self(entries.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect())
    }
}

impl From<Secret> for Credentials {
    fn from(secret: Secret) -> Self {
        Self(secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
