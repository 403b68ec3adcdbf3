//! What a customer can write: one constructor for each type of `messages[]`, giving the object under the type's own key.
//! [`crate::Customer::post`] adds who wrote it, the id and the time. `Inbound::of` makes types that nobody knows yet.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::webhook::Profile;

/// A customer message without its sender.
#[derive(Clone, Debug)]
pub struct Inbound {
    kind: String,
    fields: Map<String, Value>,
}

impl Inbound {
    /// A message of any type, with `content` under the type's own key.
    pub fn of(kind: impl Into<String>, content: Value) -> Self {
        let kind = kind.into();
        Self { fields: Map::from_iter([(kind.clone(), content)]), kind }
    }

    /// Text.
    pub fn text(body: impl Into<String>) -> Self {
        Self::of("text", json!({"body": body.into()}))
    }

    /// A photo.
    pub fn image(caption: Option<&str>) -> Self {
        Self::media("image", "image/jpeg", json!({"caption": caption}))
    }

    /// A video.
    pub fn video(caption: Option<&str>) -> Self {
        Self::media("video", "video/mp4", json!({"caption": caption}))
    }

    /// An audio file.
    pub fn audio() -> Self {
        Self::media("audio", "audio/mpeg", json!({"voice": false}))
    }

    /// A voice note: Meta sends it as `audio` with `voice: true`.
    pub fn voice() -> Self {
        Self::media("audio", "audio/ogg; codecs=opus", json!({"voice": true}))
    }

    /// A document.
    pub fn document(filename: &str, caption: Option<&str>) -> Self {
        Self::media("document", "application/pdf", json!({"filename": filename, "caption": caption}))
    }

    /// A sticker.
    pub fn sticker(animated: bool) -> Self {
        Self::media("sticker", "image/webp", json!({"animated": animated}))
    }

    /// A place; name and address when the customer chose a known one.
    pub fn location(latitude: f64, longitude: f64, name: Option<&str>, address: Option<&str>) -> Self {
        let place = json!({"latitude": latitude, "longitude": longitude, "name": name, "address": address});
        Self::of("location", without_nulls(place))
    }

    /// A contact card.
    pub fn contacts(name: &str, phone: &str) -> Self {
        let card = json!({
            "name": {"formatted_name": name, "first_name": name},
            "phones": [{"phone": phone, "wa_id": phone.trim_start_matches('+'), "type": "CELL"}],
            "origin": "other",
        });
        Self::of("contacts", json!([card]))
    }

    /// A tap on a quick reply of a template.
    pub fn button(payload: &str, text: &str) -> Self {
        Self::of("button", json!({"payload": payload, "text": text}))
    }

    /// A tap on a reply button.
    pub fn button_reply(id: &str, title: &str) -> Self {
        Self::interactive("button_reply", json!({"id": id, "title": title}))
    }

    /// A choice from a list.
    pub fn list_reply(id: &str, title: &str, description: Option<&str>) -> Self {
        Self::interactive("list_reply", without_nulls(json!({"id": id, "title": title, "description": description})))
    }

    /// An answered WhatsApp Flow. `response` becomes a JSON string, as Meta sends it.
    pub fn nfm_reply(response: &Value) -> Self {
        Self::interactive("nfm_reply", json!({"name": "flow", "body": "Sent", "response_json": response.to_string()}))
    }

    fn interactive(kind: &str, content: Value) -> Self {
        Self::of("interactive", json!({"type": kind, kind: content}))
    }

    /// A reaction; `None` takes it back.
    pub fn reaction(message_id: &str, emoji: Option<&str>) -> Self {
        Self::of("reaction", without_nulls(json!({"message_id": message_id, "emoji": emoji})))
    }

    /// An order from a catalogue, of one kind of product.
    pub fn order(catalog_id: &str, product: &str, quantity: u32, item_price: f64, currency: &str) -> Self {
        let item = json!({
            "product_retailer_id": product, "quantity": quantity, "item_price": item_price, "currency": currency,
        });
        Self::of("order", json!({"catalog_id": catalog_id, "product_items": [item]}))
    }

