//! What an SRE reads of a Flow, case by case.

use std::collections::BTreeMap;

use serde_json::json;
use wigwag_crds::configz::{Configz, FlowReport, TenantReport};

use super::*;
use crate::replicas::{Expected, Target};

fn flow() -> Raw<Flow> {
    let triggers = json!([{"keyword": "hola"}, {"keyword": "pedido"}, {"default": {}}]);
    Raw::of("welcome", json!({"tenantRef": {"name": "acme"}, "triggers": triggers}))
}

fn good() -> Checked {
    Checked { revision: "new".into(), runs: true, findings: Vec::new() }
}

fn broken() -> Checked {
    let finding = |node: &str| Finding {
        severity: Severity::Error,
        node: Some(node.into()),
        field: "next".into(),
        message: "names node \"gone\", which is not there: write one that is".into(),
    };
    Checked { revision: "new".into(), runs: false, findings: vec![finding("shop"), finding("vip")] }
}

/// A tenant that was given `given` of the Flow, and whose ready replicas run these revisions.
fn view(given: Option<&str>, running: &[&str]) -> View {
    let flows = BTreeMap::from([("welcome".to_owned(), given.map(str::to_owned))]);
    let pods: Vec<_> = (0..running.len()).map(|at| format!("p{at}")).collect();
    let target = |pod: &String| Target { pod: pod.clone(), address: None, ready: true };
    let answer = |revision: &str| {
        let flow = FlowReport { revision: revision.to_owned(), findings: Vec::new() };
        let report = TenantReport { flows: BTreeMap::from([("welcome".to_owned(), flow)]), ..TenantReport::default() };
        Configz { tenants: BTreeMap::from([("shop/acme".to_owned(), report)]), ..Configz::default() }
    };
    View {
        expected: Expected { flows, targets: pods.iter().map(target).collect(), ..Expected::default() },
        reports: pods.iter().cloned().zip(running.iter().map(|revision| Ok(answer(revision)))).collect(),
    }
}

fn told(checked: &Checked, view: Option<&View>) -> FlowStatus {
    let tenant = TenantKey { namespace: "shop".into(), name: "acme".into() };
    status(Facts { flow: &flow(), checked, tenant: &tenant, view }, Timestamp::UNIX_EPOCH)
}

fn conditions(status: &FlowStatus) -> Vec<(&str, &str, &str)> {
    let conditions = status.conditions.iter();
    conditions.map(|c| (c.type_.as_str(), c.status.as_str(), c.reason.as_str())).collect()
}

#[test]
fn a_flow_that_runs_everywhere_is_ready() {
    let status = told(&good(), Some(&view(Some("new"), &["new", "new"])));
    assert_eq!(
        conditions(&status),
        [
            ("Accepted", "True", "Compiled"),
            ("Resolved", "True", "TenantFound"),
            ("Programmed", "True", "Programmed"),
            ("Ready", "True", "Ready"),
        ]
    );
    assert_eq!(status.revision.as_deref(), Some("new"));
    assert_eq!(status.summary, Some(FlowSummary { triggers: "hola +2".into(), revision: "new".into() }));
}

#[test]
fn a_broken_edit_names_node_and_field_and_the_revision_that_goes_on_running() {
    let status = told(&broken(), Some(&view(Some("old"), &["old"])));
    let ready = &status.conditions[3];
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "FlowInvalid"));
    assert_eq!(
        ready.message,
        "node \"shop\", next: names node \"gone\", which is not there: write one that is (and 1 more in \
         status.findings). Revision old goes on running."
    );
    assert_eq!(status.revision.as_deref(), Some("old"));
    assert_eq!(status.summary.as_ref().unwrap().revision, "(old)");
    assert_eq!(status.findings.len(), 2);
}

#[test]
fn a_flow_that_never_compiled_runs_nothing() {
    let status = told(&broken(), Some(&view(None, &["other"])));
    assert_eq!(status.revision, None);
    assert_eq!(status.summary.as_ref().unwrap().revision, "-");
    assert_eq!(conditions(&status)[2], ("Programmed", "False", "FlowInvalid"));
}

#[test]
fn a_flow_without_its_tenant_says_where_it_looked() {
    let status = told(&good(), None);
    assert_eq!(
        conditions(&status)[1..],
        [
            ("Resolved", "False", "TenantMissing"),
            ("Programmed", "Unknown", "TenantMissing"),
            ("Ready", "False", "TenantMissing")
        ]
    );
    assert_eq!(
        status.conditions[3].message,
        "There is no WhatsAppTenant \"acme\" in namespace \"shop\": create it, or name another in spec.tenantRef."
    );
}

#[test]
fn a_revision_on_its_way_counts_the_replicas_that_have_it() {
    let status = told(&good(), Some(&view(Some("new"), &["new", "old"])));
    assert_eq!(conditions(&status)[3], ("Ready", "False", "ProgrammingPending"));
    assert_eq!(status.conditions[3].message, "1 of 2 replicas run revision new.");
    let given_old = told(&good(), Some(&view(Some("old"), &["old"])));
    assert_eq!(conditions(&given_old)[3], ("Ready", "False", "ProgrammingPending"));
    assert!(given_old.conditions[3].message.contains("`kubectl get wat acme`"));
}

#[test]
fn without_a_ready_replica_nobody_knows() {
    let status = told(&good(), Some(&view(Some("new"), &[])));
    assert_eq!(conditions(&status)[3], ("Ready", "Unknown", "NoReplicaReports"));
}

#[test]
fn a_warning_does_not_keep_a_flow_from_running() {
    let mut checked = broken();
    checked.runs = true;
    checked.findings.truncate(1);
    checked.findings[0].severity = Severity::Warning;
    let status = told(&checked, Some(&view(Some("new"), &["new"])));
    assert_eq!(conditions(&status)[3].1, "True");
    assert!(status.conditions[0].message.contains("with 1 to look at in status.findings: node \"shop\""));
}
