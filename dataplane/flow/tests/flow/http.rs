//! Calls to endpoints: what goes out, byte for byte, and what their answers lead to.

use std::time::Duration;

use serde_json::{Value, json};
use wigwag_domain::{CallBody, CallFailure, CallHeader, CallHeaderValue, CallResult, HttpCall};
use wigwag_flow::{FailureKind, SessionStatus, Step};

use crate::support::{Customer, calls, payload, shown, text};

const WAYS: &str = "timeout: timeout, network: network, refused: refused, tooLarge: tooLarge, invalid: invalid,
    4xx: client, 5xx: server, unknown: unknown";

fn ways() -> String {
    let names = ["timeout", "network", "refused", "tooLarge", "invalid", "client", "server", "unknown", "done"];
    names.map(|name| format!("{{name: {name}, message: {{text: '{name} {{{{ error.kind }}}}'}}}}")).join(", ")
}

/// A customer whose flow makes this call, with nodes behind it for whatever comes of it.
fn customer(http: &str) -> Customer {
    Customer::of_nodes(&format!("{{name: a, http: {{{http}, next: done}}}}, {}", ways()))
}

fn call(http: &str, words: &str) -> HttpCall {
    let step = customer(http).send(text(words));
    let [(_, call)] = &calls(&step)[..] else { panic!("one call: {step:?}") };
    call.clone()
}

fn url(template: &str, words: &str) -> Option<String> {
    let step = customer(&format!("url: '{template}', onError: {{invalid: invalid}}")).send(text(words));
    calls(&step).pop().map(|(_, call)| call.url)
}

#[test]
fn a_call_goes_out_as_the_flow_writes_it() {
    let call = call(
        "method: POST, url: 'https://api.example.com/orders/{{ input }}?of={{ contact.name }}', timeout: 20s,
         headers: [{name: X-Order, value: 'no {{ input }}'}, {name: Authorization, secret: {name: shop, key: token, prefix: 'Bearer '}}],
         body: {order: '{{ input }}', count: '{{ messageCount }}', text: 'n {{ messageCount }}', list: ['{{ lastUserMedia }}', 7], deep: {ok: true}}",
        "7 & 8",
    );
    assert_eq!((call.method.as_str(), call.timeout_ms, call.repeatable), ("POST", 20_000, false));
    assert_eq!(call.url, "https://api.example.com/orders/7%20%26%208?of=Ana");
    let secret =
        CallHeaderValue::Secret { name: "shop".to_owned(), key: "token".to_owned(), prefix: "Bearer ".to_owned() };
    assert_eq!(
        call.headers,
        [
            CallHeader { name: "X-Order".to_owned(), value: CallHeaderValue::Plain("no 7 & 8".to_owned()) },
            CallHeader { name: "Authorization".to_owned(), value: secret },
        ]
    );
    let CallBody { content_type, text } = call.body.unwrap();
    assert_eq!(content_type, "application/json");
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({"order": "7 & 8", "count": 1, "text": "n 1", "list": [null, 7], "deep": {"ok": true}}),
        "a text that is one expression is that expression's value"
    );
}

#[test]
fn what_may_be_repeated_is_said_by_the_method_or_the_node() {
    for (method, own, repeatable) in [
        ("GET", "", true),
        ("HEAD", "", true),
        ("PUT", "", true),
        ("DELETE", "", true),
        ("POST", "", false),
        ("PATCH", "", false),
        ("POST", ", repeatable: true", true),
    ] {
        let call = call(&format!("method: {method}, url: 'https://a.example.com/'{own}"), "x");
        assert_eq!(call.repeatable, repeatable, "{method}{own}");
    }
}

