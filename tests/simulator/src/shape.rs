//! The shape of a call to `POST /{version}/{phone-number-id}/messages`, checked as Graph checks it: what is required,
//! which lengths and counts, under which error code. Pure. Lengths count characters, not bytes.

use std::{collections::HashSet, ops::RangeInclusive};

use serde_json::Value;

use crate::graph_error::GraphError;

type Checked<T> = Result<T, GraphError>;

/// What a well-formed call asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Send { to: Target, own_id: Option<String> },
    MarkRead { message_id: String, typing: bool },
}

/// To whom.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Digits as they would be dialled after a `+`; without one Meta puts the business's country code before them.
    Phone { given: String, digits: String, has_plus: bool },
    /// A business-scoped id.
    User(String),
    /// A group.
    Group(String),
}

const TYPES: [&str; 11] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
];

const ENVELOPE: [&str; 8] = [
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
    "messaging_account_id",
];

/// Checks a body.
///
/// # Errors
/// What Graph would refuse it with.
pub(crate) fn check(body: &Value) -> Checked<Call> {
    let fields = body.as_object().ok_or_else(|| GraphError::invalid_parameter("The body is not a JSON object."))?;
    if body["messaging_product"] != "whatsapp" {
        return Err(GraphError::invalid_parameter("The parameter messaging_product is required: \"whatsapp\"."));
    }
    if fields.contains_key("status") {
        return mark_read(body);
    }
    if let Some(unknown) = fields.keys().find(|k| !ENVELOPE.contains(&k.as_str()) && !TYPES.contains(&k.as_str())) {
        return Err(GraphError::invalid_parameter(format!("Unexpected key \"{unknown}\" on param \"\".")));
    }
    let own_id = match &body["biz_opaque_callback_data"] {
        Value::Null => None,
        data => Some(within(data, "biz_opaque_callback_data", 1..=512)?.to_owned()),
    };
    if !body["context"].is_null() {
        required_text(&body["context"], "context", "message_id", 1..=512)?;
    }
    let to = target(body)?;
    content(body)?;
    Ok(Call::Send { to, own_id })
}

fn mark_read(body: &Value) -> Checked<Call> {
    if body["status"] != "read" {
        return Err(GraphError::invalid_parameter("Param status must be one of {READ}."));
    }
    let typing = match &body["typing_indicator"] {
        Value::Null => false,
        indicator if indicator["type"] == "text" => true,
        _ => return Err(GraphError::invalid_parameter("Param typing_indicator['type'] must be one of {TEXT}.")),
    };
    let message_id = required_text(body, "", "message_id", 1..=512)?.to_owned();
    Ok(Call::MarkRead { message_id, typing })
}

fn target(body: &Value) -> Checked<Target> {
    let group = match body["recipient_type"].as_str() {
        None if body["recipient_type"].is_null() => false,
        Some("individual") => false,
        Some("group") => true,
        _ => return Err(GraphError::invalid_parameter("Param recipient_type must be one of {INDIVIDUAL, GROUP}.")),
    };
    if let Some(to) = body["to"].as_str() {
        return if group { Ok(Target::Group(to.to_owned())) } else { phone(to) };
    }
    match body["recipient"].as_str() {
        Some(id) if id.split_once('.').is_some_and(|(country, rest)| country.len() == 2 && !rest.is_empty()) => {
            Ok(Target::User(id.to_owned()))
        }
        Some(id) => Err(GraphError::invalid_parameter(format!("{id:?} is not a business-scoped user id."))),
        None => Err(GraphError::invalid_parameter("The parameter to is required.")),
    }
}

fn phone(to: &str) -> Checked<Target> {
    let digits: String = to.chars().filter(char::is_ascii_digit).collect();
    let written_well =
        to.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c)) && to.rfind('+').is_none_or(|at| at == 0);
    if !written_well || !(5..=15).contains(&digits.len()) {
        return Err(GraphError::invalid_value("Recipient phone number is not a valid WhatsApp phone number."));
    }
    Ok(Target::Phone { given: to.to_owned(), digits, has_plus: to.starts_with('+') })
}

