//! No input panics, and no update spoils another.

use http::{HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use wigwag_domain::TenantKey;
use wigwag_providers::Outcome;

use super::*;

/// A JSON text, with what libraries never write and people do.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "0",
            "-1",
            "1e400",
            "1e308",
            "99999999999999999999999",
            "\"\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\\\u0000\"",
            "\"1749416383\"",
            "\"text\"",
            "\"failed\"",
            "\"wamid.X\"",
            "\"16505551234\"",
            "[]",
            "{}",
        ])
        .prop_map(str::to_owned),
        "[^\u{0}]{0,8}".prop_map(|text| json!(text).to_string()),
        (1_usize..200).prop_map(|levels| "[".repeat(levels) + &"]".repeat(levels)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop::sample::select(vec![
            "id",
            "type",
            "from",
            "timestamp",
            "text",
            "body",
            "interactive",
            "button_reply",
            "nfm_reply",
            "title",
            "response_json",
            "order",
            "context",
            "errors",
            "code",
            "status",
            "group_id",
            "a\\u0000",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key, inner), 0..8).prop_map(|entries| {
                let entries: Vec<_> = entries.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    })
}

fn is_good(item: &Item, id: &str) -> bool {
    matches!(item, Item::Message(inbound) if inbound.provider_id == id)
}

/// What is stored of a message must be readable again, and hold nothing that PostgreSQL refuses.
fn assert_can_be_stored(item: &Item) {
    if let Item::Message(inbound) = item {
        let payload =
            serde_json::to_string(&inbound.as_ref().clone().into_payload(&TenantKey::new(None, "acme"))).unwrap();
        assert!(!payload.contains("\\u0000"), "{payload}");
        serde_json::from_str::<Value>(&payload).expect("readable again");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_update_has_one_fate_and_its_neighbours_have_theirs(update in json_text(), is_status in any::<bool>()) {
        let change = match is_status {
            true => change(NUMBER, &format!(r#""statuses":[{update}],"messages":[{},{}]"#, hola("a"), hola("b"))),
            false => change(NUMBER, &format!(r#""messages":[{},{update},{}]"#, hola("a"), hola("b"))),
        };
        let items = handled(body(&[change]).as_bytes());
        prop_assert_eq!(items.len(), 3);
        prop_assert_eq!(items.iter().filter(|item| is_good(item, "a") || is_good(item, "b")).count(), 2);
        items.iter().for_each(assert_can_be_stored);
        for item in items {
            if let Item::Dead(letter) = item {
                prop_assert_eq!(String::from_utf8(letter.raw).unwrap(), update.clone());
            }
        }
    }

    #[test]
    fn any_change_spoils_no_other(odd in json_text(), value in json_text()) {
        let good = change(NUMBER, &format!(r#""messages":[{}]"#, hola("good")));
        let odd_value = format!(r#"{{"field":"messages","value":{value}}}"#);
        let items = handled(body(&[odd, odd_value, good]).as_bytes());
        prop_assert!(items.iter().any(|item| is_good(item, "good")));
        items.iter().for_each(assert_can_be_stored);
    }

    #[test]
    fn a_damaged_webhook_panics_nobody(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut body = messages(&[hola("a"), hola("b")]).into_bytes();
        let at = at.index(body.len());
        body.splice(at..(at + bytes.len()).min(body.len()), bytes);
        handled(&body).iter().for_each(assert_can_be_stored);
        handled(&body[..at]);
    }

    #[test]
    fn any_bytes_are_handled(body in any::<Vec<u8>>()) {
        prop_assert!(!handled(&body).is_empty(), "nothing is dropped");
    }

    #[test]
    fn only_the_right_signature_verifies(header in any::<Vec<u8>>(), body in any::<Vec<u8>>()) {
        if let Ok(value) = HeaderValue::from_bytes(&header) {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(SIGNATURE_HEADER), value)]);
            prop_assert!(adapter().verify(&headers, &body).is_err());
        }
    }

    #[test]
    fn no_query_panics_and_none_without_the_token_is_answered(query in ".{0,60}", challenge in "[a-z0-9]{1,9}") {
        prop_assert!(adapter().challenge(&query).is_err());
        let asked = format!("hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token=verify&{query}");
        prop_assert_eq!(adapter().challenge(&asked), Ok(challenge));
    }

    #[test]
    fn no_answer_panics_and_none_without_an_id_is_taken_for_accepted(
        status in 100_u16..1000, json in json_text(), bytes in any::<Vec<u8>>(), wait in "[ -~]{0,20}",
    ) {
        let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, HeaderValue::from_str(&wait).unwrap())]);
        let error = format!(r#"{{"error":{json}}}"#);
        for body in [json.as_bytes(), error.as_bytes(), &bytes] {
            let outcome = adapter().answer(StatusCode::from_u16(status).unwrap(), &headers, body);
            let accepted = matches!(outcome, Outcome::Accepted { .. });
            prop_assert!(!accepted, "{outcome:?}");
        }
    }
}