    /// A system message, such as `user_changed_number`. Comes without `contacts`.
    pub fn system(kind: &str, body: &str, new_wa_id: &str) -> Self {
        Self::of("system", json!({"body": body, "type": kind, "wa_id": new_wa_id}))
    }

    /// Something that the API cannot carry, such as a poll.
    pub fn unsupported(kind: &str) -> Self {
        let error = json!({
            "code": 131_051, "title": "Message type unknown", "message": "Message type unknown",
            "error_data": {"details": "Message type is currently not supported."},
        });
        Self::of("unsupported", json!({"type": kind})).with("errors", json!([error]))
    }

    /// An edit of an earlier text.
    pub fn edit(original_message_id: &str, body: &str) -> Self {
        let message = json!({"type": "text", "text": {"body": body}});
        Self::of("edit", json!({"original_message_id": original_message_id, "message": message}))
    }

    /// A message taken back.
    pub fn revoke(original_message_id: &str) -> Self {
        Self::of("revoke", json!({"original_message_id": original_message_id}))
    }

    /// Sets or replaces a field beside the type's object: `referral`, `context`, `id`, `timestamp`, `from`, ...
    pub fn with(mut self, field: impl Into<String>, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    /// Under this id, instead of a new one: the same message once more.
    pub fn with_id(self, wamid: impl Into<String>) -> Self {
        self.with("id", Value::String(wamid.into()))
    }

    /// As a reply to a message of the business.
    pub fn replying_to(self, business: &str, wamid: &str) -> Self {
        self.with("context", json!({"from": business, "id": wamid}))
    }

    /// Led here by an ad.
    pub fn from_ad(self, headline: &str, source_url: &str) -> Self {
        self.with(
            "referral",
            json!({
                "source_url": source_url, "source_id": "120226305854810726", "source_type": "ad",
                "headline": headline, "body": headline, "media_type": "image",
                "image_url": "https://scontent.xx.fbcdn.net/v/t45.1600-4/ad.jpg", "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
            }),
        )
    }

    /// A message of any type with what Meta adds to a file (`id`, `mime_type`, ...) where `content` lacks it.
    pub(crate) fn completed(kind: &str, content: Value) -> Self {
        match kind {
            "image" => Self::media(kind, "image/jpeg", content),
            "video" => Self::media(kind, "video/mp4", content),
            "audio" => Self::media(kind, "audio/ogg; codecs=opus", content),
            "document" => Self::media(kind, "application/pdf", content),
            "sticker" => Self::media(kind, "image/webp", content),
            _ => Self::of(kind, content),
        }
    }

    fn media(kind: &str, mime_type: &str, more: Value) -> Self {
        let id = Uuid::new_v4();
        let mut media = json!({
            "id": format!("{}", id.as_u128() >> 72),
            "mime_type": mime_type,
            "sha256": "LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564=",
            "url": format!("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid={}", id.simple()),
        });
        if let (Value::Object(media), Value::Object(more)) = (&mut media, without_nulls(more)) {
            media.extend(more);
        }
        Self::of(kind, media)
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.fields.get("id")?.as_str()
    }

    /// `contacts` and `messages` of the value, from this customer.
    pub(crate) fn into_value(self, from: &Profile, id: &str, unix_seconds: i64) -> Map<String, Value> {
        let mut value = Map::new();
        if self.kind != "system" {
            let contact = json!({"profile": {"name": from.name}, "wa_id": from.phone, "user_id": from.user_id});
            value.insert("contacts".into(), json!([without_nulls(contact)]));
        }
        let mut message = without_nulls(json!({
            "from": from.phone, "from_user_id": from.user_id,
            "id": id, "timestamp": unix_seconds.to_string(), "type": self.kind,
        }));
        if let Value::Object(message) = &mut message {
            message.extend(self.fields);
        }
        value.insert("messages".into(), json!([message]));
        value
    }
}

/// Meta leaves out what is not there.
fn without_nulls(mut object: Value) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.retain(|_, value| !value.is_null());
    }
    object
}
