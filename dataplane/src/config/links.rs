//! What the Flows of a tenant say of each other and of their tenant: the same trigger twice, calls and escape words that
//! lead to no Flow, Secrets that the tenant does not let Flows send. The loader and `flow check` both ask here.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use wigwag_crds::{
    FlowSpec, WhatsAppTenantSpec,
    flow::{Escape, Finding, Severity},
    node::{HttpNode, NodeKind},
    tenant::FlowSecret,
};
use wigwag_flow::{Program, compare_calls, compare_triggers, unknown_variables};

use crate::calls::address::HostPattern;

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
    found.extend(unknown_variables(spec, tenant));
    let sendable: BTreeMap<_, _> = tenant.sendable_secrets().map(|secret| (secret.name.as_str(), secret)).collect();
    let mut own = tenant.provider_secrets();
    own.insert(&tenant.database.secret_ref.name);
    own.extend(tenant.api.iter().map(|api| api.tokens_secret_ref.name.as_str()));
    for node in &spec.nodes {
        let Some(NodeKind::Http(http)) = node.kind() else { continue };
        for (i, header) in http.headers.iter().enumerate() {
            let Some(name) = header.secret.as_ref().map(|secret| secret.name.as_str()) else { continue };
            let message = match sendable.get(name) {
                Some(secret) => unsent(http, secret),
                None if own.contains(name) => Some(format!(
                    "Secret {name:?} has the tenant's own credentials, which no Flow may send, and the call fails: \
                     keep what Flows need in a Secret of its own"
                )),
                None => Some(format!(
                    "Secret {name:?} is none that Flows may send, and the call fails: list it in spec.flowSecrets of \
                     the tenant"
                )),
            };
            let at = format!("headers[{i}].secret.name");
            found.extend(message.map(|message| warning(Some(&node.name), at, message)));
        }
    }
    found
}

/// Why a Secret does not go where a call goes.
fn unsent(http: &HttpNode, secret: &FlowSecret) -> Option<String> {
    // Values never change the host, so that what stands before them has it.
    let url = Url::parse(http.url.split("{{").next()?).ok()?;
    let host = url.host()?.to_string();
    let goes = |pattern: &String| HostPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(&host));
    (!secret.hosts.iter().any(goes)).then(|| {
        format!(
            "Secret {:?} may not go to {host}, and the call fails: list the host in spec.flowSecrets of the tenant",
            secret.name
        )
    })
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
