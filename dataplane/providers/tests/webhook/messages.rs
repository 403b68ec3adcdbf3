//! Every type of message.

use serde_json::{Value, json};
use wigwag_domain::{Content, Media, MediaKind, Tap, TapKind};
use wigwag_providers::reason;

use super::*;

fn content(keys: Value) -> Content {
    inbound(message(keys)).content
}

fn tap(kind: TapKind, id: &str, title: &str, description: Option<&str>) -> Content {
    Content::Tap(Tap { kind, id: id.into(), title: title.into(), description: description.map(Into::into) })
}

fn kind_of_file(content: Content) -> (MediaKind, String, Option<String>) {
    match content {
        Content::Media(Media { kind, id, caption, .. }) => (kind, id, caption),
        other => panic!("no file: {other:?}"),
    }
}

#[test]
fn a_text_tells_who_wrote_what_when_and_to_whom() {
    let text = inbound(message(json!({
        "type": "text", "text": {"body": "hola"}, "from_user_id": "US.1349", "context": {"from": "1", "id": "wamid.OUT"},
    })));
    assert_eq!(text.content, Content::Text { text: "hola".into() });
    assert_eq!(text.provider, ProviderName::new("primary"));
    assert_eq!((text.channel.as_str(), text.to.as_deref()), (NUMBER, Some("15550783881")));
    assert_eq!((text.provider_id.as_str(), text.quotes.as_deref()), ("wamid.A", Some("wamid.OUT")));
    assert_eq!(text.from.phone.as_deref(), Some("16505551234"));
    assert_eq!(text.from.user_id.as_deref(), Some("US.1349"));
    assert_eq!(text.from.name.as_deref(), Some("Ana"));
    assert_eq!(text.sent_at, Timestamp::from_second(1_749_416_383).unwrap());
}

#[test]
fn files_are_told_apart_and_a_recorded_sound_is_a_voice_message() {
    for (kind, key) in [
        (MediaKind::Image, "image"),
        (MediaKind::Video, "video"),
        (MediaKind::Document, "document"),
        (MediaKind::Sticker, "sticker"),
        (MediaKind::Audio, "audio"),
    ] {
        let file = json!({"type": key, key: {"id": "9", "mime_type": "x/y", "sha256": "=", "caption": "look"}});
        assert_eq!(kind_of_file(content(file)), (kind, "9".into(), Some("look".into())), "{key}");
    }
    let voice = json!({"type": "audio", "audio": {"id": "9", "mime_type": "audio/ogg; codecs=opus", "voice": true}});
    assert_eq!(kind_of_file(content(voice)), (MediaKind::Voice, "9".into(), None));
}

#[test]
fn a_tap_is_a_tap_whatever_it_was_on() {
    let quick = json!({"type": "button", "button": {"payload": "YES", "text": "Sí"}});
    assert_eq!(content(quick), tap(TapKind::QuickReply, "YES", "Sí", None));
    let button = json!({"type": "interactive", "interactive": {"type": "button_reply",
        "button_reply": {"id": "buy~w", "title": "Comprar"}}});
    assert_eq!(content(button), tap(TapKind::ButtonReply, "buy~w", "Comprar", None));
    let row = json!({"type": "interactive", "interactive": {"type": "list_reply",
        "list_reply": {"id": "a", "title": "A", "description": "first"}}});
    assert_eq!(content(row), tap(TapKind::ListReply, "a", "A", Some("first")));
}

