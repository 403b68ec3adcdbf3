//! What each message, in and out, writes into the context.

use serde_json::{Map, Value, json};
use wigwag_domain::{Body, MediaSource, OutboundMedia, cut};

use super::{Context, Key};
use crate::message::{Said, media_type};

/// The longest text of a history's entry, in UTF-16 units.
const MAX_TEXT: usize = 1_000;

/// What a message was to the question before it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Selection<'a> {
    /// There was no question, or the message went past it.
    NotAsked,
    /// None of the options.
    NoMatch,
    /// One of the options.
    Matched { index: usize, title: &'a str },
}

/// Notes what the customer said.
pub(crate) fn record_inbound(context: &mut Context, said: &Said<'_>, at: &str, selection: Selection<'_>) {
    let text = said.text.as_str();
    let kind = if matches!(selection, Selection::NotAsked) { said.inbound_type() } else { "option-selection" };
    let media = said.media();

    let mut payload = Map::from_iter([("text".to_owned(), cut(text, MAX_TEXT).into())]);
    match selection {
        Selection::NotAsked => {}
        Selection::NoMatch => {
            payload.insert("matchedOption".to_owned(), Value::Null);
            context.set(Key::LastSelectedOptionIndex, Value::Null);
            context.set(Key::LastSelectedOption, Value::Null);
            context.set(Key::LastOptionMatched, false);
        }
        Selection::Matched { index, title } => {
            payload.insert("optionIndex".to_owned(), index.into());
            payload.insert("matchedOption".to_owned(), title.into());
            context.set(Key::LastSelectedOptionIndex, index);
            context.set(Key::LastSelectedOption, title);
            context.set(Key::LastOptionMatched, true);
        }
    }
    let [id, interactive_type, title] = said.interactive();
    for (key, value) in [("interactiveId", &id), ("interactiveType", &interactive_type), ("interactiveTitle", &title)] {
        if let Some(value) = value {
            payload.insert(key.to_owned(), value.as_str().into());
        }
    }
    if let Some((kind, file)) = &media {
        payload.insert((*kind).to_owned(), file.clone());
    }
    context.history.push(&json!({"direction": "in", "type": kind, "timestamp": at, "payload": payload}));
    context.inputs.push(&json!({"text": cut(text, MAX_TEXT), "timestamp": at}));

    let trimmed = text.trim();
    let normalized = trimmed.to_lowercase();
    for (key, value) in [
        (Key::LastInteractionAt, at),
        (Key::LastInboundAt, at),
        (Key::LastUserMessageAt, at),
        (Key::LastInboundType, kind),
        (Key::Input, text),
        (Key::LastInput, text),
        (Key::LastUserMessage, text),
        (Key::LastUserMessageRaw, text),
        (Key::LastInputTrimmed, trimmed),
        (Key::LastUserMessageTrimmed, trimmed),
        (Key::LastInputNormalized, &normalized),
        (Key::LastUserMessageNormalized, &normalized),
    ] {
        context.set(key, value);
    }
    context.set(Key::LastInteractiveId, id);
    context.set(Key::LastInteractiveType, interactive_type);
    context.set(Key::LastInteractiveTitle, title);
    context.set(Key::LastUserMedia, media.map(|(kind, file)| json!({ kind: file })));
    let count = context.get(Key::MessageCount).and_then(|count| count.as_u64()).unwrap_or(0);
    context.set(Key::MessageCount, count + 1);
}

/// Notes in the history what the customer said elsewhere: no key changes.
pub(crate) fn record_aside(context: &mut Context, said: &Said<'_>, at: &str) {
    let payload = json!({"text": cut(said.text.as_str(), MAX_TEXT)});
    let kind = said.inbound_type();
    context.history.push(&json!({"direction": "in", "type": kind, "timestamp": at, "payload": payload}));
}

