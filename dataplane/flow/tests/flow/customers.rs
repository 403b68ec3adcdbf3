//! What a customer wants: a language, to be left alone, to leave, to begin something else.

use std::time::Duration;

use serde_json::json;
use wigwag_domain::{Content, ProviderName, Tap, TapKind};
use wigwag_flow::{Escaped, Program, What, escaped, interrupting};

use crate::support::{Customer, flow, payload, problems, program, shown, text};

const LATER: &str = "{name: a, message: {text: hi, next: b}}, {name: b, delay: {for: 1h, next: c}},
    {name: c, message: {text: 'are you there?', next: d}}, {name: d, options: {text: '?', noMatch: d, options: [{id: x, title: X}]}}";

#[test]
fn nothing_is_written_first_to_somebody_who_wants_nothing() {
    let mut ana = Customer::of_nodes(LATER);
    ana.says("hola");
    ana.contact.attributes.insert("optedOut".to_owned(), json!(true));
    assert!(ana.contact.has_opted_out());
    let step = ana.after(Duration::from_hours(1));
    assert!(step.taken && step.effects.is_empty());
    assert_eq!(problems(&step), [("", "opted-out"), ("", "opted-out")]);
    assert_eq!(ana.context("lastBotMessage"), "hi", "what was not said is not in the history");

    let step = ana.send(text("¿sí?"));
    assert_eq!(shown(&step), ["? [X]"], "who writes wants answers");
    assert!(!ana.contact.has_opted_out(), "and all that follows");
}

#[test]
fn somebody_who_wants_nothing_and_writes_anew_is_answered() {
    let mut ana = Customer::of_nodes(LATER);
    ana.contact.attributes.insert("optedOut".to_owned(), json!(true));
    assert_eq!(ana.says("hola"), ["hi"]);
    assert_eq!(ana.contact.attributes.get("optedOut"), Some(&json!(false)));
    assert_eq!(shown(&ana.after(Duration::from_hours(1))), ["are you there?", "? [X]"]);
}

#[test]
fn a_new_customers_language_is_that_of_the_first_message() {
    let nodes = "{name: a, message: {text: {es: hola, pt: oi, en: hello}}}";
    let locale = "locale: {language: es, languages: [es, pt-BR, en]}";
    for (words, language, said) in
        [("boa tarde!", Some("pt-BR"), "oi"), ("hello", Some("en"), "hello"), ("👍", None, "hola")]
    {
        let mut one = Customer::of_nodes(nodes).at(locale);
        assert_eq!(one.says(words), [said], "{words}");
        assert_eq!(one.contact.attributes.get("language").and_then(|language| language.as_str()), language, "{words}");
    }
    let mut known = Customer::of_nodes(nodes).at(locale);
    known.contact.attributes.insert("language".to_owned(), json!("es"));
    assert_eq!(known.says("hello"), ["hola"], "one that is known is not guessed");
    assert_eq!(Customer::of_nodes(nodes).says("hello"), ["hola"], "a tenant of one language guesses none");
}

#[test]
fn a_session_answers_by_the_account_to_which_the_customer_wrote_last() {
    let mut ana = Customer::of_nodes("{name: a, options: {text: '?', noMatch: a, options: [{id: x, title: X}]}}");
    ana.says("hola");
    assert_eq!(ana.session().provider.as_str(), "primary");
    let mut other = payload(text("¿?"));
    other.provider = ProviderName::new("second");
    ana.deliver(&other, None);
    assert_eq!(ana.session().provider.as_str(), "second");
    let mut reaction = payload(Content::Reaction { message_id: "wamid.1".to_owned(), emoji: None });
    reaction.provider = ProviderName::new("third");
    ana.deliver(&reaction, None);
    assert_eq!(ana.session().provider.as_str(), "second", "what is not taken changes nothing");
}