#[test]
fn a_forms_answer_is_read_out_of_its_text_or_stays_text() {
    let form = |response: &str| {
        json!({"type": "interactive", "interactive": {"type": "nfm_reply",
            "nfm_reply": {"name": "flow", "body": "Sent", "response_json": response}}})
    };
    let answer = |response| match content(form(response)) {
        Content::Form { answer } => answer,
        other => panic!("no form: {other:?}"),
    };
    assert_eq!(answer(r#"{"flow_token":"t","slot":"9"}"#), json!({"flow_token": "t", "slot": "9"}));
    assert_eq!(answer("[1]"), json!([1]), "no object, and JSON all the same");
    assert_eq!(answer("nonsense"), json!("nonsense"));
    assert_eq!(answer(r#"{"n":1e400}"#), json!(r#"{"n":1e400}"#));
    assert_eq!(answer(r#"{"a":"\u0000 \\u0000"}"#), json!({"a": "\u{fffd} \\u0000"}));
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert_eq!(answer(&deep), json!(deep), "too deep to be read again from where it is stored");
}

#[test]
fn the_ad_that_led_a_customer_here_goes_along_and_an_odd_one_costs_nothing() {
    let text = |referral: &str| {
        let message =
            format!(r#"{{"id":"wamid.A","from":"1650","type":"text","text":{{"body":"x"}},"referral":{referral}}}"#);
        let message = inbound(only(handled(messages(&[message]).as_bytes())));
        assert_eq!(message.content, Content::Text { text: "x".into() }, "{referral}");
        message.referral
    };
    let ad = json!({
        "source_url": "https://fb.me/3cr4Wqqkv", "source_id": "120226305854810726", "source_type": "ad",
        "headline": "Chat with us", "body": "Summer succulents are here!", "media_type": "image",
        "image_url": "https://scontent.xx.fbcdn.net/v/t45", "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
        "welcome_message": {"text": "Hi there! Let us know how we can help!"},
    });
    assert_eq!(text(&ad.to_string()), Some(ad));
    let deep = "{\"a\":".repeat(100) + "1" + &"}".repeat(100);
    for odd in ["null", "{}", "[]", "7", "\"ad\"", "{\"n\":1e400}", deep.as_str()] {
        assert_eq!(text(odd), None, "{odd}");
    }
}

#[test]
fn places_cards_orders_and_the_like_are_kept_as_they_came() {
    let place = json!({"type": "location", "location": {"latitude": 40.4, "longitude": -3, "name": "Sol"}});
    let sol = Content::Location { latitude: 40.4, longitude: -3.0, name: Some("Sol".into()), address: None };
    assert_eq!(content(place), sol);
    let cards = json!([{"name": {"formatted_name": "Eva"}, "phones": [{"phone": "+34 600"}]}]);
    assert_eq!(content(json!({"type": "contacts", "contacts": cards})), Content::Contacts { contacts: cards });
    let order = json!({"catalog_id": "1", "product_items": [{"quantity": 2, "item_price": 9.5}]});
    assert_eq!(content(json!({"type": "order", "order": order})), Content::Order { order });
    let edit = json!({"original_message_id": "wamid.B", "message": {}});
    assert_eq!(content(json!({"type": "edit", "edit": edit})), Content::Edit { edit });
    let revoke = json!({"original_message_id": "wamid.B"});
    assert_eq!(content(json!({"type": "revoke", "revoke": revoke})), Content::Revoke { revoke });
    let system = json!({"type": "user_changed_number", "body": "…", "wa_id": "1"});
    assert_eq!(content(json!({"type": "system", "system": system})), Content::System { system });
    let errors = json!([{"code": 131051, "title": "Message type unknown"}]);
    let detail = json!({"errors": errors, "unsupported": {"type": "gif"}});
    assert_eq!(
        content(json!({"type": "unsupported", "errors": errors, "unsupported": {"type": "gif"}})),
        Content::Unsupported { detail }
    );
}

#[test]
fn a_reaction_is_taken_back_by_no_emoji_or_an_empty_one() {
    let emoji = |reaction: Value| match content(json!({"type": "reaction", "reaction": reaction})) {
        Content::Reaction { emoji, .. } => emoji,
        other => panic!("no reaction: {other:?}"),
    };
    assert_eq!(emoji(json!({"message_id": "wamid.B", "emoji": "👍"})).as_deref(), Some("👍"));
    assert_eq!(emoji(json!({"message_id": "wamid.B", "emoji": ""})), None);
    assert_eq!(emoji(json!({"message_id": "wamid.B"})), None);
}

#[test]
fn a_customer_without_a_phone_number_is_known_by_user_id() {
    let hidden = json!({"id": "wamid.A", "type": "text", "text": {"body": "x"}, "from_user_id": "ES.77"});
    let from = inbound(only(handled(messages(&[hidden.to_string()]).as_bytes()))).from;
    assert_eq!((from.phone, from.user_id.as_deref(), from.name), (None, Some("ES.77"), None));
    let misplaced = json!({"id": "wamid.A", "type": "text", "text": {"body": "x"}, "from": "ES.77"});
    let from = inbound(only(handled(messages(&[misplaced.to_string()]).as_bytes()))).from;
    assert_eq!((from.phone, from.user_id.as_deref()), (None, Some("ES.77")));
}

#[test]
fn contacts_belong_to_messages_by_id_and_not_by_place() {
    let contacts = r#"[{"profile":{"name":"Eva"},"wa_id":"34600"},7,{"profile":{"name":"Ana"},"user_id":"US.1"},
        {"profile":{"name":"Leo"},"wa_id":"34700","user_id":"ES.9"}]"#;
    let text = |from: &str| format!(r#"{{{from},"id":"w","type":"text","text":{{"body":"x"}}}}"#);
    let list = [text(r#""from_user_id":"US.1""#), text(r#""from":"34600""#), text(r#""from_user_id":"ES.9""#)];
    let change = change(NUMBER, &format!(r#""messages":[{}],"contacts":{contacts}"#, list.join(",")));
    let senders: Vec<_> = handled(body(&[change]).as_bytes()).into_iter().map(|item| inbound(item).from).collect();
    let names: Vec<_> = senders.iter().filter_map(|from| from.name.as_deref()).collect();
    assert_eq!(names, ["Ana", "Eva", "Leo"]);
    assert_eq!(senders[2].phone.as_deref(), Some("34700"), "the phone that goes with the user id");
}

#[test]
fn a_time_is_read_in_any_form_and_replaced_where_it_is_none() {
    let sent_at = |timestamp: Value| {
        inbound(message(json!({"type": "text", "text": {"body": "x"}, "timestamp": timestamp})))
            .sent_at
            .as_millisecond()
    };
    assert_eq!(sent_at(json!("1749416383")), 1_749_416_383_000);
    assert_eq!(sent_at(json!(1_749_416_383)), 1_749_416_383_000);
    assert_eq!(sent_at(json!("1749416383123")), 1_749_416_383_123, "milliseconds");
    for none in [json!(null), json!(""), json!("soon"), json!(-5), json!(0), json!(i64::MAX), json!({}), json!(1.5)] {
        assert_eq!(sent_at(none.clone()), received().as_millisecond(), "{none}");
    }
}

#[test]
fn what_we_do_not_know_is_a_dead_letter_that_says_what_it_is() {
    let letter = |keys| {
        let letter = dead(message(keys));
        (letter.reason, letter.detail)
    };
    let place = "entry[0].changes[0].value.messages[0]";
    for (keys, reason, detail) in [
        (json!({"type": "hologram"}), reason::UNKNOWN_TYPE, "hologram"),
        (
            json!({"type": "interactive", "interactive": {"type": "call_permission_reply"}}),
            reason::UNKNOWN_TYPE,
            "interactive/call_permission_reply",
        ),
        (json!({"type": "text"}), reason::UNKNOWN_SHAPE, "`text` is missing"),
        (json!({"type": "text", "text": "hi"}), reason::UNKNOWN_SHAPE, "`text` is of another type than expected"),
        (json!({"type": "image", "image": {}}), reason::UNKNOWN_SHAPE, "`id` is missing"),
        (json!({"type": "text", "text": {"body": "x"}, "id": ""}), reason::UNKNOWN_SHAPE, "`id` is empty"),
        (
            json!({"type": "text", "text": {"body": "x"}, "from": ""}),
            reason::UNKNOWN_SHAPE,
            "neither `from` nor `from_user_id` tells who wrote",
        ),
        (json!({"type": "text", "text": {"body": "x"}, "group_id": "G"}), reason::GROUP_MESSAGE, "of group \"G\""),
    ] {
        assert_eq!(letter(keys), (reason, format!("{place}: {detail}")));
    }
}
