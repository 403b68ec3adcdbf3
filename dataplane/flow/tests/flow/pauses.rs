//! Time: pauses, calls from outside, and how long a session lives.

use std::time::Duration;

use serde_json::json;
use wigwag_flow::{FailureKind, Resume, ResumeKey, SessionStatus, What};

use crate::support::{Customer, flow, flow_with, shown, text};

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn a_short_delay_holds_the_customers_messages_and_a_long_one_does_not() {
    for (span, held) in [("1s", true), ("60s", true), ("61s", false), ("30d", false)] {
        let mut ana = Customer::of_nodes(&format!(
            "{{name: a, message: {{text: one, next: b}}}}, {{name: b, delay: {{for: {span}, next: c}}}}, {{name: c, message: {{text: two}}}}"
        ));
        assert_eq!(ana.says("hola"), ["one"]);
        assert_eq!((ana.session().status(), ana.session().waits_for()), (SessionStatus::Active, Some("delay")));
        assert_eq!(ana.session().holds_messages_until().is_some(), held, "{span}");
        let before = ana.session().clone();
        let step = ana.send(text("¿y?"));
        assert!(!step.taken && step.effects.is_empty(), "{span}");
        assert_eq!(step.session, before, "a message that is not taken leaves no trace");
        ana.now = before.due().unwrap().as_millisecond() - 1;
        assert!(!ana.event(What::Timer).taken);
        assert_eq!(shown(&ana.after(Duration::from_millis(1))), ["two"], "{span}");
    }
}

#[test]
fn a_message_beside_a_long_pause_is_noted_in_the_history() {
    let mut ana = Customer::of_nodes("{name: a, delay: {for: 2h}}");
    ana.says("hola");
    let mut session = ana.session().clone();
    session.note(&crate::support::payload(text("¿hay alguien?")), ana.at_now());
    let context = session.context();
    let history = context["_meta"]["history"].as_array().unwrap();
    assert_eq!((history.len(), &history[1]["payload"]["text"]), (2, &json!("¿hay alguien?")));
    assert_eq!((&context["input"], &context["messageCount"]), (&json!("hola"), &json!(1)), "no key changes");
}

const PAY: &str = "{name: a, message: {text: '{{ resume.paid }}', next: paid}},
    {name: paid, waitFor: {timeout: 2h, into: payment, next: b, onTimeout: late}},
    {name: b, message: {text: 'paid {{ payment.amount }}, next at {{ resume.paid }}', next: again}},
    {name: again, options: {text: more?, noMatch: again, options: [{id: x, title: Sure, next: paid}]}},
    {name: late, message: {text: late}}";

fn payer() -> Customer {
    Customer::of_nodes(PAY).at("locale: {}")
}

fn read(url: &str) -> Resume {
    let token = url.strip_prefix("https://acme.example.com/resume/").unwrap_or_else(|| panic!("{url}"));
    ResumeKey::new([7; 32]).read(token).unwrap_or_else(|| panic!("{url}"))
}

#[test]
fn the_url_that_resumes_a_session_can_be_said_before_it_stands_there() {
    let mut ana = payer();
    let said = ana.says("hola").remove(0);
    let resume = read(&said);
    assert_eq!((resume.session, resume.node.as_str(), resume.visit), (ana.session().id, "paid", 1));
    assert_eq!(ana.session().waits_for_signal(), Some(resume.signal()));
    assert!(!ana.session().has_left(&resume));
    assert_eq!((ana.session().status(), ana.session().holds_messages_until()), (SessionStatus::Active, None));

    let data = json!({"amount": 7});
    let step = ana.event(What::Resumed(resume.signal(), &data));
    let said = shown(&step)[0].clone();
    assert!(said.starts_with("paid 7, next at https://"), "{said}");
    let next = read(said.rsplit(' ').next().unwrap());
    assert_eq!(next.visit, 2, "another visit, another URL");
    assert!(ana.session().has_left(&resume) && !ana.session().has_left(&next));
    assert!(!ana.event(What::Resumed(resume.signal(), &data)).taken, "a URL works once");

    ana.says("sure");
    assert_eq!(ana.session().waits_for_signal(), Some(next.signal()));
    assert!(!ana.event(What::Resumed(resume.signal(), &data)).taken, "the first URL is not that of the second visit");
    assert!(ana.event(What::Resumed(next.signal(), &data)).taken);
}

#[test]
fn nobody_who_resumes_in_time_goes_the_timeouts_way_and_the_url_is_void() {
    let mut ana = payer();
    let resume = read(&ana.says("hola")[0]);
    assert!(!ana.after(Duration::from_mins(119)).taken);
    assert_eq!(shown(&ana.after(Duration::from_mins(1))), ["late"]);
    assert!(ana.session().has_left(&resume));
    assert!(!ana.event(What::Resumed(resume.signal(), &json!(1))).taken);
}

#[test]
fn a_pause_without_a_way_for_silence_fails_its_node() {
    let mut ana = Customer::of_nodes("{name: a, waitFor: {timeout: 1h}}");
    ana.says("hola");
    let step = ana.after(HOUR);
    assert_eq!(step.failure.map(|failure| (failure.node, failure.kind)), Some(("a".to_owned(), FailureKind::Timeout)));
}

