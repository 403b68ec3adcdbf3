//! What an SRE reads of a Flow, case by case.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use wigwag_crds::{
    configz::{Configz, TenantReport},
    sessions::Errored,
};

use super::*;
use crate::replicas::{Expected, Target};

fn flow() -> Raw<Flow> {
    let triggers = json!([{"keyword": "hola"}, {"keyword": "pedido"}, {"default": {}}]);
    Raw::of("welcome", json!({"tenantRef": {"name": "acme"}, "triggers": triggers}))
}

fn good() -> Checked {
    Checked { revision: "new".into(), runs: true, findings: Vec::new(), nodes: BTreeSet::from(["menu".to_owned()]) }
}

fn broken() -> Checked {
    let finding = |node: &str| Finding {
        severity: Severity::Error,
        node: Some(node.into()),
        field: "next".into(),
        message: "names node \"gone\", which is not there: write one that is".into(),
    };
    Checked {
        revision: "new".into(),
        runs: false,
        findings: vec![finding("shop"), finding("vip")],
        nodes: BTreeSet::new(),
    }
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
        sessions: None,
    }
}

fn told(checked: &Checked, view: Option<&View>) -> FlowStatus {
    told_of(&flow(), checked, view)
}

fn told_of(flow: &Raw<Flow>, checked: &Checked, view: Option<&View>) -> FlowStatus {
    let tenant = TenantKey { namespace: "shop".into(), name: "acme".into() };
    status(Facts { flow, checked, tenant: &tenant, view }, Timestamp::UNIX_EPOCH)
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
    assert_eq!(
        status.summary,
        Some(FlowSummary { triggers: "hola +2".into(), revision: "new".into(), sessions: "-".into() })
    );
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

#[test]
fn what_replicas_find_between_flows_is_told_once_while_they_run_this_revision() {
    let mut view = view(Some("new"), &["new", "new", "old"]);
    let warning = |field: &str| Finding {
        severity: Severity::Warning,
        node: None,
        field: field.into(),
        message: "keyword \"hola\" also starts hello".into(),
    };
    for (pod, field) in [("p0", "triggers[0]"), ("p1", "triggers[0]"), ("p2", "of the old revision")] {
        let tenant = view.reports.get_mut(pod).unwrap().as_mut().unwrap().tenants.get_mut("shop/acme").unwrap();
        tenant.flows.get_mut("welcome").unwrap().findings.push(warning(field));
    }
    let status = told(&good(), Some(&view));
    assert_eq!(status.findings, [warning("triggers[0]")]);
    assert!(status.conditions[0].message.contains("with 1 to look at in status.findings: triggers[0]: keyword"));
}

#[test]
fn a_suspended_flow_is_ready_and_says_that_it_is_suspended() {
    let mut flow = flow();
    flow.spec["suspend"] = json!(true);
    let status = told_of(&flow, &good(), Some(&view(Some("new"), &["new"])));
    assert_eq!(conditions(&status)[3], ("Ready", "True", "Suspended"));
    assert_eq!(
        status.conditions[3].message,
        "It takes no new conversations and holds the open ones: take spec.suspend away to go on."
    );
    assert_eq!(status.summary.unwrap().triggers, "hola +2 (suspended)");
    let behind = told_of(&flow, &good(), Some(&view(Some("new"), &["old"])));
    assert_eq!(conditions(&behind)[3], ("Ready", "False", "ProgrammingPending"), "it is not suspended yet");
}

#[test]
fn the_column_shows_the_first_trigger_of_either_form() {
    let column = |spec: Value| triggers(&Raw::of("welcome", spec));
    let native = |triggers: Value| column(json!({"triggers": triggers}));
    assert_eq!(native(json!([{"keyword": "hola", "match": "Word"}])), "hola");
    for kind in ["default", "media", "location", "order", "referral", "manual"] {
        assert_eq!(native(json!([{kind: {}, "interrupt": false}, {"keyword": "hola"}])), format!("{kind} +1"));
    }
    let node = |type_: &str, data: Value| json!({"id": "1", "type": type_, "data": data});
    let editor = |nodes: Value| column(json!({"definition": {"nodes": nodes, "edges": []}}));
    let keyword = |keyword: &str| node("trigger", json!({"keyword": keyword}));
    assert_eq!(editor(json!([node("message", json!({"text": "Hola"})), keyword("hola")])), "hola");
    assert_eq!(editor(json!([keyword("default"), keyword("menu")])), "default +1");
    for nothing in [json!({}), json!({"triggers": []}), json!({"definition": {}}), json!({"definition": []})] {
        assert_eq!(column(nothing), "-");
    }
}

#[test]
fn open_sessions_are_told_by_revision_and_those_on_a_node_that_is_gone_are_warned_of() {
    let mut view = view(Some("new"), &["new"]);
    let nodes = |node: &str, many| BTreeMap::from([(node.to_owned(), many)]);
    let revisions = BTreeMap::from([("old".to_owned(), nodes("pay", 12)), ("new".to_owned(), nodes("menu", 3))]);
    let errored = vec![Errored { node: "pay".into(), kind: "http-5xx".into(), sessions: 1 }];
    view.sessions = Some(BTreeMap::from([("welcome".to_owned(), FlowStanding { open: revisions, errored })]));
    let status = told(&good(), Some(&view));
    let by_revision: Vec<_> =
        status.sessions.iter().map(|(revision, many)| (revision.as_str(), many.as_str())).collect();
    assert_eq!(by_revision, [("new", "1+"), ("old", "10+")]);
    assert_eq!(status.summary.as_ref().unwrap().sessions, "10+");
    assert_eq!(status.findings[0].node.as_deref(), Some("pay"));
    assert!(status.conditions[0].message.contains("node \"pay\""), "{}", status.conditions[0].message);
    assert_eq!(conditions(&status)[3].1, "True");
    let failed = "New conversations run revision new. In the last 24 hours 1+ sessions could not go on at node \"pay\": http-5xx.";
    assert_eq!(status.conditions[3].message, failed);

    let mut after = flow();
    after.status = serde_json::to_value(&status).unwrap();
    view.sessions = None;
    let uncounted = told_of(&after, &good(), Some(&view));
    assert_eq!(uncounted.sessions, status.sessions, "a new leader has not counted yet");
    assert_eq!(uncounted.errored, status.errored);
    assert_eq!(uncounted.summary.unwrap().sessions, "10+");
    view.sessions = Some(BTreeMap::new());
    let over = told_of(&after, &good(), Some(&view));
    assert_eq!((over.sessions.len(), over.summary.unwrap().sessions.as_str(), over.findings.len()), (0, "0", 0));
}