fn content(body: &Value) -> Checked<()> {
    let kind = body["type"].as_str().unwrap_or("text");
    if !TYPES.contains(&kind) {
        let known = TYPES.join(", ").to_uppercase();
        return Err(GraphError::invalid_parameter(format!("Param type must be one of {{{known}}}.")));
    }
    let content = &body[kind];
    match kind {
        _ if content.is_null() => Err(GraphError::missing(kind)),
        "contacts" => contacts(content),
        _ if !content.is_object() => Err(GraphError::invalid_parameter(format!("Param {kind} must be an object."))),
        "text" => required_text(content, "text", "body", 1..=4096).map(drop),
        "location" => {
            number(content, "location", "latitude")?;
            number(content, "location", "longitude")
        }
        "reaction" => {
            required_text(content, "reaction", "message_id", 1..=512)?;
            required_text(content, "reaction", "emoji", 0..=32).map(drop)
        }
        "template" => {
            required_text(content, "template", "name", 1..=512)?;
            required_text(&content["language"], "template.language", "code", 2..=16).map(drop)
        }
        "interactive" => interactive(content),
        media => {
            if content["id"].is_string() == content["link"].is_string() {
                return Err(GraphError::invalid_parameter(format!("Param {media} needs either id or link.")));
            }
            let caption = if matches!(media, "audio" | "sticker") { 0..=0 } else { 0..=1024 };
            optional_text(content, media, "caption", caption)
        }
    }
}

fn contacts(content: &Value) -> Checked<()> {
    for contact in items(content, "contacts", 1..=257)? {
        required_text(&contact["name"], "contacts.name", "formatted_name", 1..=1024)?;
    }
    Ok(())
}

// === Interactive ===

fn interactive(content: &Value) -> Checked<()> {
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
        "flow" => {
            let parameters = &action["parameters"];
            required_text(parameters, "interactive.action.parameters", "flow_message_version", 1..=8)?;
            if parameters["flow_id"].is_null() == parameters["flow_name"].is_null() {
                return Err(GraphError::invalid_value("Either flow_id or flow_name is required."));
            }
            required_text(parameters, "interactive.action.parameters", "flow_cta", 1..=30).map(drop)
        }
        _ => Ok(()),
    }
}

fn header(content: &Value, kind: &str) -> Checked<()> {
    let header = &content["header"];
    match header["type"].as_str() {
        None if header.is_null() => Ok(()),
        Some("text") => required_text(header, "interactive.header", "text", 1..=60).map(drop),
        Some("image" | "video" | "document") if kind != "list" => Ok(()),
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

// === Single values ===

fn required_text<'a>(parent: &'a Value, path: &str, key: &str, length: RangeInclusive<usize>) -> Checked<&'a str> {
    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match &parent[key] {
        Value::Null => Err(GraphError::missing(&path)),
        value => within(value, &path, length),
    }
}

fn optional_text(parent: &Value, path: &str, key: &str, length: RangeInclusive<usize>) -> Checked<()> {
    match &parent[key] {
        Value::Null => Ok(()),
        value => within(value, &format!("{path}.{key}"), length).map(drop),
    }
}

/// Lengths of a plain text and of the caller's own id are 100 at Meta, those inside other objects 131009.
fn within<'a>(value: &'a Value, path: &str, length: RangeInclusive<usize>) -> Checked<&'a str> {
    let text =
        value.as_str().ok_or_else(|| GraphError::invalid_parameter(format!("Param {path} must be a string.")))?;
    let characters = text.chars().count();
    if length.contains(&characters) {
        return Ok(text);
    }
    let details =
        format!("{path} length invalid: {characters}. Min length: {}, max length: {}", length.start(), length.end());
    match path {
        "text.body" | "biz_opaque_callback_data" => Err(GraphError::invalid_parameter(details)),
        _ => Err(GraphError::invalid_value(details)),
    }
}

fn items<'a>(value: &'a Value, path: &str, count: RangeInclusive<usize>) -> Checked<&'a Vec<Value>> {
    let items = value.as_array().ok_or_else(|| GraphError::missing(path))?;
    if !count.contains(&items.len()) {
        return Err(GraphError::invalid_value(format!(
            "{path} count invalid: {}. Min: {}, max: {}",
            items.len(),
            count.start(),
            count.end()
        )));
    }
    Ok(items)
}

