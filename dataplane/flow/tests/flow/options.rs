//! Questions with options.

use serde_json::json;
use wigwag_domain::{
    Body, Content, Header, MediaKind, MediaSource, OutboundMedia, Tap, TapKind, TemplateComponent, TemplateMessage,
    TemplateValue,
};
use wigwag_flow::{Effect, SessionStatus};

use crate::support::{Customer, bodies, choices, payload, sent, shown, tap, text};

const TAIL: &str = "{name: yes, message: {text: 'yes!'}}, {name: other, message: {text: other}},
    {name: old, message: {text: 'that was before', next: a}}";

fn options(fields: &str) -> Customer {
    Customer::of_nodes(&format!(
        "{{name: a, options: {{text: Really?, options: [{{id: ok, title: 'Sí', next: yes}}, {{id: nope, title: 'No'}}], {fields}}}}}, {TAIL}"
    ))
}

#[test]
fn a_question_is_asked_again_with_its_own_text_and_then_goes_the_way_of_no_match() {
    let mut ana = options("retries: 2, retryText: Tap one, noMatch: other");
    ana.says("hola");
    assert_eq!(ana.says("¿qué?"), ["Tap one [Sí] [No]"]);
    assert_eq!(ana.says("¿cómo?"), ["Tap one [Sí] [No]"]);
    assert_eq!(ana.says("¿eh?"), ["other"]);
    assert_eq!(ana.context("lastOptionMatched"), false);
    assert_eq!((ana.context("lastSelectedOption"), ana.context("lastSelectedOptionIndex")), (json!(null), json!(null)));
}

#[test]
fn retries_begin_anew_when_the_question_is_come_to_again() {
    let mut ana = Customer::of_nodes(
        "{name: a, options: {text: q, retries: 1, retryText: r, noMatch: b, options: [{id: x, title: X}]}},
         {name: b, message: {text: sorry, next: a}}",
    );
    assert_eq!(ana.says("hola"), ["q [X]"]);
    for _ in 0..3 {
        assert_eq!(ana.says("?"), ["r [X]"]);
        assert_eq!(ana.says("?"), ["sorry", "q [X]"]);
    }
}

#[test]
fn a_tap_on_an_old_question_goes_its_own_way_where_there_is_one() {
    let mut ana = Customer::of_nodes(&format!(
        "{{name: a, options: {{text: Really?, stale: old, noMatch: a, options: [{{id: ok, title: 'Sí', next: a}}]}}}}, {TAIL}"
    ));
    let first = bodies(&ana.send(text("hola"))).remove(0);
    ana.taps(&first, "Sí");
    assert_eq!(ana.taps(&first, "Sí"), ["that was before", "Really? [Sí]"]);
}

#[test]
fn a_message_that_quotes_the_question_answers_it_by_itself() {
    let mut ana = options("noMatch: other");
    let asked = sent(&ana.send(text("hola")))[0];
    assert!(ana.session().is_answered_by(&payload(text("sí")), Some(asked)));
    assert!(!ana.session().is_answered_by(&payload(text("sí")), None));
}

#[test]
fn what_stands_above_and_below_a_question_goes_out_with_it() {
    let mut ana = options("noMatch: a, header: {text: '{{ contact.name }}, hello'}, footer: Acme");
    let Body::Buttons { header, footer, .. } = bodies(&ana.send(text("hola"))).remove(0) else { panic!("buttons") };
    assert_eq!((header, footer.as_deref()), (Some(Header::Text("Ana, hello".to_owned())), Some("Acme")));

    let file = "noMatch: a, header: {media: {type: Image, url: 'https://acme.example.com/{{ contact.name }}.png'}}";
    let Body::Buttons { header, .. } = bodies(&options(file).send(text("hola"))).remove(0) else { panic!("buttons") };
    let url = MediaSource::Url("https://acme.example.com/Ana.png".to_owned());
    let picture = OutboundMedia { kind: MediaKind::Image, source: url, caption: None, filename: None };
    assert_eq!(header, Some(Header::Media(picture)));

    let empty = "noMatch: a, header: {text: '{{ missing }}'}, footer: '{{ missing }}'";
    let Body::Buttons { header, footer, .. } = bodies(&options(empty).send(text("hola"))).remove(0) else { panic!() };
    assert_eq!((header, footer), (None, None), "nothing is better than an empty line, which Meta refuses");
}

const LANGUAGES: &str = "{name: a, options: {text: {es: '¿Seguro?', pt: 'Certeza?'}, noMatch: a, options: [
    {id: a, title: {es: 'Sí', pt: Sim}, next: yes}, {id: b, title: {es: 'No', pt: 'Não'}}, {id: c, title: Menu},
    {id: d, title: Ok}]}}, {name: yes, message: {text: {es: bien, pt: bom}}}";

