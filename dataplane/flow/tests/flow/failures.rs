//! What fails, and the ways that a flow has for it.

use serde_json::json;
use wigwag_flow::{FailureKind, ProblemKind, SessionStatus, What};

use crate::support::{Customer, flow_with, problems, sent, shown, text};

const SORRY: &str = "{name: sorry, message: {text: '{{ error.kind }} at {{ error.node }}', next: a}}";

#[test]
fn a_nodes_own_way_goes_before_the_flows() {
    let yaml = flow_with(
        "onError: all,",
        "{name: a, onError: own, call: {flow: nowhere}},
         {name: own, message: {text: '{{ error.kind }} at {{ error.node }}: {{ error.message }}'}},
         {name: all, message: {text: all}}",
    );
    let step = Customer::of(&yaml).send(text("hola"));
    assert_eq!(shown(&step), ["call at a: Flow \"nowhere\" was not there when this session began: add it"]);
    assert_eq!(step.problems[0].kind, ProblemKind::Mended(FailureKind::Call));
    assert_eq!((step.problems[0].node.as_str(), step.failure), ("a", None));
}

#[test]
fn the_flows_way_is_taken_once_in_a_session() {
    let yaml = flow_with(
        "onError: sorry,",
        &format!(
            "{{name: a, options: {{text: '?', noMatch: b, options: [{{id: x, title: X}}]}}}}, {{name: b, call: {{flow: nowhere}}}}, {SORRY}"
        ),
    );
    let mut ana = Customer::of(&yaml);
    ana.says("hola");
    assert_eq!(ana.says("¿?"), ["call at b", "? [X]"]);
    let step = ana.send(text("¿?"));
    assert_eq!((step.session.status(), step.effects.len()), (SessionStatus::Errored, 0));
    assert_eq!(step.failure.map(|failure| failure.kind), Some(FailureKind::Call));
}

#[test]
fn a_way_that_fails_itself_ends_after_a_few_rounds() {
    let step = Customer::of_nodes("{name: a, onError: b, call: {flow: x}}, {name: b, onError: a, call: {flow: x}}")
        .send(text("hola"));
    assert_eq!(step.failure.map(|failure| failure.kind), Some(FailureKind::Call));
    assert_eq!(step.problems.len(), 5);
}

#[test]
fn what_a_round_without_end_said_is_not_said_and_its_flow_goes_on() {
    let yaml = flow_with(
        "onError: sorry,",
        "{name: a, message: {text: spam, next: b}}, {name: b, condition: {cases: [{when: 1 > 0, next: a}], else: c}}, {name: c, end: {}},
         {name: sorry, options: {text: '{{ error.kind }}', options: [{id: x, title: X}]}}",
    );
    let mut ana = Customer::of(&yaml);
    let step = ana.send(text("hola"));
    assert_eq!(shown(&step), ["steps [X]"]);
    let ids = sent(&step);
    let failed = ana.event(What::SendFailed(ids[0], None, "no"));
    assert_eq!(failed.failure.map(|failure| failure.node), Some("sorry".to_owned()), "the id is that of what was sent");
}

#[test]
fn the_tenants_word_for_failures_is_said_when_nothing_else_is() {
    let mut ana =
        Customer::of_nodes("{name: a, message: {text: never said, next: b}}, {name: b, call: {flow: nowhere}}")
            .at("fallbackMessage: {es: 'Perdón, {{ contact.name }}', en: Sorry}");
    let step = ana.send(text("hola"));
    assert_eq!(shown(&step), ["Perdón, Ana"]);
    assert_eq!((step.session.status(), step.failure.is_some()), (SessionStatus::Errored, true));

    let mended = flow_with("onError: ok,", "{name: a, call: {flow: nowhere}}, {name: ok, message: {text: ok}}");
    assert_eq!(Customer::of(&mended).at("fallbackMessage: Perdón").says("hola"), ["ok"]);
}

fn question(fields: &str) -> String {
    format!(
        "{{name: a, message: {{text: one, next: b}}}},
         {{name: b, options: {{text: two, noMatch: c, options: [{{id: x, title: X}}]{fields}}}}}, {{name: c, delay: {{for: 1h}}}}, {SORRY}"
    )
}

