//! A customer's message as a session reads it.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use wigwag_domain::{Content, Media, MediaKind, Payload, TapKind, clean, cut};

use crate::question::WireId;

/// WhatsApp's own limit, in UTF-16 units. What is longer came by another way, and its rest is not read: a session
/// keeps the text under several names.
const MAX_TEXT: usize = 4_096;
/// The longest of what a session keeps beside the text: ids, names of files.
const MAX_FIELD: usize = 1_000;

/// A message.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    pub content: &'a Content,
    /// The ad or post that led the customer here.
    pub referral: Option<&'a Value>,
    /// The words in it, if any.
    pub text: String,
    /// What a tap was on.
    pub tap: Option<WireId<'a>>,
}

impl<'a> Said<'a> {
    /// Reads a message.
    pub fn read(message: &'a Payload) -> Self {
        let content = &message.content;
        let text = match cut(content.text(), MAX_TEXT) {
            Cow::Borrowed(text) => clean(text).into_owned(),
            Cow::Owned(text) => clean(&text).into_owned(),
        };
        let tap = match content {
            Content::Tap(tap) => Some(WireId::read(&tap.id)),
            _ => None,
        };
        Self { content, referral: message.referral.as_ref(), text, tap }
    }

    /// The message as `event` shows it: its kind as `type`, its words as `text`, and what else it holds.
    pub fn event(&self) -> Value {
        let mut event = serde_json::to_value(self.content).unwrap_or_default();
        clean_all(&mut event);
        if let Value::Object(fields) = &mut event {
            fields.insert("text".to_owned(), self.text.as_str().into());
            if let Some(referral) = self.referral {
                let mut referral = referral.clone();
                clean_all(&mut referral);
                fields.insert("referral".to_owned(), referral);
            }
            if let Some(tap) = &self.tap {
                fields.insert("id".to_owned(), clean(tap.option).into());
            }
        }
        event
    }

    /// What sort of message it is, by the provider's own words.
    pub fn inbound_type(&self) -> &'static str {
        match self.content {
            Content::Tap(tap) if tap.kind == TapKind::QuickReply => "button",
            Content::Tap(_) | Content::Form { .. } => "interactive",
            Content::Media(media) => media_type(media.kind),
            other => other.kind(),
        }
    }

    /// Id, type and title of what was tapped.
    pub fn interactive(&self) -> [Option<String>; 3] {
        let Content::Tap(tap) = self.content else { return [None, None, None] };
        let kind = match tap.kind {
            TapKind::ButtonReply => "button_reply",
            TapKind::ListReply => "list_reply",
            TapKind::QuickReply => "button",
        };
        let id = self.tap.as_ref().map_or(tap.id.as_str(), |tap| tap.option);
        [Some(field(id)), Some(kind.to_owned()), Some(self.text.clone())]
    }

    /// The file that came, under the word for its sort.
    pub fn media(&self) -> Option<(&'static str, Value)> {
        let Content::Media(media) = self.content else { return None };
        let Media { kind, id, mime_type, caption: _, filename } = media;
        let mut file = Map::from_iter([("id".to_owned(), json!(field(id)))]);
        let caption = (!self.text.is_empty()).then(|| self.text.clone());
        let [mime_type, filename] = [mime_type, filename].map(|text| text.as_deref().map(field));
        for (key, value) in [("mime_type", mime_type), ("caption", caption), ("filename", filename)] {
            if let Some(value) = value {
                file.insert(key.to_owned(), value.into());
            }
        }
        if *kind == MediaKind::Voice {
            file.insert("voice".to_owned(), true.into());
        }
        Some((media_type(*kind), file.into()))
    }
}

fn field(text: &str) -> String {
    cut(&clean(text), MAX_FIELD).into_owned()
}

/// Cleans every text in a value, from whomever it came.
pub(crate) fn clean_all(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = clean(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(clean_all),
        Value::Object(map) => {
            if map.keys().any(|key| key.contains('\0')) {
                let cleaned = std::mem::take(map).into_iter().map(|(key, value)| (clean(&key).into_owned(), value));
                *map = cleaned.collect();
            }
            map.values_mut().for_each(clean_all);
        }
        _ => {}
    }
}

/// The word for a sort of file.
pub(crate) const fn media_type(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio | MediaKind::Voice => "audio",
        MediaKind::Document => "document",
        MediaKind::Sticker => "sticker",
    }
}