#[test]
fn a_value_never_leaves_its_place_in_the_url() {
    for (template, words, expected) in [
        ("https://a.example.com/{{ input }}/b", "../admin", "https://a.example.com/..%2Fadmin/b"),
        ("https://a.example.com/?q={{ input }}", "a&b=c#d", "https://a.example.com/?q=a%26b%3Dc%23d"),
        ("https://a.example.com/{{ input }}", "a\r\nHost: evil", "https://a.example.com/a%0D%0AHost%3A%20evil"),
        ("https://a.example.com/{{ input }}", "@evil.example.com", "https://a.example.com/%40evil.example.com"),
        ("https://a.example.com/{{ input }}", "%2e%2e", "https://a.example.com/%252e%252e"),
        ("https://a.example.com/{{ input }}", "ñ👍", "https://a.example.com/%C3%B1%F0%9F%91%8D"),
        (
            "https://a.example.com/{{ input }}",
            "{{ contact.phone }}",
            "https://a.example.com/%7B%7B%20contact.phone%20%7D%7D",
        ),
        ("https://a.example.com/v1.2/{{ input }}", "a..b", "https://a.example.com/v1.2/a..b"),
        ("https://a.example.com/?up={{ input }}", "..", "https://a.example.com/?up=.."),
    ] {
        assert_eq!(url(template, words).as_deref(), Some(expected), "{words:?}");
    }
}

#[test]
fn dots_that_lead_to_another_path_and_urls_without_end_are_no_valid_request() {
    let long = "x".repeat(4_001);
    for (template, words) in [
        ("https://a.example.com/orders/{{ input }}/admin", ".."),
        ("https://a.example.com/orders/{{ input }}", "."),
        ("https://a.example.com/orders/{{ input }}.", "."),
        ("https://a.example.com/orders/{{ input }}", &long),
    ] {
        assert_eq!(url(template, words), None, "{words:.10}");
    }
}

fn header(words: &str) -> Step {
    customer(
        "url: 'https://a.example.com/', headers: [{name: X-Said, value: '{{ input }}'}], onError: {invalid: invalid}",
    )
    .send(text(words))
}

#[test]
fn a_control_character_in_a_header_is_no_valid_request() {
    for words in ["a\r\nX-Admin: 1", "a\nb", "a\tb", "a\u{7f}b", &"x".repeat(4_090).repeat(2)[..4_001]] {
        let step = header(words);
        assert!(calls(&step).is_empty(), "{words:.20}");
        assert_eq!(shown(&step), ["invalid http-invalid"], "{words:.20}");
    }
    assert_eq!(calls(&header("ñ ok")).len(), 1);
}

#[test]
fn a_text_as_body_is_sent_as_text_and_one_without_end_is_not_sent() {
    let call = call("method: POST, url: 'https://a.example.com/', body: 'Hola {{ input }}'", "mundo");
    let body = CallBody { content_type: "text/plain; charset=utf-8".to_owned(), text: "Hola mundo".to_owned() };
    assert_eq!(call.body, Some(body));

    let mut ana = customer(
        "method: POST, url: 'https://a.example.com/', onError: {invalid: invalid},
         body: {a: '{{ contact.big }}', b: '{{ contact.big }}', c: '{{ contact.big }}', d: '{{ contact.big }}', e: '{{ contact.big }}'}",
    );
    ana.contact.attributes.insert("big".to_owned(), json!("x".repeat(15_000)));
    assert_eq!(shown(&ana.send(text("x"))), ["invalid http-invalid"]);
}

#[test]
fn the_session_waits_for_the_answer_and_holds_what_the_customer_writes_meanwhile() {
    let mut ana = customer("url: 'https://a.example.com/', timeout: 10s");
    let step = ana.send(text("x"));
    let [(id, _)] = calls(&step)[..] else { panic!("one call") };
    assert_eq!((ana.session().status(), ana.session().waits_for()), (SessionStatus::Active, Some("result")));
    let held = ana.session().holds_messages_until().unwrap().as_millisecond() - ana.now;
    assert!((10_000..=120_000).contains(&held), "{held}");
    assert!(!ana.send(text("¿y?")).taken, "it is not this session's turn");
    assert!(!ana.session().is_answered_by(&payload(text("x")), None));

    let answered = CallResult::Answered { status: 200, body: json!(1) };
    let other = calls(&customer("url: 'https://a.example.com/'").send(text("y"))).remove(0).0;
    assert_eq!(other, id, "the same session and event");
    assert_eq!(shown(&ana.result(id, &answered)), ["done"]);
    assert!(!ana.result(id, &answered).taken, "a result comes once");
}