fn escapes(fields: &str, words: &str) -> Option<(Option<String>, bool)> {
    let tenant = Customer::of_nodes("{name: a, end: {}}")
        .at("escape: [{words: [Menú, inicio], flow: main}, {words: [baja, stop], end: true, optOut: true}]")
        .tenant;
    let yaml = format!(
        "{{tenantRef: {{name: acme}}, triggers: [{{default: {{}}}}], start: a, {fields} nodes: [{{name: a, end: {{}}}}]}}"
    );
    let program = program("f", &yaml);
    let payload = payload(text(words));
    let found = escaped(&tenant, Some(&program), &payload);
    found.map(|Escaped { flow, opt_out }| (flow.map(str::to_owned), opt_out))
}

#[test]
fn an_escape_word_is_the_whole_message_whatever_its_case_and_accents() {
    for words in ["menu", " MENÚ ", "inicio"] {
        assert_eq!(escapes("", words), Some((Some("main".to_owned()), false)), "{words}");
    }
    assert_eq!(escapes("", "Stop"), Some((None, true)));
    for words in ["menu por favor", "menus", "", "baja."] {
        assert_eq!(escapes("", words), None, "{words}");
    }
}

#[test]
fn a_flow_adds_escape_words_and_can_do_without_the_tenants() {
    let own = "escape: {add: [{words: [salir, stop], end: true}]},";
    assert_eq!(escapes(own, "SALIR"), Some((None, false)));
    assert_eq!(escapes(own, "stop"), Some((None, false)), "its own go first");
    assert_eq!(escapes(own, "menu"), Some((Some("main".to_owned()), false)));
    let alone = "escape: {disable: true, add: [{words: [salir], end: true}]},";
    assert_eq!((escapes(alone, "salir"), escapes(alone, "menu")), (Some((None, false)), None));
}

#[test]
fn a_session_that_is_left_is_over_with_all_its_frames() {
    let child = flow("{name: a, options: {text: '?', options: [{id: x, title: X}]}}");
    let mut ana = Customer::of_all(&[
        ("root", &flow("{name: a, call: {flow: child, next: b}}, {name: b, message: {text: never}}")),
        ("child", &child),
    ]);
    ana.says("hola");
    let left = ana.session().clone().leave("escape");
    assert_eq!((left.is_open(), left.due(), left.waits_for()), (false, None, None));
    assert_eq!(left.context()["endReason"], "escape");
    ana.session = Some(left);
    assert!(!ana.after(Duration::from_hours(48)).taken);
    assert!(!ana.event(What::Moved("b")).taken, "what is over stays over");
}

#[test]
fn a_keyword_that_interrupts_must_be_the_whole_message() {
    let of = |name: &str, fields: &str| {
        program(name, &format!("{{tenantRef: {{name: acme}}, {fields}, start: a, nodes: [{{name: a, end: {{}}}}]}}"))
    };
    let flows = [
        of("plain", "triggers: [{keyword: ayuda}]"),
        of("urgent", "triggers: [{keyword: ayuda, interrupt: true}, {keyword: hola}]"),
        of("vip", "priority: 5, triggers: [{keyword: Socorro, interrupt: true}]"),
        of("low", "triggers: [{keyword: socorro, interrupt: true}]"),
    ];
    let chosen = |words: &str| interrupting(&flows, &payload(text(words))).map(Program::name);
    assert_eq!(chosen("¡AYUDA"), None, "the sign before it is part of the message");
    assert_eq!(chosen("AYUDA"), Some("urgent"));
    assert_eq!(chosen("ayuda por favor"), None);
    assert_eq!(chosen("hola"), None, "only where it says so");
    assert_eq!(chosen("socorro"), Some("vip"));
    let tap = Tap {
        kind: TapKind::ButtonReply,
        id: "ayuda~0123456789ab".to_owned(),
        title: "?".to_owned(),
        description: None,
    };
    assert_eq!(interrupting(&flows, &payload(Content::Tap(tap))).map(Program::name), Some("urgent"));
}
