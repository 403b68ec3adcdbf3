//! Batches: each update has a fate of its own.

use wigwag_domain::Content;
use wigwag_providers::reason;

use super::*;

fn ids(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .filter_map(|item| if let Item::Message(m) = item { Some(m.provider_id.as_str()) } else { None })
        .collect()
}

fn reasons(items: &[Item]) -> Vec<&str> {
    items.iter().filter_map(|item| if let Item::Dead(letter) = item { Some(letter.reason) } else { None }).collect()
}

#[test]
fn a_thousand_updates_over_several_entries_all_come_through_in_order() {
    let expected: Vec<_> = (0..1000).map(|n| format!("wamid.{n}")).collect();
    let entries: Vec<_> = expected
        .chunks(334)
        .map(|ids| {
            let changes: Vec<_> = ids
                .chunks(10)
                .map(|ids| {
                    let list: Vec<_> = ids.iter().map(|id| hola(id)).collect();
                    change(NUMBER, &format!(r#""messages":[{}]"#, list.join(",")))
                })
                .collect();
            format!(r#"{{"id":"1020","time":1,"changes":[{}]}}"#, changes.join(","))
        })
        .collect();
    let body = format!(r#"{{"object":"whatsapp_business_account","entry":[{}]}}"#, entries.join(","));
    assert_eq!(ids(&handled(body.as_bytes())), expected);
}

#[test]
fn a_poisoned_update_fails_alone_with_its_bytes_as_they_came() {
    let poison = r#"{"from":"1","id":"p","type":"order","order":{"price":1e400,"note":"\u0000\ud800"}}"#;
    let items = handled(messages(&[hola("a"), poison.into(), hola("b")]).as_bytes());
    assert_eq!(ids(&items), ["a", "b"]);
    let letter = dead(items[1].clone());
    assert_eq!(letter.reason, reason::UNKNOWN_SHAPE);
    assert_eq!(String::from_utf8(letter.raw).unwrap(), poison);
}

#[test]
fn nul_and_half_characters_are_replaced_and_the_message_goes_through() {
    let odd = r#"{"from":"1","id":"w\u0000","type":"text","text":{"body":"a\u0000b\ud83d \\u0000 \ud83d\ude00"}}"#;
    let message = inbound(only(handled(messages(&[odd.into()]).as_bytes())));
    assert_eq!(message.content, Content::Text { text: "a\u{fffd}b\u{fffd} \\u0000 😀".into() });
    assert_eq!(message.provider_id, "w\u{fffd}");
}

#[test]
fn bytes_that_are_no_text_are_kept_in_the_dead_letter() {
    let whole = b"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"x\":\"\xff\xc3\"}]}";
    assert_eq!(dead(only(handled(whole))).raw, b"{\"x\":\"\xff\xc3\"}");
}

#[test]
fn what_is_no_webhook_is_one_dead_letter_of_the_whole_body() {
    for body in
        ["", "hello", "[]", "{", "{}", r#"{"object":"page","entry":[]}"#, r#"{"object":"whatsapp_business_account"}"#]
    {
        let letter = dead(only(handled(body.as_bytes())));
        assert_eq!((letter.reason, letter.raw.as_slice()), (reason::UNREADABLE, body.as_bytes()));
    }
    assert!(handled(br#"{"object":"whatsapp_business_account","entry":[]}"#).is_empty());
}

#[test]
fn a_number_that_the_tenant_does_not_have_is_left_alone_and_its_neighbours_are_not() {
    let text = |number, id: &str| change(number, &format!(r#""messages":[{}]"#, hola(id)));
    let foreign = text("999", "foreign");
    let items = handled(body(&[text(NUMBER, "a"), foreign.clone(), text(SIBLING, "b")]).as_bytes());
    assert_eq!(ids(&items), ["a", "b"]);
    let letter = dead(items[1].clone());
    assert_eq!((letter.reason, letter.raw.as_slice()), (reason::FOREIGN_NUMBER, foreign.as_bytes()));
    let second = inbound(items[2].clone());
    assert_eq!((second.provider.as_str(), second.channel.as_str()), ("second", SIBLING));
    let receipt = change("999", r#""statuses":[{"id":"w","status":"read"}]"#);
    assert_eq!(reasons(&handled(body(&[receipt]).as_bytes())), [reason::FOREIGN_NUMBER]);
}

#[test]
fn other_kinds_of_webhooks_and_odd_shapes_are_kept_at_the_level_at_which_they_are_odd() {
    let account = r#"{"value":{"event":"APPROVED"},"field":"message_template_status_update"}"#;
    let odd_entry = r#"{"id":"1","messaging":[]}"#;
    let no_metadata = r#"{"field":"messages","value":{"messages":[]}}"#;
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{odd_entry},7,{{"changes":[{account},{no_metadata},null,{},{},{}]}}]}}"#,
        change(NUMBER, r#""messages":7"#),
        change(NUMBER, r#""later":[{"a":1}],"note":"x""#),
        change(NUMBER, &format!(r#""messages":[{}]"#, hola("a"))),
    );
    let items = handled(body.as_bytes());
    let shape = reason::UNKNOWN_SHAPE;
    assert_eq!(reasons(&items), [shape, shape, reason::UNKNOWN_FIELD, shape, shape, shape, shape]);
    assert_eq!(dead(items[2].clone()).raw, account.as_bytes());
    assert_eq!(dead(items[6].clone()).raw, br#"{"a":1}"#, "the one update of a list that we do not know");
    assert_eq!(ids(&items), ["a"]);
}

#[test]
fn a_flood_of_updates_is_one_dead_letter() {
    let flood = messages(&vec!["1".to_owned(); 100_000]);
    let letter = dead(only(handled(flood.as_bytes())));
    assert_eq!((letter.reason, letter.raw.len()), (reason::TOO_MANY_UPDATES, flood.len()));
}

#[test]
fn a_repeated_key_hides_nothing() {
    let twice = change(NUMBER, &format!(r#""messages":[{}],"messages":[{}]"#, hola("a"), hola("b")));
    assert_eq!(ids(&handled(body(&[twice]).as_bytes())), ["a", "b"]);
}
