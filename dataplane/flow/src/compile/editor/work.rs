//! Nodes of the editor that work without a word.

use std::time::Duration;

use serde_json::Value;
use wigwag_domain::cut;

use super::{API_RESULT, Node, Reader};
use crate::{
    context::Key,
    findings::quoted,
    path::Path,
    program::{Assignment, Case, HeaderValue, Http, Kind, NodeIndex, Settles, Source, Target, Test},
    script::{Script, ScriptError},
    template::{Template, Tree},
};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(15);

impl Reader<'_> {
    pub(super) fn condition(&mut self, node: &Node<'_>) -> Option<Kind> {
        let source = self.limited(node, "expression", 1, 500)?;
        let when = match Script::compile(source) {
            Ok(script) => {
                for name in script.reads() {
                    if let Some(message) = self.builder.unknown_name(name) {
                        self.builder.warning("expression", message);
                    }
                }
                if !self.builder.count_patterns("expression", script.patterns()) {
                    return None;
                }
                Test::Script(script)
            }
            Err(error) => {
                let rewrite = match &error {
                    ScriptError::Syntax { .. } => format!(": {}", rewrite(source)),
                    _ => String::new(),
                };
                self.builder.warning("expression", format!("{error}{rewrite}; until then it is false"));
                Test::Never
            }
        };
        let cases = vec![Case { when, next: self.edge(node, "true") }];
        Some(Kind::Condition { cases, otherwise: self.edge(node, "false") })
    }

    pub(super) fn api(&mut self, node: &Node<'_>, next: Option<NodeIndex>) -> Option<Http> {
        let method = match node.text("method").unwrap_or("POST").to_ascii_uppercase().as_str() {
            "GET" => "GET",
            "POST" | "" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            other => {
                let message = format!("there is no method {}: write GET, POST, PUT, PATCH or DELETE", quoted(other));
                self.builder.error("method", message);
                return None;
            }
        };
        let url = self.limited(node, "url", 1, 2_000)?;
        let url = self.builder.template("url", url.trim(), 2_000)?;
        self.builder.literal_host("url", &url);
        let mut headers = Vec::new();
        for (name, value) in self.headers(node.get("headers")) {
            let value = self.builder.template(&format!("headers.{}", cut(&name, 80)), &value, 2_000)?;
            headers.push((name, HeaderValue::Text(value)));
        }
        let body = node.get("body").filter(|body| !body.is_null() && body.as_str() != Some(""));
        let body = body.filter(|_| method != "GET");
        if let Some(body) = body {
            self.builder.no_paths_within("body", body);
        }
        let body = body.map(body_tree);
        let into = node.text("assignTo").filter(|path| !path.trim().is_empty()).unwrap_or(API_RESULT);
        Some(Http {
            method,
            url,
            headers,
            body,
            timeout: CALL,
            repeatable: !matches!(method, "POST" | "PATCH"),
            into: Some(self.path("assignTo", into)?),
            settles: Settles::Always,
            next,
        })
    }

    pub(super) fn assign(&mut self, node: &Node<'_>, next: Option<NodeIndex>) -> Option<Kind> {
        let key = self.limited(node, "key", 1, 50)?;
        let value = self.limited(node, "value", 0, 500)?;
        let target = self.path("key", key)?;
        let value = Source::Text(self.builder.template("value", value, 500)?);
        Some(Kind::Assign { set: vec![Assignment { target, value }], next })
    }

    /// Headers as a map, as a list of keys and values, or as the JSON text of a map.
    fn headers(&mut self, value: Option<&Value>) -> Vec<(String, String)> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let message = "it is left out: write a map such as {\"X-Order\": \"7\"}";
        match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(map)) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            Some(Value::Array(items)) => {
                let mut headers = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let name = item.get("key").or_else(|| item.get("name")).and_then(Value::as_str);
                    match name.filter(|name| !name.trim().is_empty()) {
                        Some(name) => headers.push((name.to_owned(), item.get("value").map(text).unwrap_or_default())),
                        None => self.builder.warning(&format!("headers[{index}]"), message),
                    }
                }
                headers
            }
            Some(Value::String(json)) if json.trim().is_empty() => Vec::new(),
            Some(Value::String(json)) => match serde_json::from_str::<Value>(json) {
                Ok(value @ Value::Object(_)) => self.headers(Some(&value)),
                _ => {
                    self.builder.warning("headers", message);
                    Vec::new()
                }
            },
            Some(_) => {
                self.builder.warning("headers", message);
                Vec::new()
            }
        }
    }

    fn path(&mut self, field: &str, written: &str) -> Option<Target> {
        let path = Path::parse(written);
        let Some((path, root)) = path.as_ref().and_then(|path| Some((path.clone(), path.root()?))) else {
            self.builder.error(field, "it is no path: write letters, digits and _, joined by dots");
            return None;
        };
        if Key::find(root).is_some() {
            let message = format!("{root} is written by the engine alone: choose another name");
            self.builder.error(field, message);
            return None;
        }
        Some(Target::Path(path))
    }
}

/// A condition that does not parse, as it may have been meant.
fn rewrite(source: &str) -> String {
    let alone = source.trim().trim_end_matches([';', ' ']);
    let alone = alone.strip_prefix("return").filter(|rest| rest.starts_with([' ', '('])).unwrap_or(alone).trim();
    if alone != source.trim() && Script::compile(alone).is_ok() {
        return format!("write the expression alone, without return and ;: `{}`", cut(alone, 80));
    }
    "write one expression, such as context.input === 'ok'".to_owned()
}

/// A body: a value, the JSON text of one, or a text.
fn body_tree(value: &Value) -> Tree {
    let Value::String(text) = value else { return Tree::editor(value) };
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Tree::editor(&value),
        _ if text.trim_start().starts_with(['{', '[']) => Tree::Json(Template::editor(text)),
        _ => Tree::Text(Template::editor(text)),
    }
}
