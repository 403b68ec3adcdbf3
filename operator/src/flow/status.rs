//! A Flow's status: pure, from its check, its tenant and what the replicas run.

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use wigwag_crds::{
    Flow, FlowStatus,
    condition::{Reason, Truth, Verdict, flow, merge},
    flow::{Finding, FlowSummary, Severity},
};

use super::check::Checked;
use crate::{
    raw::Raw,
    replicas::{TenantKey, View},
    words::sentence,
};

/// More findings than these are not read by anybody, and a status has its limits.
const MOST_FINDINGS: usize = 50;

/// What a status is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The Flow.
    pub flow: &'a Raw<Flow>,
    /// Its check.
    pub checked: &'a Checked,
    /// The tenant that it names.
    pub tenant: &'a TenantKey,
    /// What the tenant's replicas tell; `None` if there is no such tenant.
    pub view: Option<&'a View>,
}

/// The status to write; equal to the old one where nothing changed.
#[must_use]
pub fn status(facts: Facts<'_>, now: Timestamp) -> FlowStatus {
    let old: FlowStatus = facts.flow.read_status();
    let generation = facts.flow.metadata.generation;
    let parts = [accepted(facts), resolved(facts), programmed(facts)];
    let verdicts: Vec<_> = parts.iter().cloned().chain([ready(&parts, facts)]).collect();
    let runs = running(facts);
    FlowStatus {
        observed_generation: generation,
        conditions: merge(&old.conditions, &verdicts, generation, now),
        revision: runs.map(str::to_owned),
        findings: facts.checked.findings.iter().take(MOST_FINDINGS).cloned().collect(),
        summary: Some(FlowSummary { triggers: triggers(facts.flow), revision: revision_column(facts) }),
    }
}

/// Does it compile?
fn accepted(facts: Facts<'_>) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(flow::ACCEPTED, status, reason, message);
    let findings = &facts.checked.findings;
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.severity == Severity::Error);
    if facts.checked.runs {
        let message = match warnings.len() {
            0 => "The Flow compiles.".to_owned(),
            many => format!("The Flow compiles, with {many} to look at in status.findings: {}", warnings[0]),
        };
        return verdict(Truth::True, Reason::Compiled, message);
    }
    let cause = errors.first().map_or_else(|| "it does not compile".to_owned(), |first| broken(first, errors.len()));
    let goes_on = match running(facts) {
        Some(revision) => format!(" Revision {revision} goes on running."),
        None => String::new(),
    };
    verdict(Truth::False, Reason::FlowInvalid, format!("{}{goes_on}", sentence(&cause)))
}

/// Is there such a tenant?
fn resolved(facts: Facts<'_>) -> Verdict {
    let TenantKey { namespace, name } = facts.tenant;
    match facts.view {
        Some(_) => Verdict::new(flow::RESOLVED, Truth::True, Reason::TenantFound, format!("Tenant {name:?} exists.")),
        None => {
            let message = format!(
                "There is no WhatsAppTenant {name:?} in namespace {namespace:?}: create it, or name another in \
                 spec.tenantRef."
            );
            Verdict::new(flow::RESOLVED, Truth::False, Reason::TenantMissing, message)
        }
    }
}

/// Does every replica run it?
fn programmed(facts: Facts<'_>) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(flow::PROGRAMMED, status, reason, message);
    let Some(view) = facts.view else {
        return verdict(Truth::Unknown, Reason::TenantMissing, "Without its tenant nothing runs it.".to_owned());
    };
    let (wanted, tenant) = (&facts.checked.revision, &facts.tenant.name);
    if !facts.checked.runs {
        let message = match running(facts) {
            Some(revision) => format!("Revision {revision} goes on running: correct the Flow."),
            None => "No revision of it ever compiled: correct the Flow.".to_owned(),
        };
        return verdict(Truth::False, Reason::FlowInvalid, message);
    }
    if running(facts) != Some(wanted) {
        let message = format!("Tenant {tenant:?} has yet to take revision {wanted}: see `kubectl get wat {tenant}`.");
        return verdict(Truth::False, Reason::ProgrammingPending, message);
    }
    let ready = view.ready_targets();
    if ready == 0 {
        let message = format!("Tenant {tenant:?} has no ready replica: see `kubectl get wat {tenant} -o wide`.");
        return verdict(Truth::Unknown, Reason::NoReplicaReports, message);
    }
    let name = facts.flow.name_any();
    let runs = view.ready().filter(|(_, configz)| {
        let report = configz.tenants.get(&facts.tenant.to_string()).and_then(|tenant| tenant.flows.get(&name));
        report.is_some_and(|report| report.revision == *wanted)
    });
    let runs = runs.count();
    let counted = format!("{runs} of {ready} replicas run revision {wanted}.");
    if runs == ready {
        verdict(Truth::True, Reason::Programmed, counted)
    } else {
        verdict(Truth::False, Reason::ProgrammingPending, counted)
    }
}

/// Tells what the first part that does not hold tells.
fn ready(parts: &[Verdict], facts: Facts<'_>) -> Verdict {
    let first = |status| parts.iter().find(|part| part.status == status);
    match first(Truth::False).or_else(|| first(Truth::Unknown)) {
        Some(part) => Verdict { type_: flow::READY, ..part.clone() },
        None => {
            let message = format!("New conversations run revision {}.", facts.checked.revision);
            Verdict::new(flow::READY, Truth::True, Reason::Ready, message)
        }
    }
}

/// The revision that the data plane was given: the spec's, or after a broken edit the one before.
fn running<'a>(facts: Facts<'a>) -> Option<&'a str> {
    facts.view?.expected.flows.get(&facts.flow.name_any())?.as_deref()
}

fn broken(first: &Finding, errors: usize) -> String {
    match errors {
        1 => first.to_string(),
        many => format!("{first} (and {} more in status.findings)", many - 1),
    }
}

/// In parentheses where it is not the spec's.
fn revision_column(facts: Facts<'_>) -> String {
    match running(facts) {
        None => "-".to_owned(),
        Some(revision) if revision == facts.checked.revision => revision.to_owned(),
        Some(revision) => format!("({revision})"),
    }
}

/// The first trigger, and how many more there are.
fn triggers(flow: &Raw<Flow>) -> String {
    let triggers = flow.spec["triggers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(first) = triggers.first() else { return "-".to_owned() };
    let kind = || first.as_object().and_then(|trigger| trigger.keys().next()).map_or("-", String::as_str);
    let first = first["keyword"].as_str().unwrap_or_else(kind);
    match triggers.len() - 1 {
        0 => first.to_owned(),
        more => format!("{first} +{more}"),
    }
}

#[cfg(test)]
mod tests;
