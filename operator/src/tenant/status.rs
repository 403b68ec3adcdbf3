//! A tenant's status: from what was found and done to conditions and columns. Pure.

mod conditions;

use k8s_openapi::jiff::Timestamp;
use wigwag_crds::{
    WhatsAppTenantSpec, WhatsAppTenantStatus,
    condition::{Reason, Truth, Verdict, merge, tenant},
    tenant::{ConfigStatus, TenantSummary, Webhook},
};

use super::{desired::Outcome, observe::Observed};
use crate::{replicas::View, tenant::build::config::Plan};

/// What a status is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the tenant depends on.
    pub observed: &'a Observed,
    /// The configuration that was to be given.
    pub plan: &'a Plan,
    /// What became of the objects.
    pub outcome: &'a Outcome,
    /// What the replicas tell.
    pub view: &'a View,
}

/// The status to write; equal to the old one where nothing changed.
#[must_use]
pub fn status(facts: Facts<'_>, now: Timestamp) -> WhatsAppTenantStatus {
    let Observed { tenant, spec, .. } = facts.observed;
    let old: WhatsAppTenantStatus = tenant.read_status();
    let generation = tenant.metadata.generation;
    WhatsAppTenantStatus {
        observed_generation: generation,
        conditions: merge(&old.conditions, &verdicts(facts), generation, now),
        webhooks: webhooks(spec),
        config: facts.plan.given().map(|config| ConfigStatus {
            revision: config.revision.clone(),
            acknowledged_replicas: i32::try_from(conditions::acknowledged(facts).count()).unwrap_or(i32::MAX),
        }),
        summary: Some(TenantSummary {
            providers: spec.providers.iter().map(|provider| provider.name.as_str()).collect::<Vec<_>>().join(","),
            replicas: format!("{}/{}", conditions::ready_replicas(facts), spec.data_plane.replicas),
        }),
    }
}

/// The status of a tenant whose spec does not read: everything else stays as it is.
#[must_use]
pub fn unreadable(
    old: WhatsAppTenantStatus,
    generation: Option<i64>,
    cause: &str,
    now: Timestamp,
) -> WhatsAppTenantStatus {
    let message = format!("The spec does not read: {cause}. Correct it; what runs is left as it is.");
    let mut verdicts: Vec<_> = PARTS
        .into_iter()
        .map(|part| Verdict::new(part, Truth::Unknown, Reason::SpecUnreadable, "The spec does not read."))
        .collect();
    verdicts.push(Verdict::new(tenant::READY, Truth::False, Reason::SpecUnreadable, message));
    WhatsAppTenantStatus {
        observed_generation: generation,
        conditions: merge(&old.conditions, &verdicts, generation, now),
        ..old
    }
}

/// All conditions but the summary.
const PARTS: [&str; 5] = [
    tenant::CREDENTIALS_VALID,
    tenant::DATABASE_READY,
    tenant::ROUTE_PROGRAMMED,
    tenant::WORKER_AVAILABLE,
    tenant::SEND_READY,
];

fn verdicts(facts: Facts<'_>) -> Vec<Verdict> {
    let parts = vec![
        conditions::credentials_valid(facts),
        conditions::database_ready(facts),
        conditions::route_programmed(facts),
        conditions::worker_available(facts),
        conditions::send_ready(facts),
    ];
    let ready = {
        let first = conditions::fits(facts);
        let last = conditions::configured(facts);
        summary(first.iter().chain(&parts).chain(&last))
    };
    parts.into_iter().chain([ready]).collect()
}

/// Ready tells what the first part that does not hold tells: what is known to be wrong before what is not known.
fn summary<'a>(parts: impl Iterator<Item = &'a Verdict> + Clone) -> Verdict {
    let first = |status| parts.clone().find(|part| part.status == status);
    match first(Truth::False).or_else(|| first(Truth::Unknown)) {
        Some(part) => Verdict { type_: tenant::READY, ..part.clone() },
        None => Verdict::new(tenant::READY, Truth::True, Reason::Ready, "Receives, answers and sends."),
    }
}

fn webhooks(spec: &WhatsAppTenantSpec) -> Vec<Webhook> {
    let names = spec.providers.iter().map(|provider| provider.name.clone());
    names.filter_map(|provider| Some(Webhook { url: spec.webhook_url(&provider)?, provider })).collect()
}

#[cfg(test)]
mod tests;
