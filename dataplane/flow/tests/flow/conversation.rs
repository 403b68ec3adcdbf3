//! What the customer sees, and what the session keeps.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use wigwag_domain::{Body, Content, Media, MediaKind};
use wigwag_flow::{ProblemKind, Session, SessionStatus, compile};

use crate::support::{Customer, NEW_YEAR, bodies, choices, payload, program, sent, shown, spec, tap, text};

/// The example of the reference, word for word.
const WELCOME: &str = r#"
tenantRef: {name: acme}
triggers: [{keyword: hola}, {keyword: pedido, match: Word}, {default: {}}]
start: welcome
nodes:
- {name: welcome, options: {text: "Hola {{ contact.name }}", options: [{id: buy, title: Comprar, next: shop}, {id: bye, title: Salir, next: end}], noMatch: welcome}}
- {name: shop, assign: {set: {cart: "[]"}, next: vip}}
- {name: vip, condition: {cases: [{when: "contact.name == 'Ana'", next: thanks}], else: again}}
- {name: thanks, message: {text: "Gracias, {{ contact.name }}", next: end}}
- {name: again, goto: {node: welcome}}
- {name: end, end: {reason: done}}
session: {timeout: 20h}
"#;

#[test]
fn a_customer_is_greeted_served_and_thanked() {
    let mut ana = Customer::of(WELCOME);
    assert_eq!(ana.says("hola"), ["Hola Ana [Comprar] [Salir]"]);
    assert_eq!((ana.session().status(), ana.session().node.as_str()), (SessionStatus::Paused, "welcome"));
    assert_eq!(ana.says("¿qué?"), ["Hola Ana [Comprar] [Salir]"], "no match leads to welcome");
    assert_eq!(ana.says("comprar"), ["Gracias, Ana"]);
    assert_eq!((ana.session().status(), ana.session().node.as_str()), (SessionStatus::Completed, "end"));
    assert_eq!(ana.context("endReason"), "done");
    assert_eq!(ana.session().variables.get("cart"), Some(&json!([])));
}

#[test]
fn another_customer_goes_back_to_the_menu_and_leaves() {
    let mut bo = Customer::of(WELCOME);
    bo.contact.name = Some("Bo".to_owned());
    bo.says("hola");
    assert_eq!(bo.says("1"), ["Hola Bo [Comprar] [Salir]"], "a round through a question is no endless one");
    assert_eq!(bo.says("Salir"), Vec::<String>::new());
    assert_eq!(bo.session().status(), SessionStatus::Completed);
}

#[test]
fn without_a_node_for_it_an_answer_that_is_none_is_asked_again_under_the_same_wait() {
    let mut ana = Customer::of(&WELCOME.replace(", noMatch: welcome", ""));
    let first = bodies(&ana.send(text("hola"))).remove(0);
    let again = bodies(&ana.send(text("¿qué?"))).remove(0);
    assert_eq!(first, again, "the same question, ids among it");
    assert_eq!(ana.context("lastOptionMatched"), false);
    assert_eq!(ana.taps(&first, "Comprar"), ["Gracias, Ana"], "a tap on either copy answers");
}

#[test]
fn a_tap_on_an_old_question_asks_the_open_one_again() {
    let mut ana = Customer::of(WELCOME);
    ana.contact.name = Some("Bo".to_owned());
    let old = bodies(&ana.send(text("hola"))).remove(0);
    let open = bodies(&ana.send(tap(&choices(&old)[0]))).remove(0);
    assert_ne!(old, open, "each wait has an id of its own");

    let session = ana.session().clone();
    assert!(session.is_answered_by(&payload(tap(&choices(&open)[0])), None));
    assert!(!session.is_answered_by(&payload(tap(&choices(&old)[0])), None));
    assert!(!session.is_answered_by(&payload(text("Comprar")), None));

    let again = ana.send(tap(&choices(&old)[1]));
    assert_eq!(bodies(&again), std::slice::from_ref(&open), "the old `Salir` does not end the conversation");
    assert_eq!(ana.context("lastInteractiveId"), "bye");
    assert_eq!(ana.taps(&open, "Salir"), Vec::<String>::new());
    assert_eq!(ana.session().status(), SessionStatus::Completed);
}