#[test]
fn an_answer_goes_into_its_variable_with_its_status() {
    let mut ana = customer("url: 'https://a.example.com/', into: order, onError: {4xx: client}");
    let id = calls(&ana.send(text("x"))).remove(0).0;
    ana.result(id, &CallResult::Answered { status: 404, body: json!({"message": "no such order"}) });
    assert_eq!(ana.variable("order"), &json!({"status": 404, "body": {"message": "no such order"}}));
    assert_eq!(ana.session().node, "client");
}

fn results() -> Vec<(CallResult, &'static str, FailureKind)> {
    let failed = |class| CallResult::Failed { class, message: "so it went".to_owned() };
    let answered = |status| CallResult::Answered { status, body: Value::Null };
    vec![
        (failed(CallFailure::Timeout), "timeout", FailureKind::HttpTimeout),
        (failed(CallFailure::Network), "network", FailureKind::HttpNetwork),
        (failed(CallFailure::Refused), "refused", FailureKind::HttpRefused),
        (failed(CallFailure::TooLarge), "tooLarge", FailureKind::HttpTooLarge),
        (failed(CallFailure::Invalid), "invalid", FailureKind::HttpInvalid),
        (failed(CallFailure::Unknown), "unknown", FailureKind::HttpUnknown),
        (answered(400), "client", FailureKind::Http4xx),
        (answered(499), "client", FailureKind::Http4xx),
        (answered(500), "server", FailureKind::Http5xx),
        (answered(503), "server", FailureKind::Http5xx),
    ]
}

#[test]
fn each_class_of_failure_has_its_own_way() {
    for (result, node, kind) in results() {
        let mut ana = customer(&format!("url: 'https://a.example.com/', onError: {{{WAYS}}}"));
        let id = calls(&ana.send(text("x"))).remove(0).0;
        assert_eq!(shown(&ana.result(id, &result)), [format!("{node} {}", kind.as_str())], "{result:?}");
    }
}

#[test]
fn a_class_without_a_way_fails_the_node() {
    for (result, _, kind) in results() {
        let mut ana = customer("url: 'https://a.example.com/'");
        let id = calls(&ana.send(text("x"))).remove(0).0;
        let step = ana.result(id, &result);
        let failure = step.failure.unwrap_or_else(|| panic!("{result:?}"));
        assert_eq!((failure.kind, failure.node.as_str(), step.effects.len()), (kind, "a", 0));

        let mut ana = Customer::of_nodes(&format!(
            "{{name: a, onError: done, http: {{url: 'https://a.example.com/'}}}}, {}",
            ways()
        ));
        let id = calls(&ana.send(text("x"))).remove(0).0;
        assert_eq!(shown(&ana.result(id, &result)), [format!("done {}", kind.as_str())]);
    }
}

#[test]
fn below_400_is_an_answer() {
    for status in [200, 204, 302, 399] {
        let mut ana = customer("url: 'https://a.example.com/'");
        let id = calls(&ana.send(text("x"))).remove(0).0;
        assert_eq!(shown(&ana.result(id, &CallResult::Answered { status, body: Value::Null })), ["done"], "{status}");
    }
}

#[test]
fn a_result_that_nobody_tells_is_lost_after_its_time() {
    let mut ana = customer("url: 'https://a.example.com/', timeout: 10s, onError: {unknown: unknown}");
    ana.send(text("x"));
    assert!(!ana.after(Duration::from_secs(30)).taken);
    assert_eq!(shown(&ana.after(Duration::from_secs(20))), ["unknown http-unknown"]);
}

#[test]
fn an_answer_that_is_too_much_to_keep_fails_the_node() {
    let mut ana = Customer::of_nodes(&format!(
        "{{name: a, onError: done, http: {{url: 'https://a.example.com/', into: x}}}}, {}",
        ways()
    ));
    let id = calls(&ana.send(text("x"))).remove(0).0;
    let answer = CallResult::Answered { status: 200, body: json!("x".repeat(70_000)) };
    assert_eq!(shown(&ana.result(id, &answer)), ["done variables"]);
    assert_eq!(ana.variable("x"), &json!(null));
}
