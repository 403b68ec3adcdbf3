//! A message of ours as `POST /{phone-number-id}/messages` (Meta, "Messages API", 2026-09).
//!
//! There is no idempotency key. Our id goes along as `biz_opaque_callback_data`, which comes back with every status.

use bytes::Bytes;
use http::{
    HeaderValue, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::json;
use wigwag_domain::{Body, OutboundId, Recipient};

use super::content;
use crate::Unsendable;

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
    let (kind, content) = content::write(body)?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;
    use wigwag_domain::{MediaKind, MediaSource, OutboundMedia};

    use super::*;

    const URL: &str = "https://graph.facebook.com/v25.0/1065/messages";

    fn id() -> OutboundId {
        OutboundId(uuid::Uuid::from_u128(7))
    }

    fn written(to: Recipient, body: Body) -> Value {
        let request = request(URL, "token", id(), &to, &body).unwrap();
        serde_json::from_slice(request.body()).unwrap()
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
    fn what_a_message_says_stands_under_the_key_of_its_type() {
        let file = OutboundMedia {
            kind: MediaKind::Sticker,
            source: MediaSource::Id("9".to_owned()),
            caption: None,
            filename: None,
        };
        let message = written(Recipient::Phone("1".to_owned()), Body::Media(file));
        assert_eq!((&message["type"], &message["sticker"]), (&json!("sticker"), &json!({"id": "9"})));
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