#[test]
fn every_message_and_wait_has_an_id_that_a_second_run_makes_again() {
    // `Customer::send` steps twice and compares.
    let mut ana = Customer::of(
        "{tenantRef: {name: acme}, triggers: [{default: {}}], start: a, nodes: [
          {name: a, message: {text: one, next: b}}, {name: b, message: {text: two}}]}",
    );
    let step = ana.send(text("hola"));
    let ids = sent(&step);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].millis(), ana.now);
}

#[test]
fn a_session_stays_on_its_revision_and_ends_when_its_customer_is_away_too_long() {
    let mut ana = Customer::of(WELCOME);
    ana.says("hola");
    assert_eq!(ana.session().revision, "0123456789ab");
    let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap();
    let asked = ana.now;
    assert_eq!(ana.session().waiting_since(), Some(at(asked)));
    assert_eq!(ana.session().due(), Some(at(asked + 72_000_000)), "20 hours after the question");

    let early = ana.after(Duration::from_millis(71_999_999));
    assert!(!early.taken, "a timer that goes off early finds nothing to do");
    assert_eq!(ana.says("¿qué?"), ["Hola Ana [Comprar] [Salir]"]);
    assert_eq!(ana.session().due(), Some(at(ana.now + 72_000_000)), "the time runs from the customer's last message");

    let over = ana.after(Duration::from_hours(20));
    assert_eq!((over.taken, over.effects.len()), (true, 0));
    let session = ana.session();
    assert_eq!((session.status(), session.is_open(), session.due()), (SessionStatus::Completed, false, None));
    assert_eq!(ana.context("endReason"), "timeout");
    assert!(!ana.after(Duration::from_hours(1)).taken, "it is over once");
}

#[test]
fn what_moves_no_conversation_leaves_the_session_as_it_was() {
    let mut ana = Customer::of(WELCOME);
    ana.says("hola");
    let before = ana.session().clone();
    let step = ana.send(Content::Reaction { message_id: "wamid.1".to_owned(), emoji: None });
    assert_eq!((step.session, step.effects.len()), (before, 0));
}

#[test]
fn more_than_three_options_are_a_list_with_descriptions() {
    let mut ana = Customer::of(
        "{tenantRef: {name: acme}, triggers: [{default: {}}], start: a, nodes: [{name: a, options: {
          text: 'Which?', listButton: Menú, options: [{id: a, title: A, description: the first}, {id: b, title: B},
          {id: c, title: A very long title of an option}, {id: d, title: A very long title of another}]}}]}",
    );
    let Body::List { button, rows, .. } = bodies(&ana.send(text("hi"))).remove(0) else { panic!("a list") };
    assert_eq!(button, "Menú");
    assert_eq!(rows[0].description.as_deref(), Some("the first"));
    let titles: Vec<_> = rows.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(titles, ["A", "B", "A very long title of an…", "A very long title of… 2"], "cut, they would be alike");
    ana.says("a very long title of ANOTHER");
    assert_eq!(ana.context("lastSelectedOption"), "A very long title of another");
    assert_eq!(ana.session().status(), SessionStatus::Completed, "an option without next ends the conversation");
}

const COUNTER: &str = r#"
tenantRef: {name: acme}
triggers: [{default: {}}]
start: set
nodes:
- {name: set, assign: {set: {b_total: "number('2') * 1.5", a_first: "'x'", c_seen: "a_first + text(b_total)", contact.visits: "contact.visits + 1", broken: "1 / 0"}, next: say}}
- {name: say, message: {text: "{{ c_seen }} {{ contact.visits }} {{ broken }}{{ event.text }} {{ now }}", next: ask}}
- {name: ask, options: {text: "{{ missing }}", options: [{id: again, title: Again, next: set}]}}
"#;

#[test]
fn variables_are_set_in_the_order_of_their_names_and_errors_leave_them_as_they_were() {
    let mut ana = Customer::of(COUNTER);
    ana.contact.attributes.insert("visits".to_owned(), json!(4));
    let step = ana.send(text("hi"));
    assert_eq!(
        shown(&step),
        ["x3 5 hi 2026-01-01T00:00:01.000+00:00", "ask [Again]"],
        "an empty question says its name"
    );
    assert_eq!(step.contact_attributes.map(Value::Object), Some(json!({"visits": 5})));
    assert!(!ana.session().variables.contains_key("broken"));
    let problems: Vec<_> =
        step.problems.iter().map(|one| (one.node.as_str(), one.field.as_str(), one.kind.as_str())).collect();
    assert_eq!(
        problems,
        [
            ("set", "set.broken", "expression"),
            ("say", "text", "expression"),
            ("ask", "text", "expression"),
            ("ask", "text", "empty"),
        ]
    );
    assert_eq!(shown(&ana.send(text("again")))[0], "x3 6 again 2026-01-01T00:00:02.000+00:00");
}

