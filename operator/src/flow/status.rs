//! A Flow's status: pure, from its check, its tenant and what the replicas run.

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::Value;
use wigwag_crds::{
    Flow, FlowStatus,
    condition::{Reason, Truth, Verdict, flow, merge},
    configz::FlowReport,
    flow::{ErroredAt, Finding, FlowSummary, Severity},
    sessions::{FlowStanding, Revisions},
};

use super::{check::Checked, sessions};
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
    let counted = counted(facts);
    let findings = findings(facts, counted.as_ref().map(|counted| &counted.open));
    let errored = counted.as_ref().map_or_else(|| old.errored.clone(), |counted| sessions::errored(&counted.errored));
    let parts = [accepted(facts, &findings), resolved(facts), programmed(facts)];
    let verdicts: Vec<_> = parts.iter().cloned().chain([ready(&parts, facts, &errored)]).collect();
    let runs = running(facts);
    FlowStatus {
        observed_generation: generation,
        conditions: merge(&old.conditions, &verdicts, generation, now),
        revision: runs.map(str::to_owned),
        findings: findings.into_iter().take(MOST_FINDINGS).collect(),
        sessions: counted.as_ref().map_or_else(|| old.sessions.clone(), |counted| sessions::by_revision(&counted.open)),
        errored,
        summary: Some(FlowSummary {
            triggers: triggers(facts.flow),
            revision: revision_column(facts),
            sessions: counted
                .as_ref()
                .map_or_else(|| last_count(&old), |counted| sessions::total(&counted.open).to_owned()),
        }),
    }
}

/// The Flow's sessions; `None` while nobody has counted.
fn counted(facts: Facts<'_>) -> Option<FlowStanding> {
    let sessions = facts.view?.sessions.as_ref()?;
    Some(sessions.get(&facts.flow.name_any()).cloned().unwrap_or_default())
}

/// An operator that has just begun to lead leaves what the one before it told.
fn last_count(old: &FlowStatus) -> String {
    old.summary.as_ref().map_or_else(|| "-".to_owned(), |summary| summary.sessions.clone())
}

/// What the check finds in the Flow, what replicas that run it find between it and the tenant's others (the same trigger
/// twice, calls of a Flow that is not there), and nodes that it has no more though sessions stand there.
fn findings(facts: Facts<'_>, open: Option<&Revisions>) -> Vec<Finding> {
    let mut findings = facts.checked.findings.clone();
    let reports = facts.view.into_iter().flat_map(|view| reports(facts, view));
    for finding in
        reports.filter(|report| report.revision == facts.checked.revision).flat_map(|report| &report.findings)
    {
        if !findings.contains(finding) {
            findings.push(finding.clone());
        }
    }
    findings.extend(open.into_iter().flat_map(|open| sessions::left_behind(facts.checked, open)));
    findings
}

/// What each ready replica that knows the Flow runs of it.
fn reports<'a>(facts: Facts<'a>, view: &'a View) -> impl Iterator<Item = &'a FlowReport> {
    let (tenant, flow) = (facts.tenant.to_string(), facts.flow.name_any());
    view.ready().filter_map(move |(_, configz)| configz.tenants.get(&tenant)?.flows.get(&flow))
}

/// Does it compile?
fn accepted(facts: Facts<'_>, findings: &[Finding]) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(flow::ACCEPTED, status, reason, message);
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
    let runs = reports(facts, view).filter(|report| report.revision == *wanted).count();
    let counted = format!("{runs} of {ready} replicas run revision {wanted}.");
    if runs == ready {
        verdict(Truth::True, Reason::Programmed, counted)
    } else {
        verdict(Truth::False, Reason::ProgrammingPending, counted)
    }
}

/// Tells what the first part that does not hold tells.
fn ready(parts: &[Verdict], facts: Facts<'_>, errored: &[ErroredAt]) -> Verdict {
    let first = |status| parts.iter().find(|part| part.status == status);
    match first(Truth::False).or_else(|| first(Truth::Unknown)) {
        Some(part) => Verdict { type_: flow::READY, ..part.clone() },
        None if is_suspended(facts.flow) => {
            let message = "It takes no new conversations and holds the open ones: take spec.suspend away to go on.";
            Verdict::new(flow::READY, Truth::True, Reason::Suspended, message)
        }
        None => {
            let runs = format!("New conversations run revision {}.", facts.checked.revision);
            let message = [runs].into_iter().chain(sessions::failed_of_late(errored)).collect::<Vec<_>>().join(" ");
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

fn is_suspended(flow: &Raw<Flow>) -> bool {
    flow.spec["suspend"] == true
}

/// The first trigger, how many more there are, and whether they do anything now.
fn triggers(flow: &Raw<Flow>) -> String {
    let triggers: Vec<&str> = match &flow.spec["definition"] {
        Value::Null => list(&flow.spec["triggers"]).iter().map(trigger).collect(),
        // In the editor's form each node of this type is one.
        definition => {
            let nodes = list(&definition["nodes"]).iter().filter(|node| node["type"] == "trigger");
            nodes.map(|node| node["data"]["keyword"].as_str().unwrap_or("-")).collect()
        }
    };
    let first = triggers.first().copied().unwrap_or("-");
    let more = match triggers.len() {
        0 | 1 => String::new(),
        many => format!(" +{}", many - 1),
    };
    let suspended = if is_suspended(flow) { " (suspended)" } else { "" };
    format!("{first}{more}{suspended}")
}

/// A trigger as the column shows it: its keyword, or its kind.
fn trigger(trigger: &Value) -> &str {
    const KINDS: [&str; 6] = ["default", "media", "location", "order", "referral", "manual"];
    let kind = || KINDS.into_iter().find(|kind| !trigger[kind].is_null());
    trigger["keyword"].as_str().or_else(kind).unwrap_or("-")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
