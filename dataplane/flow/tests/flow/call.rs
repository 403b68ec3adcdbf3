//! Flows that call flows.

use serde_json::json;
use wigwag_flow::{FailureKind, SessionStatus};

use crate::support::{Customer, bodies, flow, flow_with, shown, text};

fn root(call: &str) -> String {
    flow(&format!(
        "{{name: a, assign: {{set: {{x: '1', name: \"'root'\"}}, next: b}}}}, {{name: b, call: {{flow: child, {call}, next: c}}}},
         {{name: c, message: {{text: 'back with {{{{ x }}}} {{{{ name }}}} {{{{ got }}}}'}}}}"
    ))
}

#[test]
fn a_called_flow_sees_its_args_has_its_own_variables_and_gives_a_result() {
    let child = flow(
        "{name: a, assign: {set: {x: args.n + 1, contact.seen: 'true'}, next: b}},
         {name: b, message: {text: 'child of {{ args.of }}: {{ x }} {{ name }} {{ input }} {{ contact.name }}', next: c}},
         {name: c, end: {reason: done, result: {sum: x, of: args.of, none: missing}}}",
    );
    let mut ana = Customer::of_all(&[("root", &root("args: {n: x, of: name}, into: got")), ("child", &child)]);
    let step = ana.send(text("hola"));
    assert_eq!(shown(&step), ["child of root: 2  hola Ana", "back with 1 root {\"of\":\"root\",\"sum\":2}"]);
    assert_eq!(ana.contact.attributes.get("seen"), Some(&json!(true)));
    assert_eq!(ana.variable("x"), &json!(1));
    assert_eq!(ana.stored_context().get("endReason"), None, "the session did not end there");
    let flows: Vec<_> = step.passages.iter().map(|passage| (passage.flow.as_str(), passage.node.as_str())).collect();
    let expected = [("root", "a"), ("root", "b"), ("child", "a"), ("child", "b"), ("child", "c"), ("root", "c")];
    assert_eq!(flows, expected);
}

#[test]
fn a_called_flow_may_ask_and_its_caller_goes_on_with_the_answer() {
    let child = flow(
        "{name: a, ask: {text: '¿Edad?', type: Number, into: age, next: b}}, {name: b, end: {result: {age: age}}}",
    );
    let mut ana = Customer::of_all(&[("root", &root("into: got")), ("child", &child)]);
    assert_eq!(ana.says("hola"), ["¿Edad?"]);
    assert_eq!((ana.session().stands_in(), ana.session().flow.as_str()), ("child", "root"));
    assert_eq!(ana.says("33"), ["back with 1 root {\"age\":33}"]);
    assert_eq!(ana.session().status(), SessionStatus::Completed);
}

#[test]
fn a_flow_that_ends_without_a_result_gives_an_empty_one() {
    let mut ana = Customer::of_all(&[("root", &root("into: got")), ("child", &flow("{name: a, message: {text: hi}}"))]);
    assert_eq!(ana.says("hola"), ["hi", "back with 1 root {}"]);
}

#[test]
fn every_flow_that_may_be_called_is_pinned_when_the_session_begins() {
    let leaf = flow("{name: a, message: {text: leaf}}");
    let child = flow("{name: a, call: {flow: leaf}}");
    let mut ana =
        Customer::of_all(&[("root", &root("into: got")), ("child", &child), ("leaf", &leaf), ("other", &leaf)]);
    ana.says("hola");
    let pinned: Vec<_> = ana.session().pinned.keys().map(String::as_str).collect();
    assert_eq!(pinned, ["child", "leaf"], "directly or not, and no other");
}

#[test]
fn a_flow_that_is_not_there_fails_the_call() {
    let step = Customer::of(&root("into: got")).send(text("hola"));
    let failure = step.failure.unwrap();
    assert_eq!((failure.kind, failure.node.as_str()), (FailureKind::Call, "b"));
    assert!(failure.message.contains("\"child\"") && failure.message.contains("add it"), "{}", failure.message);
}

