//! Questions: buttons, lists, links and forms.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Checked, media,
    value::{items, one_of, optional_text, required_text},
};
use crate::graph_error::GraphError;

pub(super) fn check(content: &Value) -> Checked<()> {
    let kind = required_text(content, "interactive", "type", 1..=64)?;
    let action = &content["action"];
    if !action.is_object() {
        return Err(GraphError::missing("interactive.action"));
    }
    header(content, kind)?;
    if !content["footer"].is_null() {
        required_text(&content["footer"], "interactive.footer", "text", 1..=60)?;
    }
    let body = if kind == "list" { 1..=4096 } else { 1..=1024 };
    let body_optional = matches!(kind, "product" | "address_message");
    if !(body_optional && content["body"].is_null()) {
        required_text(&content["body"], "interactive.body", "text", body)?;
    }
    match kind {
        "button" => buttons(action),
        "list" => list(action),
        "cta_url" => {
            let parameters = &action["parameters"];
            required_text(parameters, "interactive.action.parameters", "display_text", 1..=20)?;
            required_text(parameters, "interactive.action.parameters", "url", 1..=2000).map(drop)
        }
        "flow" => flow(action),
        _ => Ok(()),
    }
}

fn header(content: &Value, kind: &str) -> Checked<()> {
    let header = &content["header"];
    match header["type"].as_str() {
        None if header.is_null() => Ok(()),
        Some("text") => required_text(header, "interactive.header", "text", 1..=60).map(drop),
        Some(file @ ("image" | "video" | "document")) if matches!(kind, "button" | "cta_url" | "flow") => {
            media::file(&header[file], file, &format!("interactive.header.{file}"))
        }
        _ => Err(GraphError::invalid_value(format!("Header type is not valid for interactive type {kind}."))),
    }
}

fn buttons(action: &Value) -> Checked<()> {
    let mut titles = HashSet::new();
    let mut ids = HashSet::new();
    for button in items(&action["buttons"], "interactive.action.buttons", 1..=3)? {
        if button["type"] != "reply" {
            return Err(GraphError::invalid_value("Button type invalid. It must be \"reply\"."));
        }
        let id = required_text(&button["reply"], "interactive.action.buttons.reply", "id", 1..=256)?;
        let title = required_text(&button["reply"], "interactive.action.buttons.reply", "title", 1..=20)?;
        if !titles.insert(title) || !ids.insert(id) {
            return Err(GraphError::invalid_value("Button ids and titles must be unique."));
        }
    }
    Ok(())
}

fn list(action: &Value) -> Checked<()> {
    required_text(action, "interactive.action", "button", 1..=20)?;
    let sections = items(&action["sections"], "interactive.action.sections", 1..=10)?;
    let mut ids = HashSet::new();
    let mut rows = 0;
    for section in sections {
        if sections.len() > 1 || !section["title"].is_null() {
            required_text(section, "interactive.action.sections", "title", 1..=24)?;
        }
        for row in items(&section["rows"], "interactive.action.sections.rows", 1..=10)? {
            let id = required_text(row, "interactive.action.sections.rows", "id", 1..=200)?;
            required_text(row, "interactive.action.sections.rows", "title", 1..=24)?;
            optional_text(row, "interactive.action.sections.rows", "description", 0..=72)?;
            if !ids.insert(id) {
                return Err(GraphError::invalid_value(format!("Duplicated row id {id:?}.")));
            }
            rows += 1;
        }
    }
    if rows > 10 {
        return Err(GraphError::invalid_value(format!("Total row count exceeds 10: there are {rows}.")));
    }
    Ok(())
}