#[test]
fn too_much_data_from_outside_fails_its_node() {
    let mut ana = Customer::of_nodes(
        "{name: a, onError: b, waitFor: {into: x}}, {name: b, message: {text: '{{ error.kind }} at {{ error.node }}'}}",
    );
    ana.says("hola");
    let signal = ana.session().waits_for_signal().unwrap();
    assert_eq!(shown(&ana.event(What::Resumed(signal, &json!("x".repeat(70_000))))), ["variables at a"]);
}

#[test]
fn a_session_that_lives_too_long_is_over_whatever_it_waits_for() {
    for node in [
        "options: {text: '?', timeout: 60d, options: [{id: x, title: X}]}",
        "delay: {for: 30d}",
        "waitFor: {timeout: 30d}",
        "handoff: {timeout: 30d}",
    ] {
        let mut ana = Customer::of(&flow_with("session: {maxAge: 10d},", &format!("{{name: a, {node}}}")));
        ana.says("hola");
        assert_eq!(ana.session().due().map(|due| due.as_millisecond()), Some(ana.now + 864_000_000), "{node}");
        let step = ana.after(Duration::from_hours(240));
        assert!(step.taken && step.effects.is_empty(), "{node}");
        assert_eq!((ana.session().status(), ana.context("endReason")), (SessionStatus::Completed, json!("max-age")));
    }
}

#[test]
fn the_sessions_own_timeout_goes_where_the_started_flow_says_even_within_a_called_one() {
    let root = flow_with(
        "session: {timeout: 2h, onTimeout: gone},",
        "{name: a, assign: {set: {mine: \"'kept'\"}, next: b}}, {name: b, call: {flow: child, next: c}},
         {name: c, message: {text: back}}, {name: gone, message: {text: 'bye, {{ mine }}'}}",
    );
    let child = flow_with(
        "session: {timeout: 5m, onTimeout: never},",
        "{name: a, options: {text: '?', noMatch: a, options: [{id: x, title: X}]}}, {name: never, message: {text: never}}",
    );
    let mut ana = Customer::of_all(&[("root", &root), ("child", &child)]);
    assert_eq!(ana.says("hola"), ["? [X]"]);
    assert_eq!(ana.session().stands_in(), "child");
    assert!(!ana.after(Duration::from_mins(5)).taken, "the called flow's patience is not the session's");
    assert_eq!(shown(&ana.after(Duration::from_mins(115))), ["bye, kept"]);
    assert_eq!((ana.session().stands_in(), ana.session().status()), ("root", SessionStatus::Completed));
}

#[test]
fn a_questions_own_way_for_silence_goes_before_the_sessions() {
    let yaml = flow_with(
        "session: {timeout: 1h, onTimeout: gone},",
        "{name: a, options: {text: '?', noMatch: a, onTimeout: own, options: [{id: x, title: X}]}},
         {name: own, message: {text: own}}, {name: gone, message: {text: gone}}",
    );
    let mut ana = Customer::of(&yaml);
    ana.says("hola");
    assert_eq!(shown(&ana.after(HOUR)), ["own"]);
}

#[test]
fn a_timer_is_set_once_and_not_with_every_message() {
    let mut ana = Customer::of(&flow("{name: a, options: {text: '?', timeout: 1h, options: [{id: x, title: X}]}}"));
    ana.says("hola");
    let mut session = ana.session().clone();
    let first = session.rearm().unwrap();
    assert_eq!(session.rearm(), None, "it is set");
    ana.session = Some(session);
    ana.says("¿qué?");
    let mut session = ana.session().clone();
    assert!(session.due().unwrap() > first);
    assert_eq!(session.rearm(), None, "an earlier one does as well");

    ana.now = first.as_millisecond();
    session.disarm();
    ana.session = Some(session);
    let step = ana.event(What::Timer);
    assert!(!step.taken, "it finds nothing to do");
    let mut session = step.session;
    assert_eq!(session.rearm(), session.due(), "and is set anew");
}

#[test]
fn a_timer_that_is_due_earlier_is_set_earlier() {
    let mut ana = Customer::of_nodes(
        "{name: a, options: {text: '?', noMatch: b, options: [{id: x, title: X}]}}, {name: b, delay: {for: 5s}}",
    );
    ana.says("hola");
    let mut session = ana.session().clone();
    let day = session.rearm().unwrap();
    ana.session = Some(session);
    ana.says("¿qué?");
    let mut session = ana.session().clone();
    let soon = session.rearm().unwrap();
    assert!(soon < day);
    assert_eq!(soon.as_millisecond(), ana.now + 5_000);
}

#[test]
fn the_url_of_a_visit_that_was_left_by_another_way_works_no_more() {
    let mut moved = payer();
    let resume = read(&moved.says("hola").remove(0));
    moved.event(What::Moved("again"));
    assert!(moved.session().has_left(&resume), "people moved the session on");
    moved.says("sure");
    assert!(!moved.event(What::Resumed(resume.signal(), &json!({"amount": 7}))).taken, "that was the first visit");
}
