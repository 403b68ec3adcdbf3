//! Files: by id or by link, and what may stand beside.

use serde_json::Value;

use super::{Checked, value::optional_text};
use crate::graph_error::GraphError;

/// A file as a message of its own, or in a header; `path` is where it stands.
pub(super) fn file(content: &Value, kind: &str, path: &str) -> Checked<()> {
    let fields = content.as_object().ok_or_else(|| GraphError::missing(path))?;
    let allowed: &[&str] = match kind {
        "document" => &["id", "link", "caption", "filename", "provider"],
        "audio" => &["id", "link", "caption", "voice", "provider"],
        _ => &["id", "link", "caption", "provider"],
    };
    if let Some(unknown) = fields.keys().find(|k| !allowed.contains(&k.as_str())) {
        return Err(GraphError::invalid_parameter(format!("Unexpected key \"{unknown}\" on param \"{path}\".")));
    }
    if content["id"].is_string() == content["link"].is_string() {
        return Err(GraphError::invalid_parameter(format!("Param {path} needs either id or link.")));
    }
    let is_uri = |link: &str| {
        let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
        rest.is_some_and(|rest| !rest.is_empty()) && !link.contains(char::is_whitespace)
    };
    if content["link"].as_str().is_some_and(|link| !is_uri(link)) {
        return Err(GraphError::invalid_parameter(format!("Param {path}['link'] is not a valid URI.")));
    }
    optional_text(content, path, "filename", 1..=240)
}

/// A message of its own.
pub(super) fn check(content: &Value, kind: &str) -> Checked<()> {
    file(content, kind, kind)?;
    if !content["voice"].is_null() && !content["voice"].is_boolean() {
        return Err(GraphError::invalid_parameter("Param audio['voice'] must be a boolean."));
    }
    let caption = if matches!(kind, "audio" | "sticker") { 0..=0 } else { 0..=1024 };
    optional_text(content, kind, "caption", caption)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::shape::tests::code;

    #[test]
    fn a_file_is_named_by_id_or_by_link_and_carries_only_what_its_kind_takes() {
        assert_eq!(code("image", json!({"link": "https://x/y.jpg", "caption": "x"})), None);
        assert_eq!(code("image", json!({"link": "https://x/y.jpg", "id": "1"})), Some(100));
        assert_eq!(code("image", json!({"link": "y.jpg"})), Some(100));
        assert_eq!(code("image", json!({"id": "1", "caption": "x".repeat(1025)})), Some(131_009));
        assert_eq!(code("image", json!({"id": "1", "filename": "x.jpg"})), Some(100));
        assert_eq!(code("document", json!({"id": "1", "filename": "x.pdf", "caption": "x"})), None);
        assert_eq!(code("document", json!({"id": "1", "filename": "x".repeat(241)})), Some(131_009));
        assert_eq!(code("audio", json!({"id": "1", "voice": true})), None);
        assert_eq!(code("audio", json!({"id": "1", "voice": "yes"})), Some(100));
        assert_eq!(code("audio", json!({"id": "1", "caption": "no"})), Some(131_009));
        assert_eq!(code("sticker", json!({"id": "1", "caption": "no"})), Some(131_009));
    }
}
