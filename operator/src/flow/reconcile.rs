//! One pass over a Flow: check it, see what runs of it, tell.

use std::sync::Arc;

use kube::{Api, ResourceExt, api::PartialObjectMeta, runtime::controller::Action};
use wigwag_crds::{Flow, FlowStatus, WhatsAppTenant};

use super::{
    NAME,
    check::check,
    sessions,
    status::{Facts, status},
    tenant_of,
};
use crate::{
    context::Context,
    error::Error,
    publish::{now, publish, transitions},
    raw::Raw,
    replicas::TenantKey,
    report::{self, Pass},
};

/// Tells how a Flow fares.
///
/// # Errors
/// When the API server does not do its part; to be tried again.
pub async fn reconcile(flow: Arc<Raw<Flow>>, context: Arc<Context>) -> Result<Action, Error> {
    let namespace = flow.namespace().unwrap_or_default();
    report::run(&context, NAME, flow.as_ref(), pass(&context, &namespace, &flow.name_any())).await
}

async fn pass(context: &Context, namespace: &str, name: &str) -> Result<Pass, Error> {
    let flows: Api<Raw<Flow>> = Api::namespaced(context.client.clone(), namespace);
    let flow = flows.get_opt(name).await.map_err(Error::api("reading the Flow"))?;
    let Some(flow) = flow.filter(|flow| !flow.is_going()) else { return Ok(Pass::Done) };

    let tenant = tenant_of(&flow).unwrap_or_default();
    let tenants: Api<PartialObjectMeta<WhatsAppTenant>> = Api::namespaced(context.client.clone(), namespace);
    let found = tenants.get_metadata_opt(tenant).await.map_err(Error::api("reading the Flow's tenant"))?;
    let key = TenantKey { namespace: namespace.to_owned(), name: tenant.to_owned() };
    let stands = found.is_some_and(|tenant| tenant.metadata.deletion_timestamp.is_none());
    let view = context.replicas.view(&key);
    let old: FlowStatus = flow.read_status();
    if stands && view.is_none() && old.observed_generation == flow.metadata.generation {
        // This process has just begun to lead; the tenant's first reconcile wakes its Flows.
        return Ok(Pass::Done);
    }
    let view = stands.then(|| view.unwrap_or_default());

    let checked = check(&flow);
    let counted = view.as_ref().and_then(|view| view.sessions.as_ref()?.get(name));
    let mut news = counted.map(|counted| sessions::left_behind(&checked, &counted.open)).unwrap_or_default();
    news.retain(|warning| !old.findings.contains(warning));
    let new = status(Facts { flow: &flow, checked: &checked, tenant: &key, view: view.as_ref() }, now());
    let events = transitions(&old.conditions, &new.conditions).into_iter().chain(sessions::event(&news));
    publish(context, &flow, &new, events).await?;
    Ok(Pass::Done)
}
