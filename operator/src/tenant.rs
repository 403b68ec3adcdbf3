//! The tenant controller: what wakes it, and what it does then.
//!
//! `observe` reads everything, `build` makes the objects, `apply` brings them about, `status` tells what came of it.

pub mod build;
pub mod desired;
pub mod observe;
pub mod pods;
pub mod reconcile;
pub mod status;
pub mod sync;

use std::sync::Arc;

use futures::{Stream, StreamExt};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount},
    networking::v1::Ingress,
};
use kube::{
    Client, ResourceExt,
    api::PartialObjectMeta,
    runtime::{
        Controller, WatchStreamExt,
        controller::Config,
        reflector::{ObjectRef, Store, store::Writer},
        watcher,
    },
};
use tokio_util::sync::CancellationToken;
use wigwag_crds::{
    Flow, WhatsAppTenant, WhatsAppTenantSpec,
    condition::{Reason, tenant::ROUTE_PROGRAMMED},
    labels::{MANAGED_BY, TENANT},
};

use crate::{
    SETTLE,
    context::Context,
    raw::Raw,
    report,
    watch::{Changes, Watched, api, events, touched},
};

/// Name in logs and metrics.
pub const NAME: &str = "tenant";

type Tenant = Raw<WhatsAppTenant>;

/// Runs the controller until told to stop; running reconciles are finished.
pub async fn run(
    context: Arc<Context>,
    watched: Watched<Tenant>,
    flows: Store<Raw<Flow>>,
    woken: impl Stream<Item = ObjectRef<Tenant>> + Send + 'static,
    stop: CancellationToken,
) {
    let (client, scope) = (context.client.clone(), watched.scope.as_deref());
    let tenants = watched.writer.as_reader();
    let ours = watcher::Config::default().labels(&format!("app.kubernetes.io/managed-by={MANAGED_BY}"));

    let own = own_events(Arc::clone(&context), &client, watched.writer, scope, flows);
    let secrets = touched::<Secret>(api(&client, scope), watcher::Config::default());
    let pods = touched::<Pod>(api(&client, scope), ours.clone());
    let named = {
        let tenants = tenants.clone();
        move |secret: PartialObjectMeta<Secret>| naming_secret(&tenants, &secret)
    };

    Controller::for_stream(own, tenants)
        .owns_stream(touched::<ServiceAccount>(api(&client, scope), ours.clone()))
        .owns_stream(touched::<ConfigMap>(api(&client, scope), ours.clone()))
        .owns_stream(touched::<Service>(api(&client, scope), ours.clone()))
        .owns_stream(touched::<Ingress>(api(&client, scope), ours.clone()))
        .owns_stream(touched::<Deployment>(api(&client, scope), ours))
        .watches_stream(secrets, named)
        .watches_stream(pods, |pod| labelled(&pod))
        .reconcile_on(woken)
        .with_config(Config::default().debounce(SETTLE))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconcile::reconcile, report::policy(NAME), context)
        .for_each(async |result| report::log(result))
        .await;
}

/// The tenants themselves. What they change for others wakes those: Flows that name a tenant that came or went, and
/// tenants that want a host that was taken or set free.
fn own_events(
    context: Arc<Context>,
    client: &Client,
    mut writer: Writer<Tenant>,
    scope: Option<&str>,
    flows: Store<Raw<Flow>>,
) -> impl Stream<Item = Result<Tenant, watcher::Error>> + Send + use<> {
    let mut changes = Changes::default();
    let events = events(api::<Tenant>(client, scope), watcher::Config::default()).modify(|tenant| {
        tenant.managed_fields_mut().clear();
    });
    let events = events.inspect(move |event| {
        let Ok(event) = event else { return };
        writer.apply_watcher_event(event);
        for change in changes.follow(event, Neighbourly::of) {
            let (old, new) = (change.old.unwrap_or_default(), change.new.unwrap_or_default());
            if old.uid != new.uid {
                wake_flows(&context, &flows, &change.namespace, if new.uid.is_some() { &new.name } else { &old.name });
            }
            if old.host != new.host {
                wake_rivals(&context, [old.host.as_deref(), new.host.as_deref()]);
            }
        }
    });
    events.applied_objects()
}

/// What others see of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Neighbourly {
    name: String,
    uid: Option<String>,
    host: Option<String>,
}

impl Neighbourly {
    fn of(tenant: &Tenant) -> Self {
        // One that is being deleted is gone for the others.
        let there = !tenant.is_going();
        let host = observe::host_of(tenant).filter(|_| there).map(str::to_owned);
        Self { name: tenant.name_any(), uid: tenant.uid().filter(|_| there), host }
    }
}

fn wake_flows(context: &Context, flows: &Store<Raw<Flow>>, namespace: &str, tenant: &str) {
    for flow in flows.state() {
        if flow.namespace().as_deref() == Some(namespace) && crate::flow::tenant_of(&flow) == Some(tenant) {
            context.flows.wake(namespace, &flow.name_any());
        }
    }
}

