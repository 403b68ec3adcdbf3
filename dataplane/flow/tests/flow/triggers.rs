//! Which flow a message starts.

use serde_json::json;
use wigwag_crds::flow::Severity;
use wigwag_domain::{Content, Media, MediaKind, Payload, Tap, TapKind};
use wigwag_flow::{Program, Rank, best, compare_triggers};

use crate::support::{Customer, payload, program, shown, text};

fn flow(name: &str, triggers: &str) -> Program {
    program(
        name,
        &format!("{{tenantRef: {{name: acme}}, {triggers}, start: a, nodes: [{{name: a, message: {{text: hi}}}}]}}"),
    )
}

fn rank(triggers: &str, words: &str) -> Option<Rank> {
    flow("f", &format!("triggers: [{triggers}]")).matches(&payload(text(words)))
}

#[test]
fn a_keyword_matches_whatever_its_case_and_accents() {
    for words in ["hola", "HOLA", "  Hóla  ", "ho\u{301}la"] {
        assert_eq!(rank("{keyword: Hola}", words), Some(Rank::Exact), "{words:?}");
    }
    for (words, expected) in [
        ("hola, quiero pedir", Some(Rank::Word)),
        ("¡Hola!", Some(Rank::Word)),
        ("escolares holandeses", Some(Rank::Contains)),
        ("hol a", None),
        ("", None),
    ] {
        assert_eq!(rank("{keyword: hola}", words), expected, "{words:?}");
    }
}

#[test]
fn match_is_the_weakest_form_that_counts() {
    assert_eq!(rank("{keyword: pedido, match: Word}", "mis pedidos"), None);
    assert_eq!(rank("{keyword: pedido, match: Word}", "mi pedido."), Some(Rank::Word));
    assert_eq!(rank("{keyword: pedido, match: Exact}", "mi pedido"), None);
    assert_eq!(rank("{keyword: pedido, match: Exact}", "Pedido"), Some(Rank::Exact));
}

#[test]
fn words_end_at_anything_that_is_no_letter_digit_or_mark() {
    for (keyword, words, expected) in [
        ("si", "sí-sí", Some(Rank::Word)),
        ("si", "quizás si", Some(Rank::Word)),
        ("si", "silla si_no casi", Some(Rank::Word)),
        ("si", "silla casi", None),
        ("buenos dias", "muy buenos días a todos", Some(Rank::Word)),
        ("c++", "uso c", None),
        ("c++", "uso c++11", Some(Rank::Word)),
        ("कम", "कम है", Some(Rank::Word)),
        ("कम", "कमी", None),
        ("👍", "ok👍", Some(Rank::Word)),
        ("2", "quiero 12", None),
    ] {
        assert_eq!(rank(&format!("{{keyword: {keyword:?}, match: Word}}"), words), expected, "{keyword} in {words}");
    }
}

#[test]
fn default_takes_what_no_other_takes_and_is_no_keyword() {
    assert_eq!(rank("{default: {}}", "whatever"), Some(Rank::Default));
    assert_eq!(rank("{keyword: default}", "whatever"), None);
    assert_eq!(rank("{keyword: default}", "default"), Some(Rank::Exact));
}

#[test]
fn a_tap_counts_by_its_title_as_text_and_by_its_id_as_exact() {
    let tapped = |id: &str, title: &str| {
        let tap = Tap { kind: TapKind::QuickReply, id: id.to_owned(), title: title.to_owned(), description: None };
        flow("f", "triggers: [{keyword: pedido}]").matches(&payload(Content::Tap(tap)))
    };
    assert_eq!(tapped("PEDIDO", "Sí"), Some(Rank::Exact));
    assert_eq!(tapped("pedido~0123456789ab", "Sí"), Some(Rank::Exact), "the question's own id does not count");
    assert_eq!(tapped("pedido-2", "Sí"), None);
    assert_eq!(tapped("x", "Mi pedido"), Some(Rank::Word));
}

#[test]
fn what_has_no_words_is_taken_by_default_alone() {
    let both = flow("f", "triggers: [{keyword: hola}, {default: {}}]");
    let media = |caption: Option<&str>| {
        let caption = caption.map(str::to_owned);
        payload(Content::Media(Media {
            kind: MediaKind::Image,
            id: "1".to_owned(),
            mime_type: None,
            caption,
            filename: None,
        }))
    };
    assert_eq!(both.matches(&media(None)), Some(Rank::Default));
    assert_eq!(both.matches(&media(Some("Hola"))), Some(Rank::Exact));
    let location = Content::Location { latitude: 1.0, longitude: 2.0, name: None, address: None };
    assert_eq!(both.matches(&payload(location)), Some(Rank::Default));
}

