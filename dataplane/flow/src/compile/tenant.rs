//! Where a flow reads variables of its tenant that the tenant does not have.

use serde_json::Value;
use wigwag_crds::{
    FlowSpec, WhatsAppTenantSpec,
    flow::{Finding, Severity},
};
use wigwag_domain::cut;

use crate::{
    expression::{Expression, Path},
    suggest::closest,
    template::{Form, Template},
};

/// The variables that a flow reads and its tenant does not have. All of it are warnings; what does not parse, and the
/// editor's form, which reads none, have none here.
#[must_use]
pub fn unknown_variables(flow: &FlowSpec, tenant: &WhatsAppTenantSpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    for node in &flow.nodes {
        let Ok(Value::Object(kinds)) = serde_json::to_value(node) else { continue };
        for fields in kinds.values() {
            each_text(fields, &mut String::new(), &mut |field, text| {
                for path in paths(field, text) {
                    if let Some(message) = unknown(&path, tenant) {
                        let (severity, node) = (Severity::Warning, Some(node.name.clone()));
                        findings.push(Finding { severity, node, field: field.to_owned(), message });
                    }
                }
            });
        }
    }
    findings
}

/// Every text below a value, with the field that it stands in.
fn each_text(value: &Value, field: &mut String, take: &mut impl FnMut(&str, &str)) {
    let length = field.len();
    match value {
        Value::String(text) => take(field, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                field.push_str(&format!("[{index}]"));
                each_text(item, field, take);
                field.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if !field.is_empty() {
                    field.push('.');
                }
                field.push_str(&cut(name, 80));
                each_text(value, field, take);
                field.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a text reads: one that is an expression, or has some in it.
fn paths(field: &str, text: &str) -> Vec<Path> {
    if !text.contains("tenant") {
        return Vec::new();
    }
    let is_expression =
        ["set.", "args.", "result."].iter().any(|map| field.starts_with(map)) || field.ends_with("].when");
    if is_expression {
        return Expression::compile(text).map(|expression| expression.paths().to_vec()).unwrap_or_default();
    }
    let template = Template::parse(text, Form::Native);
    let expressions = template.iter().flat_map(Template::expressions);
    expressions.flat_map(|expression| expression.paths().to_vec()).collect()
}

/// What a path reads that is not there.
fn unknown(path: &Path, tenant: &WhatsAppTenantSpec) -> Option<String> {
    let [root, name, fields @ ..] = path.as_slice() else { return None };
    if root != "tenant" {
        return None;
    }
    let Some(variable) = tenant.variables.get(name) else {
        return Some(missing("tenant", name, tenant.variables.keys().map(String::as_str)));
    };
    let mut at = &variable.0;
    let mut read = format!("tenant.{name}");
    for field in fields {
        let Value::Object(known) = at else { return None };
        let Some(next) = known.get(field) else {
            return Some(missing(&read, field, known.keys().map(String::as_str)));
        };
        at = next;
        read = format!("{read}.{field}");
    }
    None
}

fn missing<'k>(at: &str, name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let instead = match closest(name, known) {
        Some(known) => format!("did you mean `{at}.{known}`?"),
        None => "add it to spec.variables of the tenant".to_owned(),
    };
    format!("the tenant has no variable `{at}.{}`: {instead}", cut(name, 80))
}
