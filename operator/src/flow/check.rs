//! Whether a Flow runs: the engine's own check, over the spec as it stands.

use std::collections::BTreeSet;

use kube::ResourceExt;
use wigwag_crds::{
    Flow, FlowSpec,
    flow::{Finding, Severity},
    revision::flow_revision,
};
use wigwag_flow::Program;

use crate::raw::{Misfit, Raw};

/// A Flow's revision, and what the check says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Revision of the spec as it stands.
    pub revision: String,
    /// Whether it runs.
    pub runs: bool,
    /// What is wrong, or worth a look.
    pub findings: Vec<Finding>,
    /// Its nodes; none where it does not run.
    pub nodes: BTreeSet<String>,
}

/// Checks the Flow.
#[must_use]
pub fn check(flow: &Raw<Flow>) -> Checked {
    let revision = flow_revision(&flow.spec);
    match flow.read_spec::<FlowSpec>() {
        Ok(spec) => {
            let compiled = wigwag_flow::compile(&flow.name_any(), &revision, &spec);
            let nodes = compiled.program.iter().flat_map(Program::node_names).map(str::to_owned).collect();
            Checked { revision, runs: compiled.program.is_some(), findings: compiled.findings, nodes }
        }
        Err(Misfit { field, message }) => {
            let finding = Finding { severity: Severity::Error, node: None, field, message };
            Checked { revision, runs: false, findings: vec![finding], nodes: BTreeSet::new() }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_flow_that_compiles_runs_and_one_that_points_nowhere_does_not() {
        let spec = |next: &str| {
            json!({"tenantRef": {"name": "acme"}, "triggers": [{"keyword": "hola"}], "start": "a",
                   "nodes": [{"name": "a", "message": {"text": "Hola", "next": next}}, {"name": "b", "end": {}}]})
        };
        let good = check(&Raw::of("welcome", spec("b")));
        assert!(good.runs, "{:?}", good.findings);
        assert_eq!(good.nodes, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        let bad = check(&Raw::of("welcome", spec("nowhere")));
        assert!(!bad.runs);
        assert_eq!(bad.findings[0].node.as_deref(), Some("a"));
        assert_ne!(good.revision, bad.revision);
    }

    #[test]
    fn a_spec_of_another_version_is_a_finding_and_not_a_failure() {
        let checked = check(&Raw::of("welcome", json!({"tenantRef": "acme"})));
        assert!(!checked.runs);
        assert_eq!(checked.findings[0].field, "spec.tenantRef");
    }

    /// The API server's schema lets these through, or did in another version.
    #[test]
    fn an_odd_value_is_a_finding_that_names_its_field() {
        let found = |node: Value| {
            let spec = json!({"tenantRef": {"name": "acme"}, "triggers": [{"keyword": "hola"}], "start": "a", "nodes": [node]});
            let checked = check(&Raw::of("welcome", spec));
            assert!(!checked.runs, "{node}");
            checked.findings[0].clone()
        };
        let ask = |fields: Value| {
            let mut ask = json!({"text": "?", "into": "x"});
            ask.as_object_mut().expect("a map").extend(fields.as_object().expect("a map").clone());
            json!({"name": "a", "ask": ask})
        };
        for (odd, field) in [
            (ask(json!({"min": 1.5})), "spec.nodes[0].ask.min"),
            (ask(json!({"timeout": "999999999d"})), "spec.nodes[0].ask.timeout"),
            (ask(json!({"type": "number"})), "spec.nodes[0].ask.type"),
            (json!({"name": "a", "http": {"url": "https://x", "method": "get"}}), "spec.nodes[0].http.method"),
        ] {
            assert_eq!(found(odd).field, field);
        }
        for text in [json!(5), json!(null), json!(["Hola"]), json!({}), json!({"es": 5})] {
            let found = found(ask(json!({"text": text})));
            assert_eq!((found.node.as_deref(), found.field.as_str()), (Some("a"), "text"), "{text}");
        }
    }
}