fn number(parent: &Value, path: &str, key: &str) -> Checked<()> {
    match &parent[key] {
        Value::Null => Err(GraphError::missing(&format!("{path}.{key}"))),
        value if value.is_number() || value.as_str().is_some_and(|t| t.parse::<f64>().is_ok()) => Ok(()),
        _ => Err(GraphError::invalid_parameter(format!("Param {path}.{key} must be a number."))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(kind: &str, content: Value) -> Option<i64> {
        let body = json!({"messaging_product": "whatsapp", "to": "+34600111222", "type": kind, kind: content});
        check(&body).err().map(|e| e.code)
    }

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
    fn texts_are_counted_in_characters_up_to_4096() {
        assert_eq!(code("text", json!({"body": "ñ".repeat(4096)})), None);
        assert_eq!(code("text", json!({"body": "ñ".repeat(4097)})), Some(100));
        assert_eq!(code("text", json!({"body": ""})), Some(100));
        assert_eq!(code("text", json!({})), Some(131_008));
        assert_eq!(code("text", json!({"body": 5})), Some(100));
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
    fn a_recipient_is_a_phone_a_business_scoped_id_or_refused() {
        let with = |key: &str, value: Value| {
            check(&json!({"messaging_product": "whatsapp", key: value, "type": "text", "text": {"body": "x"}}))
        };
        let to = |call| match call {
            Ok(Call::Send { to, .. }) => Some(to),
            _ => None,
        };
        let phone =
            |given: &str, has_plus| Some(Target::Phone { given: given.into(), digits: "34600111222".into(), has_plus });
        assert_eq!(to(with("to", json!("+34 600-111-222"))), phone("+34 600-111-222", true));
        assert_eq!(to(with("to", json!("34600111222"))), phone("34600111222", false));
        assert_eq!(to(with("recipient", json!("ES.13x"))), Some(Target::User("ES.13x".into())));
        assert_eq!(with("to", json!("hola")).err().map(|e| e.code), Some(131_009));
        assert_eq!(with("to", json!("")).err().map(|e| e.code), Some(131_009));
        assert_eq!(with("to", json!("ñ4")).err().map(|e| e.code), Some(131_009));
        assert_eq!(with("recipient", json!("34600")).err().map(|e| e.code), Some(100));
        assert_eq!(with("nobody", json!("34600")).err().map(|e| e.code), Some(100));
    }

    #[test]
    fn other_types_need_their_object_and_unknown_ones_are_refused() {
        assert_eq!(code("image", json!({"link": "https://x/y.jpg", "caption": "x"})), None);
        assert_eq!(code("image", json!({"link": "https://x/y.jpg", "id": "1"})), Some(100));
        assert_eq!(code("audio", json!({"id": "1", "caption": "no"})), Some(131_009));
        assert_eq!(code("location", json!({"latitude": 1.5, "longitude": -3})), None);
        assert_eq!(code("location", json!({"latitude": 1.5})), Some(131_008));
        assert_eq!(code("contacts", json!([{"name": {"formatted_name": "Ana"}}])), None);
        assert_eq!(code("reaction", json!({"message_id": "wamid.x", "emoji": ""})), None);
        assert_eq!(code("template", json!({"name": "hi", "language": {"code": "es"}})), None);
        assert_eq!(code("text", Value::Null), Some(131_008));
        assert_eq!(code("voice", json!({})), Some(100));
    }

    #[test]
    fn read_marks_need_no_recipient() {
        let mut body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"});
        assert_eq!(check(&body), Ok(Call::MarkRead { message_id: "wamid.x".into(), typing: false }));
        body["typing_indicator"] = json!({"type": "text"});
        assert_eq!(check(&body), Ok(Call::MarkRead { message_id: "wamid.x".into(), typing: true }));
        body["status"] = json!("delivered");
        assert_eq!(check(&body).err().map(|e| e.code), Some(100));
    }
}
