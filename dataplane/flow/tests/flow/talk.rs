//! Messages, files and approved templates as they go out.

use serde_json::json;
use wigwag_domain::{Body, MediaKind, MediaSource, OutboundMedia, TemplateComponent, TemplateMessage, TemplateValue};
use wigwag_flow::{Effect, FailureKind, SessionStatus, What};

use crate::support::{Customer, body, problems, sent, shown, text};

fn media(fields: &str) -> OutboundMedia {
    let nodes = format!("{{name: a, media: {{{fields}}}}}");
    let step = Customer::of_nodes(&nodes).send(text("a b/../c?&"));
    let Body::Media(media) = body(&step) else { panic!("{step:?}") };
    media
}

#[test]
fn a_file_goes_out_with_its_caption_and_name() {
    let file = media(
        "type: Document, url: 'https://acme.example.com/{{ input }}.pdf', caption: 'For {{ contact.name }}', filename: '{{ contact.name }}.pdf'",
    );
    assert_eq!(file.kind, MediaKind::Document);
    let url = "https://acme.example.com/a%20b%2F..%2Fc%3F%26.pdf";
    assert_eq!(file.source, MediaSource::Url(url.to_owned()), "a value stays within its place in the URL");
    assert_eq!((file.caption.as_deref(), file.filename.as_deref()), (Some("For Ana"), Some("Ana.pdf")));
}

#[test]
fn a_url_that_is_one_value_goes_out_as_it_is() {
    let file = media("type: Image, url: \"{{ 'https://acme.example.com/a?b=c&d' }}\"");
    assert_eq!(file.source, MediaSource::Url("https://acme.example.com/a?b=c&d".to_owned()));
    assert_eq!(media("type: Sticker, id: '77'").source, MediaSource::Id("77".to_owned()));
}

#[test]
fn only_what_shows_a_caption_has_one() {
    for (kind, shows) in [("Image", true), ("Video", true), ("Document", true), ("Audio", false), ("Sticker", false)] {
        let file = media(&format!("type: {kind}, id: '7', caption: hi, filename: f.pdf"));
        assert_eq!(file.caption.is_some(), shows, "{kind}");
        assert_eq!(file.filename.is_some(), kind == "Document", "{kind}");
    }
    let long = media(&format!("type: Image, id: '7', caption: {}", "ñ".repeat(2_000)));
    assert_eq!(long.caption.map(|caption| caption.encode_utf16().count()), Some(1_024));
}

#[test]
fn a_file_without_an_address_is_not_sent_and_goes_the_way_of_a_failed_message() {
    let mut ana = Customer::of_nodes(
        "{name: a, media: {type: Image, url: '{{ missing }}', onFail: b}}, {name: b, message: {text: sorry}}",
    );
    assert_eq!(ana.says("hola"), ["sorry"]);
    let step = Customer::of_nodes("{name: a, media: {type: Image, url: '{{ missing }}'}}").send(text("hola"));
    assert_eq!(step.failure.map(|failure| failure.kind), Some(FailureKind::Send));
}

#[test]
fn a_long_text_goes_out_in_parts_at_the_ends_of_sentences() {
    let mut ana = Customer::of_nodes(&format!(
        "{{name: a, message: {{text: '{}', template: {{name: t}}}}}}",
        "Una frase de prueba. ".repeat(300)
    ));
    let step = ana.send(text("hola"));
    let parts = shown(&step);
    assert_eq!(parts.len(), 2);
    for part in &parts {
        assert!(part.ends_with("prueba.") && part.encode_utf16().count() <= 4_096, "{part}");
    }
    assert_eq!(parts.join(" "), "Una frase de prueba. ".repeat(300).trim_end(), "nothing is lost");
    let fallbacks = step.effects.iter().filter(|effect| matches!(effect, Effect::Send { fallback: Some(_), .. }));
    assert_eq!(fallbacks.count(), 1, "where the window is shut, the template says it once");
}

#[test]
fn a_text_without_end_is_cut_after_ten_parts() {
    let mut ana = Customer::of_nodes("{name: a, message: {text: \"{{ contact.long }}{{ contact.long }}\"}}");
    ana.contact.attributes.insert("long".to_owned(), json!("👍".repeat(16_000)));
    let step = ana.send(text("hola"));
    assert_eq!(shown(&step).len(), 10);
    assert_eq!(problems(&step), [("text", "cut")]);
    assert!(shown(&step).iter().all(|part| part.encode_utf16().count() <= 4_096));
}

