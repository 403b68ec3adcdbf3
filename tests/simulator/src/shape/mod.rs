//! The shape of a call to `POST /{version}/{phone-number-id}/messages`, checked as Graph checks it: what is required,
//! which lengths and counts, under which error code. Pure. Lengths count characters, not bytes. Whether a template was
//! approved with these parameters is [`crate::Template`]'s to say.

mod interactive;
mod media;
mod template;
mod value;

use serde_json::Value;

use self::value::{items, number, required_text, within};
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
        "template" => template::check(content),
        "interactive" => interactive::check(content),
        file => media::check(content, file),
    }
}

fn contacts(content: &Value) -> Checked<()> {
    for contact in items(content, "contacts", 1..=257)? {
        required_text(&contact["name"], "contacts.name", "formatted_name", 1..=1024)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The code with which a content is refused.
    pub(in crate::shape) fn code(kind: &str, content: Value) -> Option<i64> {
        let body = json!({"messaging_product": "whatsapp", "to": "+34600111222", "type": kind, kind: content});
        check(&body).err().map(|e| e.code)
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
        assert_eq!(code("location", json!({"latitude": 1.5, "longitude": -3})), None);
        assert_eq!(code("location", json!({"latitude": 1.5})), Some(131_008));
        assert_eq!(code("contacts", json!([{"name": {"formatted_name": "Ana"}}])), None);
        assert_eq!(code("reaction", json!({"message_id": "wamid.x", "emoji": ""})), None);
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