/// Notes what we said. `options` are the titles of a question, in full.
pub(crate) fn record_outbound(context: &mut Context, body: &Body, options: &[&str], at: &str) {
    let (kind, text) = match body {
        Body::Text { text } => ("text", text.as_str()),
        Body::Buttons { text, .. } | Body::List { text, .. } => ("options", text.as_str()),
        Body::Media(media) => ("media", media.caption.as_deref().unwrap_or_default()),
        Body::Template(template) => ("template", template.name.as_str()),
        Body::Form(form) => ("flow", form.text.as_str()),
    };
    let mut payload = Map::from_iter([("text".to_owned(), cut(text, MAX_TEXT).into())]);
    match body {
        Body::Buttons { .. } | Body::List { .. } => {
            payload.insert("options".to_owned(), options.into());
            context.set(Key::LastBotOptions, options);
        }
        Body::Media(media) => {
            let media = bot_media(media);
            payload.insert("media".to_owned(), media.clone());
            context.set(Key::LastBotMedia, media);
        }
        Body::Template(template) => {
            payload.insert("templateName".to_owned(), template.name.as_str().into());
            payload.insert("templateLanguage".to_owned(), template.language.as_str().into());
        }
        Body::Form(form) => {
            let pending = json!({"header": form.header, "body": form.text, "footer": form.footer, "cta": form.cta});
            context.set(Key::PendingWhatsAppFlow, pending);
        }
        Body::Text { .. } => {}
    }
    context.history.push(&json!({"direction": "out", "type": kind, "timestamp": at, "payload": payload}));
    for (key, value) in [
        (Key::LastInteractionAt, at),
        (Key::LastOutboundAt, at),
        (Key::LastBotMessageAt, at),
        (Key::LastBotMessageType, kind),
        (Key::LastBotMessage, text),
    ] {
        context.set(key, value);
    }
}

/// A file that we sent, as the context shows it.
fn bot_media(media: &OutboundMedia) -> Value {
    let mut shown = Map::from_iter([("mediaType".to_owned(), media_type(media.kind).into())]);
    let (key, value) = match &media.source {
        MediaSource::Url(url) => ("url", url),
        MediaSource::Id(id) => ("id", id),
    };
    shown.insert(key.to_owned(), value.as_str().into());
    if let Some(caption) = &media.caption {
        shown.insert("caption".to_owned(), cut(caption, MAX_TEXT).into());
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use wigwag_domain::Content;

    use super::*;

    fn say(context: &mut Context, text: &str) {
        let content = Content::Text { text: text.to_owned() };
        let said = Said { content: &content, referral: None, text: text.to_owned(), tap: None };
        record_inbound(context, &said, "2026-01-01T00:00:00.000Z", Selection::NotAsked);
    }

    fn stored(context: &Context) -> Value {
        serde_json::to_value(context).expect("JSON")
    }

    #[test]
    fn no_customer_runs_a_session_out_of_space() {
        let mut context = Context::default();
        for _ in 0..200 {
            say(&mut context, &"ñ".repeat(4_000));
        }
        let long = stored(&context);
        assert_eq!(long["messageCount"], 200);
        assert_eq!(long["input"].as_str().map(|text| text.chars().count()), Some(4_000));
        for history in [&long["inputHistory"], &long["_meta"]["history"]] {
            assert!(history.to_string().len() < 17 * 1_024, "{}", history.to_string().len());
        }
        for _ in 0..60 {
            say(&mut context, "hola");
        }
        let short = stored(&context);
        assert_eq!(short["inputHistory"].as_array().map(Vec::len), Some(50));
        assert_eq!(short["_meta"]["history"].as_array().map(Vec::len), Some(50));
        assert!(short.to_string().len() < 16 * 1_024);
    }

    #[test]
    fn the_newest_entry_stays_and_the_oldest_goes() {
        let mut context = Context::default();
        for number in 0..60 {
            say(&mut context, &number.to_string());
        }
        let history = context.get(Key::InputHistory).expect("a history").into_owned();
        assert_eq!((&history[0]["text"], &history[49]["text"]), (&json!("10"), &json!("59")));
    }

    #[test]
    fn a_context_is_read_as_it_was_written_and_keys_of_later_releases_do_no_harm() {
        let mut context = Context::default();
        say(&mut context, "hola");
        let json = serde_json::to_string(&context).expect("JSON");
        assert_eq!(serde_json::from_str::<Context>(&json).expect("a context"), context);
        let later = json.replacen('{', "{\"later\":[1],", 1);
        assert_eq!(serde_json::from_str::<Context>(&later).expect("a context"), context);
    }
}
