//! Whether a Flow runs: the engine's own check, over the spec as it stands.

use kube::ResourceExt;
use wigwag_crds::{
    Flow, FlowSpec,
    flow::{Finding, Severity},
    revision::flow_revision,
};

use crate::raw::Raw;

/// A Flow's revision, and what the check says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Revision of the spec as it stands.
    pub revision: String,
    /// Whether it runs.
    pub runs: bool,
    /// What is wrong, or worth a look.
    pub findings: Vec<Finding>,
}

/// Checks the Flow.
#[must_use]
pub fn check(flow: &Raw<Flow>) -> Checked {
    let revision = flow_revision(&flow.spec);
    match flow.read_spec::<FlowSpec>() {
        Ok(spec) => {
            let compiled = wigwag_flow::compile(&flow.name_any(), &revision, &spec);
            Checked { revision, runs: compiled.program.is_some(), findings: compiled.findings }
        }
        Err(error) => {
            let finding =
                Finding { severity: Severity::Error, node: None, field: "spec".to_owned(), message: error.to_string() };
            Checked { revision, runs: false, findings: vec![finding] }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flow_that_compiles_runs_and_one_that_points_nowhere_does_not() {
        let spec = |next: &str| {
            json!({"tenantRef": {"name": "acme"}, "triggers": [{"keyword": "hola"}], "start": "a",
                   "nodes": [{"name": "a", "message": {"text": "Hola", "next": next}}, {"name": "b", "end": {}}]})
        };
        let good = check(&Raw::of("welcome", spec("b")));
        assert!(good.runs, "{:?}", good.findings);
        let bad = check(&Raw::of("welcome", spec("nowhere")));
        assert!(!bad.runs);
        assert_eq!(bad.findings[0].node.as_deref(), Some("a"));
        assert_ne!(good.revision, bad.revision);
    }

    #[test]
    fn a_spec_of_another_version_is_a_finding_and_not_a_failure() {
        let checked = check(&Raw::of("welcome", json!({"tenantRef": "acme"})));
        assert!(!checked.runs);
        assert_eq!(checked.findings[0].field, "spec");
    }
}
