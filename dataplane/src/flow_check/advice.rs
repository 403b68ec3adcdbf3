//! What does not fit a type, told with what to write, and with the node that it stands in.

use serde_json::Value;
use wigwag_crds::flow::Finding;

/// The message, with what to write instead.
pub(super) fn advised(message: &str) -> String {
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return format!("{message}: write {field}: and its value");
    }
    let is_unquoted = ["boolean", "integer", "floating point"]
        .iter()
        .any(|kind| message.starts_with(&format!("invalid type: {kind}")) && message.contains("expected a string"));
    match (is_unquoted, message.starts_with("invalid type: boolean")) {
        (true, true) => {
            format!("{message}: put quotes around it; YAML takes y, no, on and their like for true or false")
        }
        (true, false) => format!("{message}: put quotes around it"),
        (false, _) => message.to_owned(),
    }
}

/// A finding about `spec.nodes[i]`, with the name of that node in this spec.
pub(super) fn placed(finding: Finding, spec: &Value) -> Finding {
    let index = finding.field.strip_prefix("spec.nodes[").and_then(|rest| rest.split(']').next());
    let index = index.and_then(|index| index.parse::<usize>().ok());
    let name = index.and_then(|index| spec["nodes"][index]["name"].as_str());
    Finding { node: finding.node.or(name.map(str::to_owned)), message: advised(&finding.message), ..finding }
}
