//! One pass over a tenant. Level-based: nothing is remembered between passes, and a pass that was cut short anywhere is
//! finished by the next.

use std::sync::Arc;

use kube::{ResourceExt, runtime::controller::Action};
use wigwag_crds::{WhatsAppTenant, WhatsAppTenantStatus};

use super::{
    NAME,
    build::Owner,
    desired::Desired,
    observe::{Found, Observed, observe},
    status::{Facts, status, unreadable},
    sync::sync_pods,
};
use crate::{
    context::Context,
    error::Error,
    publish::{now, publish, transitions},
    raw::Raw,
    replicas::{TenantKey, View},
    report::{self, Pass},
};

/// Brings a tenant to what its spec says, as far as that goes, and tells how far it went.
///
/// # Errors
/// When the API server does not do its part; to be tried again.
pub async fn reconcile(tenant: Arc<Raw<WhatsAppTenant>>, context: Arc<Context>) -> Result<Action, Error> {
    let namespace = tenant.namespace().unwrap_or_default();
    report::run(&context, NAME, tenant.as_ref(), pass(&context, &namespace, &tenant.name_any())).await
}

async fn pass(context: &Context, namespace: &str, name: &str) -> Result<Pass, Error> {
    match observe(context, namespace, name).await? {
        Found::Nothing => {
            context.replicas.forget(&TenantKey { namespace: namespace.to_owned(), name: name.to_owned() });
            Ok(Pass::Done)
        }
        Found::Unreadable(tenant, cause) => {
            let old: WhatsAppTenantStatus = tenant.read_status();
            let new = unreadable(old.clone(), tenant.metadata.generation, &cause, now());
            publish(context, &tenant, &new, transitions(&old.conditions, &new.conditions)).await?;
            Ok(Pass::Done)
        }
        Found::Tenant(observed) => converge(context, &observed).await,
    }
}

async fn converge(context: &Context, observed: &Observed) -> Result<Pass, Error> {
    let desired = Desired::build(observed, &context.image)?;
    let outcome = desired.apply(&context.client, observed).await?;
    let view = tell_replicas(context, observed, &desired).await?;

    let facts = Facts { observed, plan: &desired.plan, outcome: &outcome, view: &view };
    let old: WhatsAppTenantStatus = observed.tenant.read_status();
    let new = status(facts, now());
    publish(context, &observed.tenant, &new, transitions(&old.conditions, &new.conditions)).await?;
    Ok(if outcome.is_blocked() { Pass::Blocked } else { Pass::Done })
}

/// Has the replicas asked for what they should run now, and wakes those that are behind.
async fn tell_replicas(context: &Context, observed: &Observed, desired: &Desired) -> Result<View, Error> {
    let owner: &Owner = &observed.owner;
    context.replicas.expect(&owner.key(), desired.expected.clone());
    let view = context.replicas.asked(&owner.key()).await;
    sync_pods(&context.client, owner, &observed.replicas, &view.expected, &view.reports).await?;
    Ok(view)
}