#[test]
fn in_a_condition_an_error_makes_its_case_false() {
    let mut ana = Customer::of(
        r#"{tenantRef: {name: acme}, triggers: [{default: {}}], start: a, nodes: [
          {name: a, condition: {cases: [{when: missing == 1, next: wrong}, {when: "'yes'", next: wrong},
            {when: messageCount == 1, next: right}]}},
          {name: wrong, message: {text: wrong}}, {name: right, message: {text: right}}]}"#,
    );
    let step = ana.send(text("hi"));
    assert_eq!(shown(&step), ["right"]);
    let fields: Vec<_> = step.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["cases[0].when", "cases[1].when"]);
}

#[test]
fn what_a_customer_writes_is_never_evaluated() {
    let mut ana = Customer::of(
        r#"{tenantRef: {name: acme}, triggers: [{default: {}}], start: a, nodes: [
          {name: a, assign: {set: {said: input}, next: b}}, {name: b, message: {text: "{{ said }}|{{ input }}"}}]}"#,
    );
    assert_eq!(ana.says("{{ contact.phone }} \0'"), ["{{ contact.phone }} \u{fffd}'|{{ contact.phone }} \u{fffd}'"]);
}

#[test]
fn texts_that_are_too_long_go_out_in_parts_or_are_cut_and_empty_ones_stay_unsent() {
    let mut ana = Customer::of(
        r#"{tenantRef: {name: acme}, triggers: [{default: {}}], start: a, nodes: [
          {name: a, message: {text: "{{ input }}{{ input }}", next: b}}, {name: b, message: {text: "{{ '' }} ", next: c}},
          {name: c, options: {text: "{{ input }}", options: [{id: x, title: X}]}}]}"#,
    );
    let step = ana.send(text(&"ñ".repeat(3_000)));
    let units: Vec<_> = bodies(&step)
        .iter()
        .map(|body| match body {
            Body::Text { text } | Body::Buttons { text, .. } => text.encode_utf16().count(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(units, [4_096, 1_904, 1_024], "messages have parts, questions have none");
    let kinds: Vec<_> = step.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::Empty, ProblemKind::Cut]);
}

#[test]
fn a_name_that_a_flow_keeps_goes_before_the_profile() {
    let mut ana = Customer::of(WELCOME);
    ana.contact.attributes.insert("name".to_owned(), json!("Anita"));
    assert_eq!(ana.says("hola"), ["Hola Anita [Comprar] [Salir]"]);
}

#[test]
fn the_context_has_the_shapes_that_flows_of_the_editor_know() {
    let mut ana = Customer::of(WELCOME);
    let question = bodies(&ana.send(text(" HOLÁ "))).remove(0);
    let context = ana.stored_context();
    for (key, value) in [
        ("triggerMessage", json!(" HOLÁ ")),
        ("input", json!(" HOLÁ ")),
        ("lastUserMessageRaw", json!(" HOLÁ ")),
        ("lastInputTrimmed", json!("HOLÁ")),
        ("lastUserMessageNormalized", json!("holá")),
        ("lastUserMessageAt", json!("2026-01-01T00:00:01.000Z")),
        ("lastInboundType", json!("text")),
        ("lastInteractiveId", json!(null)),
        ("lastUserMedia", json!(null)),
        ("messageCount", json!(1)),
        ("inputHistory", json!([{"text": " HOLÁ ", "timestamp": "2026-01-01T00:00:01.000Z"}])),
        ("lastBotMessage", json!("Hola Ana")),
        ("lastBotMessageType", json!("options")),
        ("lastBotOptions", json!(["Comprar", "Salir"])),
        ("lastOutboundAt", json!("2026-01-01T00:00:01.000Z")),
    ] {
        assert_eq!(context[key], value, "{key}");
    }
    assert_eq!(
        context["_meta"]["history"][1],
        json!({"direction": "out", "type": "options", "timestamp": "2026-01-01T00:00:01.000Z",
               "payload": {"text": "Hola Ana", "options": ["Comprar", "Salir"]}})
    );

    ana.send(tap(&choices(&question)[1]));
    let context = ana.stored_context();
    for (key, value) in [
        ("lastInboundType", json!("option-selection")),
        ("lastInteractiveId", json!("bye")),
        ("lastInteractiveType", json!("button_reply")),
        ("lastInteractiveTitle", json!("Salir")),
        ("lastSelectedOption", json!("Salir")),
        ("lastSelectedOptionIndex", json!(1)),
        ("lastOptionMatched", json!(true)),
        ("messageCount", json!(2)),
        ("endReason", json!("done")),
    ] {
        assert_eq!(context[key], value, "{key}");
    }
    let entry = &context["_meta"]["history"][2];
    assert_eq!((&entry["type"], &entry["payload"]["optionIndex"]), (&json!("option-selection"), &json!(1)));
}