#[test]
fn a_question_speaks_the_customers_language_and_understands_it() {
    let mut rui = Customer::of_nodes(LANGUAGES);
    rui.contact.attributes.insert("language".to_owned(), json!("pt-BR"));
    let question = bodies(&rui.send(text("oi"))).remove(0);
    let Body::List { text, button, rows, .. } = question else { panic!("a list") };
    assert_eq!((text.as_str(), button.as_str()), ("Certeza?", "Ver opções"));
    assert_eq!(rows.iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["Sim", "Não", "Menu", "Ok"]);
    assert_eq!(rui.says("SIM"), ["bom"]);

    let mut ana = Customer::of_nodes(LANGUAGES);
    ana.says("hola");
    assert_eq!(ana.says("sim").len(), 1, "not a word of hers");
    assert_eq!(ana.session().status(), SessionStatus::Paused);
    assert_eq!(ana.says("si"), ["bien"]);
}

const TEMPLATE: &str =
    "noMatch: other, template: {name: really, language: es_AR, parameters: [{value: '{{ contact.name }}'}]}";

fn fallback(customer: &mut Customer) -> TemplateMessage {
    let step = customer.send(text("hola"));
    let [Effect::Send { fallback: Some(template), .. }] = step.effects.as_slice() else { panic!("{step:?}") };
    template.clone()
}

#[test]
fn a_tap_on_a_templates_quick_reply_answers_the_question_for_which_it_stands() {
    let mut ana = options(TEMPLATE);
    let template = fallback(&mut ana);
    assert_eq!((template.name.as_str(), template.language.as_str()), ("really", "es_AR"));
    let body = &template.parameters[0];
    assert_eq!((body.component, &body.value), (TemplateComponent::Body, &TemplateValue::Text("Ana".to_owned())));
    let replies: Vec<_> = template.parameters[1..].iter().map(|one| (one.component, one.value.clone())).collect();
    let question = choices(&bodies(&options(TEMPLATE).send(text("hola")))[0]).to_vec();
    let expected = |place: usize| TemplateValue::Text(question[place].id.clone());
    assert_eq!(
        replies,
        [(TemplateComponent::QuickReply(0), expected(0)), (TemplateComponent::QuickReply(1), expected(1))]
    );

    let TemplateValue::Text(id) = replies[0].1.clone() else { panic!("a payload") };
    let tapped = Tap { kind: TapKind::QuickReply, id, title: "Claro que sí".to_owned(), description: None };
    assert_eq!(shown(&ana.send(Content::Tap(tapped))), ["yes!"]);
    assert_eq!(ana.context("lastInteractiveId"), "ok");
    assert_eq!(ana.context("lastInteractiveType"), "button");
}

#[test]
fn quick_replies_that_the_flow_writes_itself_stay_as_they_are() {
    let own = "noMatch: other, template: {name: really, parameters: [{component: QuickReply, index: 1, value: nope}]}";
    let template = fallback(&mut options(own));
    assert_eq!(template.parameters.len(), 1);
    let mut ana = options(own);
    ana.says("hola");
    let tapped = Tap { kind: TapKind::QuickReply, id: "nope".to_owned(), title: "-".to_owned(), description: None };
    ana.send(Content::Tap(tapped));
    assert_eq!(ana.context("lastSelectedOption"), "No");
}

#[test]
fn emoji_right_to_left_and_combining_marks_are_answers_like_any_other() {
    let mut ana = Customer::of_nodes(
        "{name: a, options: {text: '?', noMatch: a, options: [{id: a, title: '👍🏽 Dale'}, {id: b, title: سلام عليكم},
          {id: c, title: 'man\u{303}ana'}, {id: d, title: '👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦'}]}}",
    );
    let question = bodies(&ana.send(text("hola"))).remove(0);
    let titles: Vec<_> = choices(&question).iter().map(|row| row.title.as_str()).collect();
    assert_eq!(titles[3], "👨‍👩‍👧‍👦👨‍👩‍👧‍👦…", "a family is never parted");
    for (words, index) in [("👍🏽 dale", 0), ("سلام عليكم", 1), ("MAÑANA", 2), ("man\u{303}ana", 2), (titles[3], 3)]
    {
        let mut one = Customer::of_nodes("{name: a, message: {text: x}}");
        one.programs = ana.programs.clone();
        one.says("hola");
        one.says(words);
        assert_eq!(one.context("lastSelectedOptionIndex"), index, "{words}");
    }
}

#[test]
fn a_question_that_was_asked_a_hundred_times_still_knows_its_last_copy() {
    let mut ana = options("");
    ana.says("hola");
    let mut last = None;
    for _ in 0..100 {
        last = sent(&ana.send(text("¿qué?"))).pop();
    }
    assert!(ana.session().is_answered_by(&payload(text("sí")), last));
    assert!(ana.session().to_json().len() < 40_000);
    let again = ana.send(tap(&choices(&bodies(&options("").send(text("hola")))[0])[0]));
    assert_eq!(shown(&again), ["yes!"], "every copy has the same ids");
}
