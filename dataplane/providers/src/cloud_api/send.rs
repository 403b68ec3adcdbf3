//! A message of ours as `POST /{phone-number-id}/messages` (Meta, "Messages API", 2026-09).
//!
//! There is no idempotency key. Our id goes along as `biz_opaque_callback_data`, which comes back with every status.

use std::collections::HashSet;

use bytes::Bytes;
use http::{
    HeaderValue, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Value, json};
use wigwag_domain::{Body, Choice, OutboundId, Recipient};

use crate::Unsendable;

/// Limits in characters or elements.
mod limit {
    pub(super) const TEXT: usize = 4096;
    pub(super) const BUTTONS_BODY: usize = 1024;
    pub(super) const BUTTONS: usize = 3;
    pub(super) const BUTTON_ID: usize = 256;
    pub(super) const BUTTON_TITLE: usize = 20;
    pub(super) const LIST_BODY: usize = 4096;
    pub(super) const LIST_BUTTON: usize = 20;
    pub(super) const ROWS: usize = 10;
    pub(super) const ROW_ID: usize = 200;
    pub(super) const ROW_TITLE: usize = 24;
    pub(super) const ROW_DESCRIPTION: usize = 72;
}

/// The request, complete but for what the connection adds.
pub(super) fn request(
    url: &str,
    access_token: &str,
    id: OutboundId,
    to: &Recipient,
    body: &Body,
) -> Result<Request<Bytes>, Unsendable> {
    let mut message = json!({"messaging_product": "whatsapp", "recipient_type": "individual"});
    // Without `+` Meta reads the number as one of our own country.
    match to {
        Recipient::Phone(digits) if is_phone(digits) => message["to"] = json!(format!("+{digits}")),
        Recipient::UserId(id) if !id.is_empty() => message["recipient"] = json!(id),
        _ => return Err(Unsendable::Recipient),
    }
    let (kind, content) = content(body)?;
    message["type"] = json!(kind);
    message[kind] = content;
    message["biz_opaque_callback_data"] = json!(id.to_string());

    let uri: Uri = url.parse().map_err(|_| Unsendable::Url(url.to_owned()))?;
    let mut token = HeaderValue::try_from(format!("Bearer {access_token}")).map_err(|_| Unsendable::Token)?;
    token.set_sensitive(true);
    Request::post(uri)
        .header(AUTHORIZATION, token)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(Bytes::from(message.to_string()))
        .map_err(|_| Unsendable::Url(url.to_owned()))
}

