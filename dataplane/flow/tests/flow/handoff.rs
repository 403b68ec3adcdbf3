//! People take over, and give back.

use std::time::Duration;

use serde_json::{Map, json};
use wigwag_flow::{Passed, Release, ReleaseTo, SessionStatus, Step, What};

use crate::support::{Customer, shown, text};

const HELP: &str = "{name: a, message: {text: one moment, next: people}},
  {name: people, handoff: {queue: 'ventas-{{ contact.name }}', note: 'wrote {{ input }}', timeout: 8h, next: b, onTimeout: late}},
  {name: b, message: {text: 'back: {{ solved }}'}}, {name: late, message: {text: nobody came}},
  {name: elsewhere, message: {text: elsewhere}}";

fn with_people(nodes: &str) -> Customer {
    let mut ana = Customer::of_nodes(nodes);
    ana.says("help!");
    assert!(ana.session().is_with_people());
    ana
}

fn release(customer: &mut Customer, to: ReleaseTo) -> Step {
    let variables = Map::from_iter([("solved".to_owned(), json!("yes"))]);
    customer.event(What::Released(&Release { to, variables }))
}

#[test]
fn people_are_told_whose_work_it_is_and_why() {
    let ana = with_people(HELP);
    assert_eq!((ana.session().status(), ana.session().waits_for()), (SessionStatus::Paused, Some("people")));
    assert_eq!(ana.context("handoffQueue"), "ventas-Ana");
    assert_eq!(ana.context("handoffNote"), "wrote help!");
    assert_eq!((ana.session().holds_messages_until(), ana.session().waiting_since()), (None, None));

    let ana = with_people("{name: a, handoff: {timeout: 1h}}");
    assert_eq!((ana.context("handoffQueue"), ana.context("handoffNote")), (json!(null), json!(null)));
}

#[test]
fn nothing_that_a_customer_writes_moves_the_session_meanwhile() {
    let mut ana = with_people(HELP);
    let before = ana.session().clone();
    for _ in 0..3 {
        let step = ana.send(text("hola?"));
        assert!(!step.taken && step.effects.is_empty());
        assert_eq!(step.session, before, "events in a handoff do not count");
    }
}

#[test]
fn a_released_session_goes_on_where_it_is_told_to() {
    let mut ana = with_people(HELP);
    assert_eq!(shown(&release(&mut ana, ReleaseTo::Next)), ["back: yes"]);

    let mut ana = with_people(HELP);
    assert_eq!(shown(&release(&mut ana, ReleaseTo::Node("elsewhere".to_owned()))), ["elsewhere"]);

    let mut ana = with_people(HELP);
    let step = release(&mut ana, ReleaseTo::End);
    assert!(step.taken && step.effects.is_empty());
    assert_eq!((ana.session().status(), ana.context("endReason")), (SessionStatus::Completed, json!("released")));
    assert_eq!(ana.variable("solved"), "yes");
}

#[test]
fn a_release_to_a_node_that_is_not_there_leaves_the_session_with_people() {
    let mut ana = with_people(HELP);
    let step = release(&mut ana, ReleaseTo::Node("nowhere".to_owned()));
    assert!(!step.taken);
    assert!(ana.session().is_with_people());
    assert_eq!(ana.variable("solved"), &json!(null));
}

#[test]
fn a_session_that_is_not_with_people_is_not_released() {
    let mut ana = Customer::of_nodes("{name: a, options: {text: '?', options: [{id: x, title: X}]}}");
    ana.says("hola");
    assert!(!release(&mut ana, ReleaseTo::Next).taken);
    let mut ana = with_people(HELP);
    release(&mut ana, ReleaseTo::Next);
    assert!(!release(&mut ana, ReleaseTo::Next).taken, "it is over");
}

#[test]
fn nobody_who_releases_in_time_goes_the_timeouts_way_or_on() {
    let mut ana = with_people(HELP);
    assert!(!ana.after(Duration::from_secs(8 * 3_600 - 1)).taken);
    let step = ana.after(Duration::from_secs(1));
    assert_eq!((shown(&step), step.passages[0].what), (vec!["nobody came".to_owned()], Passed::TimedOut));

    let mut ana = with_people(&HELP.replace(", onTimeout: late", ""));
    assert_eq!(shown(&ana.after(Duration::from_hours(8))), ["back:"]);
}

#[test]
fn somebody_may_move_a_session_to_any_of_its_nodes() {
    let mut ana = with_people(HELP);
    assert!(!ana.event(What::Moved("nowhere")).taken);
    assert!(ana.session().is_with_people());
    assert_eq!(shown(&ana.event(What::Moved("elsewhere"))), ["elsewhere"]);
}