#[test]
fn what_came_without_words_starts_the_flow_for_its_sort() {
    let flows = [
        flow("files", "triggers: [{media: {}}]"),
        flow("places", "triggers: [{location: {}}]"),
        flow("orders", "triggers: [{order: {}}]"),
        flow("ads", "triggers: [{referral: {}}]"),
        flow("words", "triggers: [{keyword: precio}]"),
        flow("rest", "triggers: [{default: {}}]"),
        flow("called", "triggers: [{manual: {}}]"),
    ];
    let chosen = |payload: &Payload| best(&flows, payload).map(Program::name);
    let file = |caption: Option<&str>| {
        let (kind, id, caption) = (MediaKind::Image, "1".to_owned(), caption.map(str::to_owned));
        payload(Content::Media(Media { kind, id, mime_type: None, caption, filename: None }))
    };
    assert_eq!(chosen(&file(None)), Some("files"));
    assert_eq!(chosen(&file(Some("¿Precio?"))), Some("words"));
    assert_eq!(chosen(&file(Some("mirá"))), Some("rest"), "a file with words is its words");
    let place = Content::Location { latitude: 1.0, longitude: 2.0, name: None, address: None };
    assert_eq!(chosen(&payload(place)), Some("places"));
    assert_eq!(chosen(&payload(Content::Order { order: json!({"items": 2}) })), Some("orders"));
    assert_eq!(chosen(&payload(Content::Contacts { contacts: json!([]) })), Some("rest"));

    let mut from_ad = payload(text("hola"));
    from_ad.referral = Some(json!({"source_id": "7"}));
    assert_eq!(chosen(&from_ad), Some("ads"));
    from_ad.content = text("precio");
    assert_eq!(chosen(&from_ad), Some("words"), "a keyword that was written says more than where it was written");
    assert_eq!(flows[6].matches(&payload(text("hola"))), None, "no message starts what others start");
}

#[test]
fn an_ad_is_there_for_expressions() {
    let yaml = "{tenantRef: {name: acme}, triggers: [{referral: {}}], start: a, nodes: [{name: a, message: {text: '{{ event.referral.source_id }}'}}]}";
    let mut ana = Customer::of(yaml);
    let mut payload = payload(text("hola"));
    payload.referral = Some(json!({"source_id": "7"}));
    assert_eq!(shown(&ana.deliver(&payload, None)), ["7"]);
}

#[test]
fn emoji_right_to_left_and_combining_marks_start_flows() {
    for (keyword, words, expected) in [
        ("👍", "👍", Some(Rank::Exact)),
        ("👍", "ok 👍🏽", Some(Rank::Word)),
        ("👨‍👩‍👧", "mi 👨‍👩‍👧 y yo", Some(Rank::Word)),
        ("مرحبا", "مرحبا", Some(Rank::Exact)),
        ("مرحبا", "يا مرحبا بكم", Some(Rank::Word)),
        ("שלום", "\u{202b}שלום\u{202c}", Some(Rank::Word)),
        ("mañana", "MAN\u{303}ANA", Some(Rank::Exact)),
        ("café", "cafe\u{301} con leche", Some(Rank::Word)),
        ("كتاب", "كتابي", None),
    ] {
        assert_eq!(rank(&format!("{{keyword: '{keyword}', match: Word}}"), words), expected, "{keyword} in {words}");
    }
}

#[test]
fn what_moves_no_conversation_starts_none() {
    let all = flow("f", "triggers: [{default: {}}]");
    let reaction = payload(Content::Reaction { message_id: "wamid.1".to_owned(), emoji: Some("👍".to_owned()) });
    assert_eq!(all.matches(&reaction), None);
    assert!(best([&all], &reaction).is_none());
}

#[test]
fn rank_goes_before_priority_and_priority_before_the_name() {
    let flows = [
        flow("anything", "priority: 1000, triggers: [{default: {}}]"),
        flow("contains", "priority: 100, triggers: [{keyword: hola}]"),
        flow("word-low", "priority: 1, triggers: [{keyword: holas}]"),
        flow("word-b", "priority: 5, triggers: [{keyword: holas}]"),
        flow("word-a", "priority: 5, triggers: [{keyword: holas}]"),
        flow("exact", "priority: -5, triggers: [{keyword: muchas holas}]"),
    ];
    let chosen = |words: &str| best(&flows, &payload(text(words))).map(Program::name);
    assert_eq!(chosen("muchas holas"), Some("exact"));
    assert_eq!(chosen("unas holas"), Some("word-a"));
    assert_eq!(chosen("holanda"), Some("contains"));
    assert_eq!(chosen("adiós"), Some("anything"));
    assert_eq!(best(&flows[1..], &payload(text("adiós"))).map(Program::name), None);
}

#[test]
fn a_tie_up_to_the_name_is_a_warning_on_both_flows() {
    let flows = [
        flow("a", "triggers: [{keyword: otra}, {keyword: Menú}]"),
        flow("b", "triggers: [{keyword: MENU, match: Exact}, {default: {}}]"),
        flow("c", "priority: 1, triggers: [{keyword: menu}, {default: {}}]"),
    ];
    let found = compare_triggers(&flows.iter().collect::<Vec<_>>());
    let fields: Vec<_> = found.iter().map(|(flow, finding)| (flow.as_str(), finding.field.as_str())).collect();
    assert_eq!(fields, [("a", "triggers[1]"), ("b", "triggers[0]")]);
    for (_, finding) in &found {
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.message.contains("give one another priority"), "{}", finding.message);
    }
}
