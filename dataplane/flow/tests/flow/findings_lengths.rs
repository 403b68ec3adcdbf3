//! What the check finds of texts that WhatsApp cuts, parts or refuses.

use wigwag_crds::flow::Severity::Warning;

use crate::check::{nodes, only};

#[test]
fn a_title_that_is_cut_is_a_warning_with_what_remains_of_it() {
    let question = |titles: &[&str]| {
        let options: Vec<_> =
            titles.iter().enumerate().map(|(n, title)| format!("{{id: o{n}, title: {title}}}")).collect();
        nodes(&format!("{{name: a, options: {{text: hi, noMatch: a, options: [{}]}}}}", options.join(", ")))
    };
    let long = "Quiero hablar con alguien";
    only(
        &question(&["Sí", long]),
        Warning,
        Some("a"),
        "options[1].title",
        "a button shows 20 characters of it, \"Quiero",
    );
    only(&question(&["A", "B", "C", long]), Warning, Some("a"), "options[3].title", "a list shows 24 characters of it");
    let fits = "Hablar con la tienda ya";
    only(&question(&["Sí", fits]), Warning, Some("a"), "options[1].title", "shorten it");
    assert_eq!(question(&["A", "B", "C", fits]), []);
    only(
        &question(&["{es: Sí, pt: Quero falar com alguém}"]),
        Warning,
        Some("a"),
        "options[0].title.pt",
        "a button shows 20",
    );
}

#[test]
fn a_text_that_goes_out_in_parts_is_a_warning() {
    let message = |text: &str| nodes(&format!("{{name: a, message: {{text: '{text}'}}}}"));
    assert_eq!(message(&"x".repeat(4_096)), []);
    assert_eq!(message(&format!("{}{{{{ input }}}}", "x".repeat(4_096))), []);
    only(&message(&"x".repeat(4_097)), Warning, Some("a"), "text", "goes out in several");
    only(&message(&"x".repeat(40_961)), Warning, Some("a"), "text", "is cut");
}

#[test]
fn a_button_of_a_form_is_short_and_has_no_emoji() {
    let form = |cta: &str| nodes(&format!("{{name: a, whatsappFlow: {{body: b, cta: {cta}, flowId: '1', into: x}}}}"));
    assert_eq!(form("Pedir cita ya"), []);
    for cta in ["Pedir cita 📅", "'✅'", "'❤\u{fe0f} Pedir'"] {
        only(&form(cta), Warning, Some("a"), "cta", "has an emoji: remove it");
    }
    only(&form("{es: Pedir, pt: Marcar 📅}"), Warning, Some("a"), "cta.pt", "has an emoji");
    only(&form(&"x".repeat(31)), Warning, Some("a"), "cta", "30 characters");
}

#[test]
fn a_template_has_a_name_that_meta_gives() {
    let named = |name: &str| nodes(&format!("{{name: a, message: {{template: {{name: {name}}}}}}}"));
    assert_eq!(named("order_ready_2"), []);
    for name in ["Order", "order-ready", "order ready", "'{{ input }}'", "año"] {
        only(&named(name), Warning, Some("a"), "template.name", "write small letters, digits and _");
    }
}
