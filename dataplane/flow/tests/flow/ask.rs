//! Questions with a typed answer.

use std::time::Duration;

use serde_json::json;
use wigwag_domain::{Content, Media, MediaKind};
use wigwag_flow::{Passed, SessionStatus};

use crate::support::{Customer, bodies, choices, problems, shown, tap, text};

fn ask(node: &str) -> Customer {
    Customer::of_nodes(&format!(
        "{{name: a, ask: {{text: '¿?', into: answer, next: said, {node}}}}},
         {{name: said, message: {{text: '= {{{{ answer }}}}'}}}},
         {{name: other, message: {{text: other}}}}"
    ))
}

#[test]
fn an_answer_is_kept_as_what_it_is() {
    for (node, words, value) in [
        ("type: Text", " Ana María ", json!("Ana María")),
        ("type: Number", "1.500", json!(1500)),
        ("type: Number", "2,5", json!(2.5)),
        ("type: Email", "Escribime a ana@example.com", json!("ana@example.com")),
        ("type: Phone", "+54 9 11 5555-0000", json!("+5491155550000")),
        ("type: Date", "24/12", json!("2026-12-24")),
        ("type: Time", "15:30", json!("15:30")),
        ("type: Choice, choices: [Pizza, Pasta]", "pasta", json!("Pasta")),
        ("type: Choice, choices: [Pizza, Pasta]", "1", json!("Pizza")),
    ] {
        let mut ana = ask(node);
        assert_eq!(ana.says("hola"), ["¿?"], "{node}");
        ana.says(words);
        assert_eq!(ana.variable("answer"), &value, "{node}: {words}");
        assert_eq!(ana.session().status(), SessionStatus::Completed, "{node}: {words}");
    }
}

#[test]
fn a_place_and_a_file_are_answers_too() {
    let mut ana = ask("type: Location");
    ana.says("hola");
    assert_eq!(ana.says("acá"), ["¿?"], "words are no place");
    ana.send(Content::Location { latitude: -34.6, longitude: -58.4, name: Some("Obelisco".to_owned()), address: None });
    assert_eq!(ana.variable("answer"), &json!({"latitude": -34.6, "longitude": -58.4, "name": "Obelisco"}));

    let mut ana = ask("type: Media");
    ana.says("hola");
    let (id, mime_type) = ("77".to_owned(), Some("image/jpeg".to_owned()));
    ana.send(Content::Media(Media { kind: MediaKind::Image, id, mime_type, caption: None, filename: None }));
    assert_eq!(ana.variable("answer"), &json!({"kind": "image", "id": "77", "mime_type": "image/jpeg"}));
}

#[test]
fn days_are_read_in_the_tenants_zone_and_the_customers_language() {
    let mut ana = ask("type: Date").at("locale: {timezone: America/Argentina/Buenos_Aires, language: es}");
    ana.says("hola");
    ana.says("mañana");
    assert_eq!(ana.variable("answer"), "2026-01-01", "it is still New Year's Eve in Buenos Aires");

    let mut bob = ask("type: Date");
    bob.contact.attributes.insert("language".to_owned(), json!("en-US"));
    bob.says("hi");
    bob.says("12/24");
    assert_eq!(bob.variable("answer"), "2026-12-24");
}

#[test]
fn what_is_no_answer_is_asked_again_with_its_own_text_and_then_goes_its_own_way() {
    let mut ana =
        ask("type: Number, min: 1, max: 10, retries: 2, retryText: 'Un número del 1 al 10', onInvalid: other");
    ana.says("hola");
    for words in ["muchos", "11"] {
        let step = ana.send(text(words));
        assert_eq!(shown(&step), ["Un número del 1 al 10"]);
        assert_eq!(step.passages.iter().map(|passage| passage.what).collect::<Vec<_>>(), [Passed::NoMatch]);
    }
    assert_eq!(ana.says("0"), ["other"]);
    assert_eq!(ana.variable("answer"), &json!(null));
}

#[test]
fn without_a_node_for_it_the_question_stays_open() {
    let mut ana = ask("type: Number, retries: 1, retryText: again");
    ana.says("hola");
    for _ in 0..5 {
        assert_eq!(ana.says("muchos"), ["again"]);
    }
    assert_eq!(ana.says("7"), ["= 7"]);
}

#[test]
fn a_pattern_holds_for_the_whole_answer() {
    let mut ana = ask("pattern: '[A-Z]{2}[0-9]+|none'");
    ana.says("hola");
    for words in ["AB12 or so", "xAB12", "AB", "nonesuch"] {
        assert_eq!(ana.says(words), ["¿?"], "{words}");
    }
    assert_eq!(ana.says("AB12"), ["= AB12"]);
}

#[test]
fn an_answer_can_be_kept_with_the_contact() {
    let mut ana = Customer::of_nodes(
        "{name: a, ask: {text: '¿Nombre?', into: contact.name, next: b}}, {name: b, message: {text: '{{ contact.name }}'}}",
    );
    ana.says("hola");
    assert_eq!(ana.says("Anita"), ["Anita"]);
    assert_eq!(ana.contact.attributes.get("name"), Some(&json!("Anita")));
    assert!(ana.session().variables.is_empty());
}

#[test]
fn nobody_who_answers_in_time_goes_the_timeouts_way() {
    let mut ana = ask("timeout: 20m, onTimeout: other");
    ana.says("hola");
    assert!(!ana.after(Duration::from_secs(20 * 60 - 1)).taken);
    let step = ana.after(Duration::from_secs(1));
    assert_eq!(shown(&step), ["other"]);
    assert_eq!(step.passages[0].what, Passed::TimedOut);
}

#[test]
fn a_tap_on_an_old_menu_is_no_answer_to_a_typed_question() {
    let mut ana = Customer::of_nodes(
        "{name: a, options: {text: menu, options: [{id: x, title: Nombre, next: b}], noMatch: a}},
         {name: b, ask: {text: '¿Nombre?', into: name, next: c}}, {name: c, message: {text: '{{ name }}'}}",
    );
    let menu = bodies(&ana.send(text("hola"))).remove(0);
    ana.taps(&menu, "Nombre");
    let step = ana.send(tap(&choices(&menu)[0]));
    assert_eq!((shown(&step), problems(&step)), (vec!["¿Nombre?".to_owned()], vec![]), "the open question again");
    assert_eq!(ana.says("Ana"), ["Ana"]);
}