fn is_phone(digits: &str) -> bool {
    (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The type, and what stands under the key of the same name.
fn content(body: &Body) -> Result<(&'static str, Value), Unsendable> {
    let interactive = match body {
        Body::Text { text } => {
            fits("text.body", text, limit::TEXT)?;
            return Ok(("text", json!({"body": text})));
        }
        Body::Buttons { text, buttons } => {
            fits("interactive.body.text", text, limit::BUTTONS_BODY)?;
            counts("interactive.action.buttons", buttons.len(), limit::BUTTONS)?;
            differ("interactive.action.buttons[].reply.title", buttons.iter().map(|button| &button.title))?;
            differ("interactive.action.buttons[].reply.id", buttons.iter().map(|button| &button.id))?;
            let buttons: Vec<_> = buttons.iter().map(button).collect::<Result<_, _>>()?;
            json!({"type": "button", "body": {"text": text}, "action": {"buttons": buttons}})
        }
        Body::List { text, button, rows } => {
            fits("interactive.body.text", text, limit::LIST_BODY)?;
            fits("interactive.action.button", button, limit::LIST_BUTTON)?;
            counts("interactive.action.sections[0].rows", rows.len(), limit::ROWS)?;
            differ("interactive.action.sections[0].rows[].id", rows.iter().map(|row| &row.id))?;
            let rows: Vec<_> = rows.iter().map(row).collect::<Result<_, _>>()?;
            json!({"type": "list", "body": {"text": text}, "action": {"button": button, "sections": [{"rows": rows}]}})
        }
    };
    Ok(("interactive", interactive))
}

fn button(choice: &Choice) -> Result<Value, Unsendable> {
    fits("interactive.action.buttons[].reply.id", &choice.id, limit::BUTTON_ID)?;
    fits("interactive.action.buttons[].reply.title", &choice.title, limit::BUTTON_TITLE)?;
    Ok(json!({"type": "reply", "reply": {"id": choice.id, "title": choice.title}}))
}

fn row(choice: &Choice) -> Result<Value, Unsendable> {
    fits("interactive.action.sections[0].rows[].id", &choice.id, limit::ROW_ID)?;
    fits("interactive.action.sections[0].rows[].title", &choice.title, limit::ROW_TITLE)?;
    let mut row = json!({"id": choice.id, "title": choice.title});
    if let Some(description) = &choice.description {
        fits("interactive.action.sections[0].rows[].description", description, limit::ROW_DESCRIPTION)?;
        row["description"] = json!(description);
    }
    Ok(row)
}

fn fits(field: &'static str, text: &str, limit: usize) -> Result<(), Unsendable> {
    match text.chars().count() {
        0 => Err(Unsendable::Empty { field }),
        length if length > limit => Err(Unsendable::TooLong { field, length, limit }),
        _ => Ok(()),
    }
}

fn counts(field: &'static str, count: usize, limit: usize) -> Result<(), Unsendable> {
    if (1..=limit).contains(&count) { Ok(()) } else { Err(Unsendable::Count { field, count, limit }) }
}

fn differ<'a>(field: &'static str, mut texts: impl Iterator<Item = &'a String>) -> Result<(), Unsendable> {
    let mut seen = HashSet::new();
    if texts.all(|text| seen.insert(text)) { Ok(()) } else { Err(Unsendable::Repeated { field }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const URL: &str = "https://graph.facebook.com/v25.0/1065/messages";

    fn id() -> OutboundId {
        OutboundId(uuid::Uuid::from_u128(7))
    }

    fn written(to: Recipient, body: Body) -> Value {
        let request = request(URL, "token", id(), &to, &body).unwrap();
        serde_json::from_slice(request.body()).unwrap()
    }

    fn refused(body: &Body) -> Unsendable {
        request(URL, "token", id(), &Recipient::Phone("1".to_owned()), body).unwrap_err()
    }

    fn choice(id: &str, title: &str, description: Option<&str>) -> Choice {
        Choice { id: id.to_owned(), title: title.to_owned(), description: description.map(str::to_owned) }
    }

    fn text(text: &str) -> Body {
        Body::Text { text: text.to_owned() }
    }

    #[test]
    fn a_text_goes_to_a_number_with_its_plus_and_carries_our_id() {
        assert_eq!(
            written(Recipient::Phone("16505551234".to_owned()), text("hi")),
            json!({
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+16505551234", "type": "text",
                "text": {"body": "hi"}, "biz_opaque_callback_data": "00000000-0000-0000-0000-000000000007",
            })
        );
    }

    #[test]
    fn a_customer_without_a_number_is_written_to_by_id() {
        let message = written(Recipient::UserId("US.1349".to_owned()), text("hi"));
        assert_eq!((message.get("to"), &message["recipient"]), (None, &json!("US.1349")));
    }

    #[test]
    fn buttons_and_lists_are_interactive_messages() {
        let to = || Recipient::Phone("1".to_owned());
        let buttons = vec![choice("buy~w", "Comprar", None), choice("bye~w", "Salir", None)];
        let message = written(to(), Body::Buttons { text: "¿Qué?".to_owned(), buttons });
        assert_eq!(message["type"], "interactive");
        assert_eq!(
            message["interactive"],
            json!({"type": "button", "body": {"text": "¿Qué?"}, "action": {"buttons": [
                {"type": "reply", "reply": {"id": "buy~w", "title": "Comprar"}},
                {"type": "reply", "reply": {"id": "bye~w", "title": "Salir"}},
            ]}})
        );
        let rows = vec![choice("a", "A", Some("first")), choice("b", "B", None)];
        let message = written(to(), Body::List { text: "¿Qué?".to_owned(), button: "Ver".to_owned(), rows });
        assert_eq!(
            message["interactive"],
            json!({"type": "list", "body": {"text": "¿Qué?"}, "action": {"button": "Ver", "sections": [
                {"rows": [{"id": "a", "title": "A", "description": "first"}, {"id": "b", "title": "B"}]},
            ]}})
        );
    }

    #[test]
    fn a_request_is_posted_as_json_with_a_token_that_no_debug_output_shows() {
        let request = request(URL, "EAAsecret", id(), &Recipient::Phone("1".to_owned()), &text("hi")).unwrap();
        assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("POST", URL));
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer EAAsecret");
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
        assert!(!format!("{request:?}").contains("EAAsecret"));
    }

    #[test]
    fn what_meta_would_refuse_is_not_sent() {
        assert_eq!(refused(&text("")), Unsendable::Empty { field: "text.body" });
        let long = text(&"é".repeat(4097));
        assert_eq!(refused(&long), Unsendable::TooLong { field: "text.body", length: 4097, limit: 4096 });
        let same = vec![choice("a", "A", None), choice("b", "A", None)];
        assert!(matches!(refused(&Body::Buttons { text: "?".to_owned(), buttons: same }), Unsendable::Repeated { .. }));
        let none = Body::List { text: "?".to_owned(), button: "Ver".to_owned(), rows: Vec::new() };
        assert!(matches!(refused(&none), Unsendable::Count { count: 0, limit: 10, .. }));
    }

    #[test]
    fn no_request_is_made_of_a_bad_recipient_token_or_url() {
        let to = Recipient::Phone("1".to_owned());
        for nobody in ["", "+1", "US.1", "1234567890123456"] {
            let nobody = Recipient::Phone(nobody.to_owned());
            assert_eq!(request(URL, "t", id(), &nobody, &text("hi")).unwrap_err(), Unsendable::Recipient);
        }
        assert_eq!(request(URL, "a\nb", id(), &to, &text("hi")).unwrap_err(), Unsendable::Token);
        assert!(matches!(request("http://[", "t", id(), &to, &text("hi")).unwrap_err(), Unsendable::Url(_)));
    }
}
