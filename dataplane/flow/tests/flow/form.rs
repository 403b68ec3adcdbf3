//! Forms: Meta's WhatsApp Flows.

use std::time::Duration;

use serde_json::{Value, json};
use wigwag_domain::{Body, Content, FormMessage};
use wigwag_flow::SessionStatus;

use crate::support::{Customer, body, payload, shown, text};

const FORM: &str = "{name: a, whatsappFlow: {header: Turno, body: 'Hola {{ contact.name }}', footer: Acme, cta: Reservar,
    flowId: '123', mode: Draft, screen: FIRST, data: {name: '{{ contact.name }}', visits: '{{ messageCount }}', tags: [x]},
    into: booking, timeout: 1h, onTimeout: late, next: b}},
  {name: b, message: {text: '{{ booking.day }}'}}, {name: late, message: {text: late}}";

fn form(customer: &mut Customer) -> FormMessage {
    let Body::Form(form) = body(&customer.send(text("hola"))) else { panic!("a form") };
    form
}

fn answer(answer: Value) -> Content {
    Content::Form { answer }
}

#[test]
fn a_form_goes_out_with_what_it_starts_with() {
    let form = form(&mut Customer::of_nodes(FORM));
    assert_eq!(
        (form.header.as_deref(), form.text.as_str(), form.footer.as_deref()),
        (Some("Turno"), "Hola Ana", Some("Acme"))
    );
    assert_eq!((form.cta.as_str(), form.flow_id.as_str(), form.draft), ("Reservar", "123", true));
    assert_eq!(
        (form.screen.as_deref(), form.data),
        (Some("FIRST"), Some(json!({"name": "Ana", "visits": 1, "tags": ["x"]})))
    );
}

#[test]
fn its_answer_is_kept_without_the_token_that_came_with_it() {
    let mut ana = Customer::of_nodes(FORM);
    let token = form(&mut ana).token;
    let answered = answer(json!({"day": "lunes", "flow_token": token}));
    assert!(ana.session().is_answered_by(&payload(answered.clone()), None));
    assert_eq!(
        ana.context("pendingWhatsAppFlow"),
        json!({"header": "Turno", "body": "Hola Ana", "footer": "Acme", "cta": "Reservar"})
    );
    assert_eq!(shown(&ana.send(answered)), ["lunes"]);
    assert_eq!(ana.variable("booking"), &json!({"day": "lunes"}));
    assert_eq!(ana.context("pendingWhatsAppFlow"), json!(null));
    assert_eq!(ana.context("lastInboundType"), "interactive");
}

#[test]
fn the_answer_to_another_form_is_asked_again_under_the_same_token() {
    let mut ana = Customer::of_nodes(FORM);
    let sent = form(&mut ana);
    let other = answer(json!({"day": "martes", "flow_token": "another"}));
    assert!(!ana.session().is_answered_by(&payload(other.clone()), None));
    let Body::Form(again) = body(&ana.send(other)) else { panic!("a form") };
    assert_eq!(again, FormMessage { data: again.data.clone(), ..sent });
    assert_eq!(ana.variable("booking"), &json!(null));
    assert_eq!(ana.session().status(), SessionStatus::Paused);
}

#[test]
fn words_are_no_answer_to_a_form_and_silence_goes_its_own_way() {
    let mut ana = Customer::of_nodes(FORM);
    form(&mut ana);
    assert_eq!(ana.says("el lunes"), ["form 123 Hola Ana"]);
    assert_eq!(shown(&ana.after(Duration::from_hours(1))), ["late"]);
}

#[test]
fn the_data_of_a_form_that_is_empty_is_left_out() {
    let mut ana = Customer::of_nodes("{name: a, whatsappFlow: {body: b, cta: c, flowId: '1', data: {}, into: x}}");
    assert_eq!(form(&mut ana).data, None, "Meta refuses an empty map");
}

#[test]
fn an_old_form_is_no_answer_to_another_question() {
    let after = "{name: a, whatsappFlow: {body: hi, cta: Go, flowId: '1', into: f, next: b}},
        {name: b, ask: {text: '¿Quién?', into: who, retries: 0, onInvalid: bad, next: c}},
        {name: c, options: {text: q, stale: old, noMatch: bad, options: [{id: x, title: X}]}},
        {name: bad, message: {text: bad}}, {name: old, message: {text: old}}";
    let mut ana = Customer::of_nodes(after);
    let token = form(&mut ana).token;
    let sent_in = || answer(json!({"day": "lunes", "flow_token": token}));
    assert_eq!(shown(&ana.send(sent_in())), ["¿Quién?"]);
    assert_eq!(shown(&ana.send(sent_in())), ["¿Quién?"], "asked again, though it has no retries");
    assert_eq!(ana.says("Ana"), ["q [X]"]);
    assert_eq!(shown(&ana.send(sent_in())), ["old"]);
}