#[test]
fn flows_call_each_other_five_deep_and_no_deeper() {
    let nested = |deep: u32| {
        let yaml = flow(&format!(
            "{{name: a, condition: {{cases: [{{when: 'has(args.n) ? args.n < {deep} : true', next: b}}], else: c}}}},
             {{name: b, call: {{flow: root, args: {{n: 'has(args.n) ? args.n + 1 : 1'}}}}}},
             {{name: c, message: {{text: 'at {{{{ args.n }}}}'}}}}"
        ));
        Customer::of_all(&[("root", &yaml)]).send(text("hola"))
    };
    assert_eq!(shown(&nested(5)), ["at 5"]);
    assert_eq!(nested(6).failure.map(|failure| failure.kind), Some(FailureKind::Call));
}

#[test]
fn a_failure_within_a_called_flow_goes_to_its_callers_way() {
    let root = flow(
        "{name: a, assign: {set: {mine: '7'}, next: b}}, {name: b, onError: sorry, call: {flow: child, next: c}},
         {name: c, message: {text: never}},
         {name: sorry, message: {text: '{{ mine }}: {{ error.kind }} at {{ error.node }}'}}",
    );
    let child = flow("{name: a, message: {text: trying, next: b}}, {name: b, waitFor: {timeout: 1h}}");
    let mut ana = Customer::of_all(&[("root", &root), ("child", &child)]);
    assert_eq!(ana.says("hola"), ["trying"]);
    assert_eq!(shown(&ana.after(std::time::Duration::from_hours(1))), ["7: timeout at b"]);
    assert_eq!((ana.session().stands_in(), ana.session().status()), ("root", SessionStatus::Completed));
}

#[test]
fn a_called_flows_own_way_for_failures_goes_first() {
    let root = flow(
        "{name: b, message: {text: never}}, {name: a, onError: b, call: {flow: child, next: c}}, {name: c, message: {text: back}}",
    );
    let child = flow_with("onError: own,", "{name: a, call: {flow: nowhere}}, {name: own, message: {text: own}}");
    let mut ana = Customer::of_all(&[("root", &root), ("child", &child)]);
    assert_eq!(ana.says("hola"), ["own", "back"]);
}

#[test]
fn a_failure_that_nobody_mends_leaves_the_session_where_it_failed() {
    let child = flow("{name: deep, message: {text: x}}, {name: a, call: {flow: nowhere}}");
    let mut ana = Customer::of_all(&[("root", &root("into: got")), ("child", &child)]);
    let step = ana.send(text("hola"));
    assert_eq!(step.failure.map(|failure| failure.node), Some("a".to_owned()));
    assert_eq!((ana.session().stands_in(), ana.session().node.as_str()), ("child", "a"));
}

#[test]
fn what_callers_keep_counts_against_the_budget_of_those_that_they_call() {
    let root =
        flow("{name: a, assign: {set: {big: contact.big}, next: b}}, {name: b, call: {flow: child, args: {big: big}}}");
    let child = flow("{name: a, assign: {set: {more: args.big}}}");
    let run = |bytes: usize| {
        let mut ana = Customer::of_all(&[("root", &root), ("child", &child)]);
        ana.contact.attributes.insert("big".to_owned(), json!("x".repeat(bytes)));
        ana.send(text("hola")).failure.map(|failure| failure.kind)
    };
    assert_eq!(run(15_000), None);
    assert_eq!(run(25_000), Some(FailureKind::Variables));
    assert_eq!(run(40_000), Some(FailureKind::Variables));
}

#[test]
fn a_called_flow_has_resume_urls_of_its_own() {
    let child = flow("{name: a, message: {text: '{{ resume.paid }}', next: paid}}, {name: paid, waitFor: {}}");
    let mut ana = Customer::of_all(&[("root", &root("into: got")), ("child", &child)]).at("locale: {}");
    let step = ana.send(text("hola"));
    let wigwag_domain::Body::Text { text } = bodies(&step).remove(0) else { panic!("a text") };
    let token = text.strip_prefix("https://acme.example.com/resume/").unwrap();
    let resume = wigwag_flow::ResumeKey::new([7; 32]).read(token).unwrap();
    assert_eq!(resume.node, "child/paid");
    assert_eq!(ana.session().waits_for_signal(), Some(resume.signal()));
    let step = ana.event(wigwag_flow::What::Resumed(resume.signal(), &json!(1)));
    assert_eq!(shown(&step), ["back with 1 root {}"]);
    assert!(ana.session().has_left(&resume));
}
