//! What the Flows of a tenant say of each other and of their tenant: the same trigger twice, calls and escape words that
//! lead to no Flow, Secrets that the tenant does not let Flows send. The loader and `flow check` both ask here.

use std::collections::BTreeSet;

use wigwag_crds::{
    FlowSpec, WhatsAppTenantSpec,
    flow::{Escape, Finding, Severity},
    node::NodeKind,
};
use wigwag_flow::{Program, compare_calls, compare_triggers};

/// What is found between Flows of one tenant, each with the name of the Flow that it is about. All of it are warnings.
pub(crate) fn between(programs: &[&Program]) -> Vec<(String, Finding)> {
    let mut found = compare_triggers(programs);
    found.extend(compare_calls(programs));
    found
}

/// What a Flow names that is not there: Flows, among these names, and Secrets of its tenant, where that is known.
pub(crate) fn of_flow(spec: &FlowSpec, flows: &BTreeSet<&str>, tenant: Option<&WhatsAppTenantSpec>) -> Vec<Finding> {
    let escape = spec.escape.iter().flat_map(|escape| &escape.add);
    let mut found = escapes(escape, "escape.add", flows);
    let Some(tenant) = tenant else { return found };
    let sendable: BTreeSet<_> = tenant.sendable_secrets().map(|secret| secret.name.as_str()).collect();
    for node in &spec.nodes {
        let Some(NodeKind::Http(http)) = node.kind() else { continue };
        for (i, header) in http.headers.iter().enumerate() {
            let Some(secret) = header.secret.as_ref().filter(|secret| !sendable.contains(secret.name.as_str())) else {
                continue;
            };
            let message = format!(
                "Secret {:?} is none that Flows may send, and the call fails: list it in spec.flowSecrets of the tenant",
                secret.name
            );
            found.push(warning(Some(&node.name), format!("headers[{i}].secret.name"), message));
        }
    }
    found
}

/// What a tenant names that is not there: Flows, among these names.
pub(crate) fn of_tenant(spec: &WhatsAppTenantSpec, flows: &BTreeSet<&str>) -> Vec<Finding> {
    escapes(spec.escape.iter(), "escape", flows)
}

fn escapes<'a>(escapes: impl Iterator<Item = &'a Escape>, at: &str, flows: &BTreeSet<&str>) -> Vec<Finding> {
    let named = escapes.enumerate().filter_map(|(i, escape)| Some((i, escape.flow.as_deref()?)));
    let unknown = named.filter(|(_, flow)| !flows.contains(flow));
    unknown
        .map(|(i, flow)| {
            let message =
                format!("Flow {flow:?} is not among the tenant's, and nothing begins: add it, or name one that is");
            warning(None, format!("{at}[{i}].flow"), message)
        })
        .collect()
}

fn warning(node: Option<&str>, field: String, message: String) -> Finding {
    Finding { severity: Severity::Warning, node: node.map(str::to_owned), field, message }
}
