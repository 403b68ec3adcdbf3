//! What a flow may take, and what becomes of one that takes more.

use serde_json::{Value, json};
use wigwag_flow::{FailureKind, Session, SessionStatus, Step};

use crate::support::{Customer, shown, text};

fn flow(nodes: &str) -> Customer {
    Customer::of(&format!("{{tenantRef: {{name: acme}}, triggers: [{{default: {{}}}}], start: a, nodes: [{nodes}]}}"))
}

fn failed(step: &Step, kind: FailureKind) {
    let failure = step.failure.as_ref().unwrap_or_else(|| panic!("{step:?}"));
    assert_eq!((failure.kind, failure.node.as_str()), (kind, step.session.node.as_str()), "{}", failure.message);
    assert_eq!(step.session.status(), SessionStatus::Errored);
    assert_eq!((step.effects.len(), &step.contact_attributes), (0, &None), "nothing is said, nothing is kept");
    assert!(step.session.to_json().len() < 256 * 1_024);
}

#[test]
fn a_round_that_no_condition_leaves_ends_after_500_steps_with_nothing_said() {
    let mut ana = flow(
        "{name: a, message: {text: spam, next: b}},
         {name: b, assign: {set: {contact.seen: 'true'}, next: c}},
         {name: c, condition: {cases: [{when: 1 > 0, next: a}], else: d}}, {name: d, end: {}}",
    );
    let step = ana.send(text("hi"));
    failed(&step, FailureKind::Steps);
    assert!(step.failure.unwrap().message.contains("500"));
}

#[test]
fn five_hundred_steps_are_allowed() {
    let count = |to: u32| {
        flow(&format!(
            "{{name: a, assign: {{set: {{n: '0'}}, next: b}}}}, {{name: b, assign: {{set: {{n: n + 1}}, next: c}}}},
             {{name: c, condition: {{cases: [{{when: n < {to}, next: b}}]}}}}",
        ))
        .send(text("hi"))
    };
    assert_eq!(count(249).session.status(), SessionStatus::Completed, "1 + 249 * 2 nodes");
    failed(&count(250), FailureKind::Steps);
}

#[test]
fn a_session_takes_2000_events() {
    let mut ana = flow("{name: a, options: {text: '?', options: [{id: x, title: X}]}}");
    ana.says("hi");
    let stored = ana.session().to_json().replace("\"events\":1,", "\"events\":1999,");
    ana.session = Some(Session::from_json(&stored).unwrap());
    assert_eq!(ana.says("y"), ["? [X]"]);
    failed(&ana.send(text("y")), FailureKind::Events);
}

#[test]
fn variables_that_grow_without_end_stop_at_64_kib() {
    let mut ana = flow(
        "{name: a, assign: {set: {log: \"'x'\"}, next: b}}, {name: b, assign: {set: {log: log + log}, next: c}},
         {name: c, condition: {cases: [{when: 'true', next: b}]}}",
    );
    let step = ana.send(text("hi"));
    failed(&step, FailureKind::Variables);
    assert_eq!(step.session.variables["log"].as_str().map(str::len), Some(32_768), "what fitted is still there");
}

#[test]
fn what_is_kept_with_a_contact_stops_at_16_kib() {
    let mut ana = flow("{name: a, assign: {set: {contact.notes: contact.notes + input}}}");
    ana.contact.attributes.insert("notes".to_owned(), json!(""));
    for _ in 0..5 {
        let step = ana.send(text(&"n".repeat(3_000)));
        assert_eq!(step.failure, None);
    }
    failed(&ana.send(text(&"n".repeat(3_000))), FailureKind::ContactAttributes);
    assert_eq!(ana.contact.attributes["notes"].as_str().map(str::len), Some(15_000));
}

#[test]
fn a_value_that_no_reader_could_read_back_is_not_kept() {
    let mut ana = flow(
        "{name: a, assign: {set: {deep: '[]'}, next: b}}, {name: b, assign: {set: {deep: '[deep]'}, next: c}},
         {name: c, condition: {cases: [{when: 'true', next: b}]}}",
    );
    failed(&ana.send(text("hi")), FailureKind::Variables);
}

#[test]
fn expressions_that_work_too_much_end_the_session() {
    let big = Value::from(vec!["x".repeat(10); 1_000]);
    let mut ana =
        flow("{name: a, message: {text: \"{{ contact.big.map(x, text(contact.big) + text(contact.big)).size() }}\"}}");
    ana.contact.attributes.insert("big".to_owned(), big);
    failed(&ana.send(text("hi")), FailureKind::Expressions);
}

#[test]
fn a_session_of_another_revision_is_no_panic() {
    let mut ana = flow("{name: a, options: {text: '?', options: [{id: x, title: X}]}}");
    ana.says("hi");
    ana.programs = flow("{name: a, message: {text: hi}}").programs;
    failed(&ana.send(text("x")), FailureKind::UnknownNode);
    assert_eq!(ana.send(text("hi")).session.status(), SessionStatus::Completed, "the next message begins anew");
}

#[test]
fn a_message_of_a_megabyte_is_read_in_part() {
    let mut ana = flow("{name: a, options: {text: '{{ size(input) }}', options: [{id: x, title: X}]}}");
    let step = ana.send(text(&"a".repeat(1_000_000)));
    assert_eq!(shown(&step), ["4096 [X]"]);
    assert!(step.session.to_json().len() < 64 * 1_024);
}

#[test]
fn paths_of_the_editor_that_look_into_the_history_cost_what_it_takes_to_read_it() {
    let holes = "{{_meta.x}} ".repeat(320);
    let spec = json!({"tenantRef": {"name": "acme"}, "definition": {
        "nodes": [
            {"id": "t", "type": "trigger", "data": {"keyword": "default"}},
            {"id": "o", "type": "options", "data": {"text": "q", "options": ["a", "b"]}},
            {"id": "m", "type": "message", "data": {"text": holes}},
            {"id": "c", "type": "condition", "data": {"expression": "context.k === 'z'"}}],
        "edges": [{"id": "1", "source": "t", "target": "o"},
            {"id": "2", "source": "o", "target": "o", "sourceHandle": "no-match"},
            {"id": "3", "source": "o", "target": "m", "sourceHandle": "opt-0"},
            {"id": "4", "source": "m", "target": "c"}, {"id": "5", "source": "c", "target": "m", "sourceHandle": "false"},
            {"id": "6", "source": "c", "target": "o", "sourceHandle": "true"}]}});
    let mut ana = Customer::of(&spec.to_string());
    for _ in 0..60 {
        ana.says(&"x y".repeat(300));
    }
    let step = ana.send(text("a"));
    failed(&step, FailureKind::Expressions);
}