/// Tenants with one of these hosts. Those that were refused a host may have it now.
fn wake_rivals(context: &Context, hosts: [Option<&str>; 2]) {
    for tenant in context.known_tenants.iter().flat_map(Store::state) {
        if observe::host_of(&tenant).is_some_and(|host| hosts.contains(&Some(host))) || was_refused_its_host(&tenant) {
            context.tenants.wake(&tenant.namespace().unwrap_or_default(), &tenant.name_any());
        }
    }
}

/// Looked at for every tenant whenever one comes or goes, so untyped.
fn was_refused_its_host(tenant: &Tenant) -> bool {
    let conditions = tenant.status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().any(|c| c["type"] == ROUTE_PROGRAMMED && c["reason"] == Reason::HostConflict.as_str())
}

/// Tenants of the Secret's namespace that name it.
fn naming_secret(tenants: &Store<Tenant>, secret: &PartialObjectMeta<Secret>) -> Vec<ObjectRef<Tenant>> {
    let name = secret.name_any();
    let names_it = |spec: &WhatsAppTenantSpec| {
        spec.database.secret_ref.name == name || spec.loaded_secrets().contains(name.as_str())
    };
    let neighbours = tenants.state().into_iter().filter(|tenant| tenant.namespace() == secret.namespace());
    let naming = neighbours.filter(|tenant| tenant.read_spec().is_ok_and(|spec| names_it(&spec)));
    naming.map(|tenant| ObjectRef::from_obj(tenant.as_ref())).collect()
}

/// The tenant that a Pod was made for.
fn labelled(pod: &PartialObjectMeta<Pod>) -> Option<ObjectRef<Tenant>> {
    let tenant = pod.labels().get(TENANT)?;
    Some(ObjectRef::new(tenant).within(&pod.namespace()?))
}

#[cfg(test)]
mod tests {
    use kube::{api::ObjectMeta, core::PartialObjectMetaExt, runtime::reflector};
    use serde_json::json;

    use super::*;

    fn tenants(names_and_secrets: &[(&str, &str, &str)]) -> Store<Tenant> {
        let (reader, mut writer) = reflector::store();
        for (name, database, provider) in names_and_secrets {
            let cloud_api = json!({"phoneNumberId": "1", "credentialsSecretRef": {"name": provider}});
            let spec = json!({
                "providers": [{"name": "p", "cloudApi": cloud_api}],
                "database": {"secretRef": {"name": database, "key": "url"}},
                "api": {"tokensSecretRef": {"name": format!("{name}-tokens")}},
                "flowSecrets": [{"name": format!("{name}-crm"), "hosts": ["crm.example.com"]}],
            });
            writer.apply_watcher_event(&watcher::Event::Apply(Raw::of(name, spec)));
        }
        reader
    }

    fn secret(namespace: &str, name: &str) -> PartialObjectMeta<Secret> {
        let (name, namespace) = (Some(name.to_owned()), Some(namespace.to_owned()));
        ObjectMeta { name, namespace, ..ObjectMeta::default() }.into_response_partial()
    }

    #[test]
    fn a_secret_wakes_the_tenants_of_its_namespace_that_name_it() {
        let tenants =
            tenants(&[("a", "shared", "a-meta"), ("b", "b-database", "shared"), ("c", "c-database", "c-meta")]);
        let woken = |name: &str| {
            let mut woken: Vec<_> =
                naming_secret(&tenants, &secret("shop", name)).into_iter().map(|t| t.name).collect();
            woken.sort();
            woken
        };
        assert_eq!(woken("shared"), ["a", "b"]);
        assert_eq!(woken("b-tokens"), ["b"]);
        assert_eq!(woken("c-crm"), ["c"]);
        assert!(naming_secret(&tenants, &secret("elsewhere", "shared")).is_empty());
        assert!(naming_secret(&tenants, &secret("shop", "a")).is_empty());
    }

    #[test]
    fn a_tenant_on_its_way_out_has_no_host_for_the_others() {
        let mut tenant: Tenant = Raw::of("acme", json!({"route": {"host": "acme.example.com"}}));
        assert_eq!(Neighbourly::of(&tenant).host.as_deref(), Some("acme.example.com"));
        tenant.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(Neighbourly::of(&tenant), Neighbourly { name: "acme".into(), uid: None, host: None });
    }

    #[test]
    fn a_tenant_that_was_refused_its_host_is_known_by_its_condition() {
        let mut tenant: Tenant = Raw::of("acme", json!({}));
        assert!(!was_refused_its_host(&tenant));
        tenant.status =
            json!({"conditions": [{"type": "RouteProgrammed", "status": "False", "reason": "HostConflict"}]});
        assert!(was_refused_its_host(&tenant));
    }
}