/// A button that opens a form.
fn flow(action: &Value) -> Checked<()> {
    let path = "interactive.action.parameters";
    if action["name"] != "flow" {
        return Err(GraphError::invalid_value("interactive.action.name must be \"flow\"."));
    }
    let parameters = &action["parameters"];
    if required_text(parameters, path, "flow_message_version", 1..=8)? != "3" {
        return Err(GraphError::invalid_value(format!("{path}.flow_message_version must be \"3\".")));
    }
    if parameters["flow_id"].is_null() == parameters["flow_name"].is_null() {
        return Err(GraphError::invalid_value("Either flow_id or flow_name is required."));
    }
    let cta = required_text(parameters, path, "flow_cta", 1..=30)?;
    // Pictures live in these blocks; not all of them, but those that people put on buttons.
    if cta.chars().any(|c| {
        matches!(c, '\u{2705}' | '\u{2728}' | '\u{274C}' | '\u{2B50}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
    }) {
        return Err(GraphError::invalid_value(format!("{path}.flow_cta must not have an emoji.")));
    }
    optional_text(parameters, path, "flow_token", 1..=512)?;
    one_of(parameters, path, "mode", &["draft", "published"])?;
    one_of(parameters, path, "flow_action", &["navigate", "data_exchange"])?;
    let payload = &parameters["flow_action_payload"];
    if payload.is_null() {
        return Ok(());
    }
    if parameters["flow_action"] == "data_exchange" {
        return Err(GraphError::invalid_value(format!("{path}.flow_action_payload goes with \"navigate\" only.")));
    }
    let path = format!("{path}.flow_action_payload");
    required_text(payload, &path, "screen", 1..=256)?;
    let data = &payload["data"];
    match data.is_null() || data.as_object().is_some_and(|data| !data.is_empty()) {
        true => Ok(()),
        false => Err(GraphError::invalid_value(format!("{path}.data must be an object that is not empty."))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shape::tests::code;

    fn button(id: usize, title: &str) -> Value {
        json!({"type": "reply", "reply": {"id": format!("{id}"), "title": title}})
    }

    fn with_buttons(buttons: Vec<Value>) -> Option<i64> {
        code("interactive", json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}}))
    }

    fn with_rows(sections: Vec<usize>, titled: bool) -> Option<i64> {
        let mut next = 0;
        let sections: Vec<_> = sections
            .into_iter()
            .map(|rows| {
                let rows: Vec<_> = (0..rows)
                    .map(|_| {
                        next += 1;
                        json!({"id": format!("{next}"), "title": "fila"})
                    })
                    .collect();
                json!({"title": titled.then_some("parte"), "rows": rows})
            })
            .collect();
        let action = json!({"button": "Ver", "sections": sections});
        code("interactive", json!({"type": "list", "body": {"text": "ñ".repeat(4096)}, "action": action}))
    }

    #[test]
    fn buttons_are_one_to_three_with_unique_titles_of_at_most_20() {
        assert_eq!(with_buttons(vec![button(1, "áéíóúáéíóúáéíóúáéíóú"), button(2, "b"), button(3, "c")]), None);
        assert_eq!(with_buttons(vec![button(1, &"x".repeat(21))]), Some(131_009));
        assert_eq!(with_buttons(vec![]), Some(131_009));
        assert_eq!(with_buttons((0..4).map(|n| button(n, &format!("{n}"))).collect()), Some(131_009));
        assert_eq!(with_buttons(vec![button(1, "a"), button(2, "a")]), Some(131_009));
        assert_eq!(with_buttons(vec![json!({"type": "reply", "reply": {"id": "1"}})]), Some(131_008));
    }

    #[test]
    fn lists_have_at_most_ten_rows_over_all_sections_and_titles_once_there_are_two() {
        assert_eq!(with_rows(vec![10], false), None);
        assert_eq!(with_rows(vec![5, 5], true), None);
        assert_eq!(with_rows(vec![6, 5], true), Some(131_009));
        assert_eq!(with_rows(vec![5, 5], false), Some(131_008));
        assert_eq!(with_rows(vec![0], false), Some(131_009));
    }

    #[test]
    fn headers_are_text_or_a_file_and_a_list_takes_text_alone() {
        let with = |kind: &str, header: Value| {
            let action = match kind {
                "list" => json!({"button": "Ver", "sections": [{"rows": [{"id": "1", "title": "fila"}]}]}),
                _ => json!({"buttons": [button(1, "a")]}),
            };
            code("interactive", json!({"type": kind, "header": header, "body": {"text": "?"}, "action": action}))
        };
        let image = json!({"type": "image", "image": {"link": "https://x/y.jpg"}});
        assert_eq!(with("button", image.clone()), None);
        assert_eq!(with("list", image), Some(131_009));
        assert_eq!(with("list", json!({"type": "text", "text": "Menú"})), None);
        assert_eq!(with("button", json!({"type": "text", "text": "x".repeat(61)})), Some(131_009));
        assert_eq!(with("button", json!({"type": "image"})), Some(131_008));
        assert_eq!(with("button", json!({"type": "image", "image": {"link": "y.jpg"}})), Some(100));
        assert_eq!(with("button", json!({"type": "sticker", "sticker": {"id": "1"}})), Some(131_009));
    }

    #[test]
    fn a_form_has_a_short_button_without_pictures_and_data_that_is_not_empty() {
        let with = |changes: Value| {
            let mut parameters = json!({
                "flow_message_version": "3", "flow_token": "t", "flow_id": "1", "flow_cta": "Pedir cita",
                "flow_action": "navigate", "flow_action_payload": {"screen": "FIRST", "data": {"a": 1}},
            });
            if let (Value::Object(parameters), Value::Object(changes)) = (&mut parameters, changes) {
                parameters.extend(changes);
            }
            let action = json!({"name": "flow", "parameters": parameters});
            code("interactive", json!({"type": "flow", "body": {"text": "?"}, "action": action}))
        };
        assert_eq!(with(json!({})), None);
        assert_eq!(with(json!({"flow_action": "data_exchange", "flow_action_payload": null, "mode": "draft"})), None);
        for wrong in [
            json!({"flow_cta": "x".repeat(31)}),
            json!({"flow_cta": "Pedir 📅"}),
            json!({"flow_message_version": "4"}),
            json!({"flow_name": "too"}),
            json!({"mode": "test"}),
            json!({"flow_action": "jump"}),
            json!({"flow_action": "data_exchange"}),
            json!({"flow_action_payload": {"screen": "FIRST", "data": {}}}),
        ] {
            assert_eq!(with(wrong.clone()), Some(131_009), "{wrong}");
        }
        assert_eq!(with(json!({"flow_cta": null})), Some(131_008));
        assert_eq!(with(json!({"flow_action_payload": {"data": {"a": 1}}})), Some(131_008));
    }
}
