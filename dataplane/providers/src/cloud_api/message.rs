//! A customer's message: who wrote, when, and what (Meta, "messages webhook reference", 2026-09).

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json, value::RawValue};
use wigwag_domain::{Content, Inbound, Item, Media, MediaKind, ProviderName, Sender, Tap, TapKind, cut, digits};

use super::{
    object::{Fault, Object, is_shallow},
    repair::repair,
};
use crate::reason;

/// The number of ours that a value is about.
pub(super) struct Number<'a> {
    pub(super) id: &'a str,
    pub(super) provider: &'a ProviderName,
    /// As Meta displays it.
    pub(super) display: Option<String>,
}

/// The customers that a value is about, by phone and by business-scoped id: Meta does not promise them in the order of
/// the messages.
pub(super) struct Contacts(HashMap<String, Sender>);

/// Reads one of `messages`.
pub(super) fn read(
    message: &RawValue,
    number: &Number<'_>,
    contacts: &Contacts,
    received: Timestamp,
) -> Result<Item, Fault> {
    let message = Object::read(message.get())?;
    if let Some(group) = message.adornment("group_id") {
        return Err(Fault::new(reason::GROUP_MESSAGE, format!("of group {:?}", cut(&group, 100))));
    }
    let kind: String = message.need("type")?;
    Ok(Item::Message(Box::new(Inbound {
        provider: number.provider.clone(),
        channel: number.id.to_owned(),
        to: number.display.clone(),
        provider_id: message.need_id("id")?,
        from: sender(&message, contacts)?,
        sent_at: instant(&message, received),
        content: content(&kind, &message)?,
        quotes: message.get::<Object>("context").ok().flatten().and_then(|context| context.adornment("id")),
        referral: referral(&message),
    })))
}

/// The `timestamp` of a message or status: seconds since 1970, as text or number. Milliseconds, which some gateways
/// write, are known by their size; what is no time is `received`.
pub(super) fn instant(update: &Object<'_>, received: Timestamp) -> Timestamp {
    const MOST_SECONDS: i64 = 100_000_000_000;
    let number = match update.get("timestamp") {
        Ok(Some(Value::String(text))) => text.trim().parse().ok(),
        Ok(Some(Value::Number(number))) => number.as_i64(),
        _ => None,
    };
    let time = number.filter(|n| *n > 0).and_then(|n| match n {
        ..=MOST_SECONDS => Timestamp::from_second(n).ok(),
        _ => Timestamp::from_millisecond(n).ok(),
    });
    time.unwrap_or(received)
}

/// What led the customer here. It only adorns the message: one that cannot be read or kept is as good as none.
fn referral(message: &Object<'_>) -> Option<Value> {
    let referral = message.need_tree("referral").ok()?;
    referral.as_object().is_some_and(|referral| !referral.is_empty()).then_some(referral)
}

fn sender(message: &Object<'_>, contacts: &Contacts) -> Result<Sender, Fault> {
    let from = message.adornment("from");
    let from_user_id = message.adornment("from_user_id");
    let contact = [&from, &from_user_id].into_iter().flatten().find_map(|id| contacts.find(id));
    let contact = contact.cloned().unwrap_or_default();
    // `from` is a phone number, but a business-scoped id has been seen there.
    let phone = from.as_deref().and_then(digits);
    let odd = from.filter(|_| phone.is_none());
    let sender = Sender {
        phone: phone.or(contact.phone),
        user_id: from_user_id.or(odd).or(contact.user_id),
        name: contact.name,
    };
    match sender.phone.is_some() || sender.user_id.is_some() {
        true => Ok(sender),
        false => Err(Fault::shape("neither `from` nor `from_user_id` tells who wrote")),
    }
}