#[test]
fn a_message_that_failed_goes_its_nodes_way_then_the_flows_then_ends_the_session() {
    let fail = |yaml: &str, which: usize| {
        let mut ana = Customer::of(yaml);
        let ids = sent(&ana.send(text("hola")));
        ana.event(What::SendFailed(ids[which], Some(131_026), "not on WhatsApp"))
    };
    let own = flow_with("", &question(", onFail: sorry"));
    assert_eq!(shown(&fail(&own, 1))[0], "send at b");
    assert_eq!(fail(&own, 0).failure.map(|failure| failure.node), Some("a".to_owned()), "the other message has none");
    assert_eq!(shown(&fail(&flow_with("onError: sorry,", &question("")), 0))[0], "send at a");

    let step = fail(&flow_with("", &question("")), 1);
    let failure = step.failure.unwrap();
    assert_eq!((failure.kind, failure.node.as_str()), (FailureKind::Send, "b"));
    assert!(failure.message.contains("131026") && failure.message.contains("not on WhatsApp"), "{}", failure.message);
    assert_eq!(step.session.status(), SessionStatus::Errored);
}

#[test]
fn a_message_that_failed_after_its_session_moved_on_does_nothing() {
    let mut ana = Customer::of(&flow_with("onError: sorry,", &question("")));
    let ids = sent(&ana.send(text("hola")));
    ana.says("¿?");
    let before = ana.session().clone();
    let step = ana.event(What::SendFailed(ids[1], Some(131_026), "no"));
    assert_eq!((step.taken, step.session), (false, before));
}

#[test]
fn a_message_that_failed_takes_nobody_from_people() {
    let yaml = flow_with(
        "onError: sorry,",
        &format!("{{name: a, message: {{text: one moment, next: b}}}}, {{name: b, handoff: {{timeout: 1h}}}}, {SORRY}"),
    );
    let mut ana = Customer::of(&yaml);
    let ids = sent(&ana.send(text("hola")));
    assert!(!ana.event(What::SendFailed(ids[0], Some(131_026), "not on WhatsApp")).taken);
    assert!(ana.session().is_with_people());
}

#[test]
fn what_a_caller_said_fails_in_the_caller_and_ends_what_it_called() {
    let root = flow_with(
        "",
        "{name: a, message: {text: from root, onFail: sorry, next: b}}, {name: b, call: {flow: child}},
         {name: sorry, message: {text: '{{ error.node }} of root'}}",
    );
    // A node of the same name, which said nothing.
    let child = flow_with(
        "",
        "{name: b, message: {text: never}}, {name: a, options: {text: '?', noMatch: a, options: [{id: x, title: X}]}}",
    );
    let mut ana = Customer::of_all(&[("root", &root), ("child", &child)]);
    let ids = sent(&ana.send(text("hola")));
    assert_eq!(ana.session().stands_in(), "child");
    assert_eq!(shown(&ana.event(What::SendFailed(ids[0], None, "no"))), ["a of root"]);
    assert_eq!(ana.session().stands_in(), "root");
}

#[test]
fn a_providers_words_do_not_fill_the_session() {
    let mut ana = Customer::of(&flow_with("onError: sorry,", &question("")));
    let ids = sent(&ana.send(text("hola")));
    ana.event(What::SendFailed(ids[0], None, &"x".repeat(1_000_000)));
    assert!(ana.session().to_json().len() < 10_000);
}

#[test]
fn an_answer_whose_question_cannot_be_asked_again_goes_the_nodes_way_too() {
    let heavy = "{{ contact.big.map(x, text(contact.big) + text(contact.big)).size() }}";
    let mut ana = Customer::of_nodes(&format!(
        "{{name: a, onError: sorry, options: {{text: hi, retries: 1, retryText: '{heavy}', noMatch: a, options: [{{id: x, title: X}}]}}}},
         {{name: sorry, message: {{text: '{{{{ error.kind }}}}'}}}}"
    ));
    ana.contact.attributes.insert("big".to_owned(), json!(vec!["x".repeat(10); 1_000]));
    ana.says("hola");
    assert_eq!(ana.says("¿?"), ["expressions"]);
}

#[test]
fn variables_from_outside_keep_the_budget_too() {
    use serde_json::Map;
    use wigwag_flow::{Incoming, World, start};
    let ana = Customer::of_nodes("{name: a, message: {text: '{{ order }}'}}");
    let begin = |order: serde_json::Value| {
        let payload = crate::support::payload(text("hola"));
        let world = World { contact: &ana.contact, tenant: &ana.tenant };
        let incoming = Incoming { payload: &payload, quoted: None };
        let variables = Map::from_iter([("order".to_owned(), order)]);
        start(&ana.programs, wigwag_domain::SessionId(uuid::Uuid::nil()), world, ana.at_now(), incoming, variables)
    };
    let step = begin(json!(7));
    assert_eq!((shown(&step), problems(&step)), (vec!["7".to_owned()], vec![]));
    assert_eq!(begin(json!("x".repeat(70_000))).failure.map(|failure| failure.kind), Some(FailureKind::Variables));
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(
        begin(deep).failure.map(|failure| failure.kind),
        Some(FailureKind::Variables),
        "nobody could read it back"
    );
}