#[test]
fn a_text_speaks_the_customers_language_then_the_tenants_then_the_first() {
    let nodes = "{name: a, message: {text: {en: hello, es: hola, pt-BR: oi}}}";
    for (language, said) in
        [(Some("pt"), "oi"), (Some("pt-PT"), "oi"), (Some("en-US"), "hello"), (Some("fr"), "hola"), (None, "hola")]
    {
        let mut ana = Customer::of_nodes(nodes);
        if let Some(language) = language {
            ana.contact.attributes.insert("language".to_owned(), json!(language));
        }
        assert_eq!(ana.says("x"), [said], "{language:?}");
    }
    assert_eq!(Customer::of_nodes(nodes).at("locale: {language: fr}").says("x"), ["hello"], "neither: the first");
}

fn template(parameters: &str, contact: serde_json::Value) -> Option<TemplateMessage> {
    let nodes = format!("{{name: a, message: {{text: hi, template: {{name: t, parameters: [{parameters}]}}}}}}");
    let mut ana = Customer::of_nodes(&nodes);
    ana.contact.attributes.insert("x".to_owned(), contact);
    let step = ana.send(text("hola"));
    let [Effect::Send { body: Body::Text { .. }, fallback, .. }] = step.effects.as_slice() else { panic!("{step:?}") };
    fallback.clone()
}

#[test]
fn a_templates_values_hold_no_line_breaks_and_no_runs_of_spaces() {
    let filled = template("{value: '{{ contact.x }}'}", json!("  a\n\tb     c ")).unwrap();
    assert_eq!(filled.parameters[0].value, TemplateValue::Text("a b c".to_owned()));
    assert_eq!(filled.language, "es");
}

#[test]
fn an_empty_value_takes_its_default() {
    let filled = template("{value: '{{ contact.x }}', default: amigo}", json!(" \n ")).unwrap();
    assert_eq!(filled.parameters[0].value, TemplateValue::Text("amigo".to_owned()));
    assert_eq!(template("{value: '{{ contact.x }}'}", json!("")), None, "without one the template cannot go out");
}

#[test]
fn a_template_that_must_go_out_and_lacks_a_value_goes_the_way_of_a_failed_message() {
    let node = |on_fail: &str| {
        Customer::of_nodes(&format!(
            "{{name: a, message: {{template: {{name: t, parameters: [{{value: '{{{{ missing }}}}'}}]}}{on_fail}}}}},
             {{name: b, message: {{text: sorry}}}}"
        ))
        .send(text("hola"))
    };
    assert_eq!(shown(&node(", onFail: b")), ["sorry"]);
    let failed = node("");
    assert_eq!(failed.session.status(), SessionStatus::Errored);
    assert!(failed.failure.unwrap().message.contains("give it a default"));
}

#[test]
fn a_template_by_itself_goes_out_as_it_is() {
    let mut ana = Customer::of_nodes(
        "{name: a, message: {template: {name: t, language: pt_BR, parameters: [
           {component: Header, media: Document, value: 'https://acme.example.com/{{ input }}'},
           {name: order, value: '7'}, {component: UrlButton, index: 1, value: 'x/{{ input }}'}]}}}",
    );
    let Body::Template(template) = body(&ana.send(text("a b"))) else { panic!("a template") };
    assert_eq!(template.language, "pt_BR");
    let [header, name, button]: [_; 3] = template.parameters.try_into().unwrap();
    let source = MediaSource::Url("https://acme.example.com/a%20b".to_owned());
    let file = OutboundMedia { kind: MediaKind::Document, source, caption: None, filename: None };
    assert_eq!((header.component, header.value), (TemplateComponent::Header, TemplateValue::Media(file)));
    assert_eq!((name.name.as_deref(), name.value), (Some("order"), TemplateValue::Text("7".to_owned())));
    assert_eq!(button.component, TemplateComponent::UrlButton(1));
    assert_eq!(ana.context("lastBotMessageType"), "template");
}

#[test]
fn a_further_part_that_a_shut_window_stops_is_no_failure_where_the_template_went() {
    let mut ana = Customer::of_nodes(&format!(
        "{{name: a, message: {{text: '{}', template: {{name: t}}, onFail: sorry, next: b}}}},
         {{name: b, ask: {{text: '?', into: x}}}}, {{name: sorry, message: {{text: sorry}}}}",
        "Una frase de prueba. ".repeat(300)
    ));
    let second = sent(&ana.send(text("hola")))[1];
    assert!(!ana.event(What::SendFailed(second, Some(131_047), "the window is shut")).taken);
    assert_eq!(shown(&ana.event(What::SendFailed(second, Some(131_053), "no such file"))), ["sorry"]);
}