#[test]
fn a_file_is_kept_under_the_word_for_its_sort_with_its_caption_as_text() {
    let mut ana = Customer::of(WELCOME);
    ana.send(Content::Media(Media {
        kind: MediaKind::Voice,
        id: "77".to_owned(),
        mime_type: Some("audio/ogg".to_owned()),
        caption: Some("hola".to_owned()),
        filename: None,
    }));
    assert_eq!(ana.context("lastInboundType"), "audio");
    assert_eq!(ana.context("input"), "hola");
    let file = json!({"id": "77", "mime_type": "audio/ogg", "caption": "hola", "voice": true});
    assert_eq!(ana.context("lastUserMedia"), json!({"audio": file}));
}

#[test]
fn a_session_is_read_as_it_was_written_in_the_first_release() {
    let stored = r#"{"id":"01b76da4-4fe8-8000-8000-000000000000","flow":"welcome","revision":"0123456789ab",
      "status":"Paused","node":"welcome","wait":{"for":"answer","id":"01b76da4-4fe8-8000-8000-000000000001",
      "since":"2026-01-01T00:00:01Z"},"events":1,"context":{"input":"hola"},"variables":{}}"#;
    let session = Session::from_json(stored).unwrap();
    assert_eq!(session.status(), SessionStatus::Paused);
    assert_eq!(session.waiting_since().map(Timestamp::as_millisecond), Some(NEW_YEAR + 1_000));
    assert!(Session::from_json("{}").is_err());
}

#[test]
fn the_same_spec_makes_the_same_program_for_everybody() {
    let compiled = compile("welcome", "0123456789ab", &spec(WELCOME));
    assert_eq!(compiled.findings, []);
    assert_eq!(program("welcome", WELCOME).name(), "welcome");
}

#[test]
fn what_no_database_takes_is_kept_out_of_variables_wherever_it_came_from() {
    let mut ana =
        Customer::of_nodes("{name: a, assign: {set: {x: \"'a\\\\u0000b'\"}, next: b}}, {name: b, waitFor: {into: y}}");
    ana.says("hola");
    assert_eq!(ana.variable("x"), "a\u{fffd}b");
    let signal = ana.session().waits_for_signal().unwrap();
    ana.event(wigwag_flow::What::Resumed(signal, &json!({"k\0": ["\0"]})));
    assert_eq!(ana.variable("y"), &json!({"k\u{fffd}": ["\u{fffd}"]}));
}

#[test]
fn a_text_that_is_one_letter_too_long_is_cut() {
    let mut ana =
        Customer::of_nodes("{name: a, options: {text: '?', footer: '{{ input }}', options: [{id: x, title: X}]}}");
    for letters in [60, 61, 62, 63] {
        ana.session = None;
        let Body::Buttons { footer, .. } = bodies(&ana.send(text(&"x".repeat(letters)))).remove(0) else { panic!() };
        assert_eq!(footer.map(|footer| footer.encode_utf16().count()), Some(60));
    }
}

#[test]
fn what_a_program_says_in_an_open_session_comes_with_its_variables() {
    let mut ana = Customer::of_nodes(
        "{name: a, ask: {text: who?, into: who, next: b}}, {name: b, message: {text: '{{ who }} has {{ plan }}'}}",
    );
    ana.says("hola");
    let (payload, variables) = (crate::support::payload(text("ana")), json!({"plan": "gold"}));
    let incoming = wigwag_flow::Incoming { payload: &payload, quoted: None };
    let step = ana.event(wigwag_flow::What::Said(incoming, variables.as_object().unwrap()));
    assert_eq!(shown(&step), ["ana has gold"]);
}
