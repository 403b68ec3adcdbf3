//! Approved messages: the shape of their values.

use serde_json::Value;

use super::{
    Checked, media,
    value::{items, required_text},
};
use crate::graph_error::GraphError;

/// What stands under `template`.
pub(super) fn check(content: &Value) -> Checked<()> {
    required_text(content, "template", "name", 1..=512)?;
    required_text(&content["language"], "template.language", "code", 2..=16)?;
    if content["components"].is_null() {
        return Ok(());
    }
    items(&content["components"], "template.components", 0..=32)?.iter().try_for_each(component)
}

fn component(component: &Value) -> Checked<()> {
    match component["type"].as_str() {
        Some(kind @ ("header" | "body")) => {
            let parameters = items(&component["parameters"], &format!("{kind}.parameters"), 0..=1024)?;
            parameters.iter().try_for_each(|value| parameter(value, kind))
        }
        Some("button") => button(component),
        Some("carousel" | "limited_time_offer" | "order_status") => Ok(()),
        _ => Err(GraphError::invalid_parameter(
            "Param template['components'][]['type'] must be one of {HEADER, BODY, BUTTON, CAROUSEL}.",
        )),
    }
}

fn parameter(value: &Value, kind: &str) -> Checked<()> {
    match value["type"].as_str() {
        Some("text") => {
            let Some(text) = value["text"].as_str() else {
                let details = "Parameter 'text' is mandatory for component parameter type 'text'";
                return Err(GraphError::invalid_parameter(details));
            };
            if text.is_empty() {
                return Err(GraphError::new(131_008, "Parameter of type text is missing text value"));
            }
            if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
                let details =
                    format!("{kind}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces");
                return Err(GraphError::new(132_018, details));
            }
            Ok(())
        }
        Some(file @ ("image" | "video" | "document")) if kind == "header" => {
            media::file(&value[file], file, &format!("header.{file}"))
        }
        Some("currency" | "date_time" | "location" | "product") => Ok(()),
        _ => Err(GraphError::new(132_012, format!("{kind}: a parameter has a type that does not go there"))),
    }
}

fn button(button: &Value) -> Checked<()> {
    let index = match &button["index"] {
        Value::String(index) => index.parse().ok(),
        index => index.as_u64(),
    };
    if index.is_none_or(|index| index >= 10) {
        return Err(GraphError::invalid_parameter("Param template['components'][]['index'] must be 0 to 9."));
    }
    let parameters = items(&button["parameters"], "button.parameters", 1..=1)?;
    match button["sub_type"].as_str() {
        Some("quick_reply") => required_text(&parameters[0], "button.parameters", "payload", 1..=256).map(drop),
        Some("url") => required_text(&parameters[0], "button.parameters", "text", 1..=2000).map(drop),
        Some(_) => Ok(()),
        None => Err(GraphError::missing("button.sub_type")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::shape::tests::code;

    fn with(components: Value) -> Option<i64> {
        code("template", json!({"name": "hi", "language": {"code": "es"}, "components": components}))
    }

    #[test]
    fn values_are_text_of_one_line_or_a_file_in_the_header() {
        assert_eq!(code("template", json!({"name": "hi", "language": {"code": "es"}})), None);
        assert_eq!(code("template", json!({"name": "hi"})), Some(131_008));
        let body = |value: Value| with(json!([{"type": "body", "parameters": [value]}]));
        assert_eq!(body(json!({"type": "text", "text": "Ana", "parameter_name": "name"})), None);
        assert_eq!(body(json!({"type": "text"})), Some(100));
        assert_eq!(body(json!({"type": "text", "text": ""})), Some(131_008));
        for text in ["a\nb", "a\tb", "a     b"] {
            assert_eq!(body(json!({"type": "text", "text": text})), Some(132_018), "{text:?}");
        }
        let image = json!({"type": "image", "image": {"link": "https://x/y.jpg"}});
        assert_eq!(body(image.clone()), Some(132_012));
        assert_eq!(with(json!([{"type": "header", "parameters": [image]}])), None);
        assert_eq!(with(json!([{"type": "head"}])), Some(100));
    }

    #[test]
    fn a_button_has_a_place_and_one_value() {
        let button = |sub_type: &str, index: Value, value: Value| {
            with(json!([{"type": "button", "sub_type": sub_type, "index": index, "parameters": [value]}]))
        };
        assert_eq!(button("quick_reply", json!("0"), json!({"type": "payload", "payload": "YES"})), None);
        assert_eq!(button("url", json!(1), json!({"type": "text", "text": "x"})), None);
        assert_eq!(button("url", json!("10"), json!({"type": "text", "text": "x"})), Some(100));
        assert_eq!(button("quick_reply", json!("0"), json!({"type": "text", "text": "x"})), Some(131_008));
    }
}