fn content(kind: &str, message: &Object<'_>) -> Result<Content, Fault> {
    let body = || message.need::<Object>(kind);
    let content = match kind {
        "text" => Content::Text { text: body()?.need("body")? },
        "image" => media(MediaKind::Image, &body()?)?,
        "video" => media(MediaKind::Video, &body()?)?,
        "document" => media(MediaKind::Document, &body()?)?,
        "sticker" => media(MediaKind::Sticker, &body()?)?,
        "audio" => {
            let audio = body()?;
            let recorded = audio.get("voice")?.unwrap_or(false);
            media(if recorded { MediaKind::Voice } else { MediaKind::Audio }, &audio)?
        }
        "location" => {
            let place = body()?;
            Content::Location {
                latitude: place.need("latitude")?,
                longitude: place.need("longitude")?,
                name: place.adornment("name"),
                address: place.adornment("address"),
            }
        }
        "button" => quick_reply(&body()?)?,
        "interactive" => interactive(&body()?)?,
        "reaction" => {
            let reaction = body()?;
            Content::Reaction { message_id: reaction.need_id("message_id")?, emoji: reaction.adornment("emoji") }
        }
        "contacts" => Content::Contacts { contacts: message.need_tree(kind)? },
        "order" => Content::Order { order: message.need_tree(kind)? },
        "edit" => Content::Edit { edit: message.need_tree(kind)? },
        "revoke" => Content::Revoke { revoke: message.need_tree(kind)? },
        "system" => Content::System { system: message.need_tree(kind)? },
        "unsupported" => Content::Unsupported { detail: unsupported(message)? },
        other => return Err(Fault::new(reason::UNKNOWN_TYPE, cut(other, 100))),
    };
    Ok(content)
}

fn media(kind: MediaKind, file: &Object<'_>) -> Result<Content, Fault> {
    Ok(Content::Media(Media {
        kind,
        id: file.need_id("id")?,
        mime_type: file.adornment("mime_type"),
        caption: file.adornment("caption"),
        filename: file.adornment("filename"),
    }))
}

/// A tap on a template's quick reply.
fn quick_reply(button: &Object<'_>) -> Result<Content, Fault> {
    let title: String = button.need("text")?;
    let id = button.adornment("payload").unwrap_or_else(|| title.clone());
    Ok(Content::Tap(Tap { kind: TapKind::QuickReply, id, title, description: None }))
}

fn interactive(interactive: &Object<'_>) -> Result<Content, Fault> {
    let kind: String = interactive.need("type")?;
    let tap_kind = match kind.as_str() {
        "button_reply" => TapKind::ButtonReply,
        "list_reply" => TapKind::ListReply,
        "nfm_reply" => {
            let reply: Object = interactive.need("nfm_reply")?;
            return Ok(Content::Form { answer: form_answer(reply.need("response_json")?) });
        }
        other => return Err(Fault::new(reason::UNKNOWN_TYPE, format!("interactive/{}", cut(other, 100)))),
    };
    let reply: Object = interactive.need(&kind)?;
    Ok(Content::Tap(Tap {
        kind: tap_kind,
        id: reply.need("id")?,
        title: reply.need("title")?,
        description: reply.adornment("description"),
    }))
}

/// A form's answer is JSON within a text, with escapes of its own to repair. Text that is no JSON stays text.
fn form_answer(text: String) -> Value {
    let answer = serde_json::from_str(&repair(text.as_bytes())).ok();
    answer.filter(is_shallow).unwrap_or(Value::String(text))
}

/// What Meta says of a message that it does not pass on: errors beside the type, lately an object under it.
fn unsupported(message: &Object<'_>) -> Result<Value, Fault> {
    let part = |key| match message.get::<Value>(key)? {
        None => Ok(Value::Null),
        Some(_) => message.need_tree(key),
    };
    Ok(json!({"errors": part("errors")?, "unsupported": part("unsupported")?}))
}

// === impl Contacts ===

impl Contacts {
    /// Reads `contacts` of a value. They only adorn messages, so one that cannot be read is as good as none.
    pub(super) fn read(value: &Object<'_>) -> Self {
        let mut known = HashMap::new();
        let list: Vec<&RawValue> = value.get("contacts").ok().flatten().unwrap_or_default();
        for contact in list.into_iter().filter_map(|raw| Object::read(raw.get()).ok()) {
            let wa_id = contact.adornment("wa_id");
            let user_id = contact.adornment("user_id");
            let profile: Option<Object> = contact.get("profile").ok().flatten();
            let sender = Sender {
                phone: wa_id.as_deref().and_then(digits),
                user_id: user_id.clone(),
                name: profile.and_then(|profile| profile.adornment("name")),
            };
            for id in [wa_id, user_id].into_iter().flatten() {
                known.entry(id).or_insert_with(|| sender.clone());
            }
        }
        Self(known)
    }

    fn find(&self, id: &str) -> Option<&Sender> {
        self.0.get(id)
    }
}
