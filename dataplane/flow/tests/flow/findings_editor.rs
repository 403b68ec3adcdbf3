//! What the check finds in what the editor saves.

use wigwag_crds::flow::{
    Finding,
    Severity::{Error, Warning},
};

use crate::{check::only, editor::check, support::spec};

/// Findings of the node `z`, which leads to the end wherever it leads.
fn node(node: &str) -> Vec<Finding> {
    let edges: Vec<_> = ["opt-0", "opt-1", "opt-2", "opt-3", "no-match", "true", "false"]
        .into_iter()
        .filter(|handle| match handle.strip_prefix("opt-") {
            Some(option) => {
                node.starts_with("options") && option.parse::<usize>().unwrap() <= node.matches(", ").count() - 2
            }
            None => node.starts_with(if *handle == "no-match" { "options" } else { "condition" }),
        })
        .map(|handle| format!("{{source: z, target: e, sourceHandle: '{handle}'}}"))
        .collect();
    let edges = if edges.is_empty() { "{source: z, target: e}".to_owned() } else { edges.join(", ") };
    check(&format!("{{id: z, type: {node}}}, {{id: e, type: end}}"), &edges)
}

#[test]
fn braces_that_hold_no_path_go_out_as_they_stand_with_a_warning() {
    for hole in ["{{ first name }}", "{{ user.name | upper }}", "{{ a-b }}", "{{ }}", "{{ cart[x] }}"] {
        for (written, field) in [
            (format!("message, data: {{text: 'Hola {hole}!'}}"), "text"),
            (format!("assign, data: {{key: x, value: 'Hola {hole}'}}"), "value"),
            (format!("media, data: {{url: 'https://a.example.com/{hole}'}}"), "url"),
            (format!("media, data: {{id: '7', caption: '{hole}'}}"), "caption"),
            (format!("api, data: {{url: 'https://a.example.com', body: '{{\"a\": \"{hole}\"}}'}}"), "body"),
            (format!("api, data: {{url: 'https://a.example.com', headers: {{A: '{hole}'}}}}"), "headers.A"),
            (format!("handoff, data: {{note: '{hole}'}}"), "note"),
        ] {
            let found = node(&written);
            only(&found, Warning, Some("z"), field, &format!("`{hole}` is no path, and goes out as it stands"));
            assert!(found[0].message.contains("write letters, digits and _, joined by dots"), "{}", found[0]);
        }
    }
    only(&node("message, data: {text: 'Hola {{ input'}"), Warning, Some("z"), "text", "`{{ input` is no path");
    assert_eq!(node("message, data: {text: 'Hola {{ context.input }} {{lastBotOptions[0]}} {x} }}'}"), []);
    only(
        &node("options, data: {text: x, options: [Uno, '{{ input }}']}"),
        Warning,
        Some("z"),
        "options[1]",
        "shown here as it is",
    );
}

#[test]
fn an_edge_from_a_handle_that_its_node_does_not_have_is_a_warning() {
    let all = "{source: z, target: z, sourceHandle: opt-0}, {source: z, target: z, sourceHandle: opt-1}, {source: z, target: z, sourceHandle: no-match}";
    let options = "{id: z, type: options, data: {text: x, options: [Uno, Otro]}}";
    assert_eq!(check(options, all), []);
    for (handle, says) in [
        ("sourceHandle: opt-7", "handle \"opt-7\""),
        ("sourceHandle: 'true'", "handle \"true\""),
        ("id: e", "no handle"),
    ] {
        let found = check(options, &format!("{all}, {{source: z, target: t, {handle}}}"));
        only(&found, Warning, Some("z"), "edges[4].sourceHandle", says);
        assert!(found[0].message.contains("write one of opt-0, opt-1, no-match"), "{}", found[0]);
    }
    let condition = "{id: z, type: condition, data: {expression: context.input}}, {id: e, type: end}";
    let both = "{source: z, target: e, sourceHandle: 'true'}, {source: z, target: e, sourceHandle: 'false'}";
    assert_eq!(check(condition, both), []);
    let maybe = check(condition, &format!("{both}, {{source: z, target: e, sourceHandle: maybe}}"));
    only(&maybe, Warning, Some("z"), "edges[3].sourceHandle", "write one of true, false");
}

#[test]
fn an_answer_without_an_edge_ends_the_conversation_with_a_warning() {
    let condition = "{id: z, type: condition, data: {expression: context.input}}, {id: e, type: end}";
    only(
        &check(condition, "{source: z, target: e, sourceHandle: 'true'}"),
        Warning,
        Some("z"),
        "false",
        "a condition that does not hold ends the conversation: draw an edge",
    );
    let options = "{id: z, type: options, data: {text: x, options: [Uno, Otro]}}";
    let found = check(options, "{source: z, target: z, sourceHandle: opt-0}");
    let fields: Vec<_> = found.iter().map(|finding| finding.field.as_str()).collect();
    assert_eq!(fields, ["opt-1", "no-match"]);
}

#[test]
fn headers_that_nobody_can_read_are_left_out_with_a_warning() {
    for (headers, field) in [
        ("'X-Order: 7'", "headers"),
        ("7", "headers"),
        ("[{value: 7}]", "headers[0]"),
        ("[{key: X-Order, value: 7}, X-Other]", "headers[1]"),
    ] {
        let found = node(&format!("api, data: {{url: 'https://a.example.com', headers: {headers}}}"));
        only(&found, Warning, Some("z"), field, "it is left out: write a map");
    }
    for headers in ["{X-Order: 7}", "[{key: X-Order, value: 7}]", "'{\"X-Order\": 7}'", "''", "null"] {
        assert_eq!(node(&format!("api, data: {{url: 'https://a.example.com', headers: {headers}}}")), [], "{headers}");
    }
}

#[test]
fn a_trigger_without_a_keyword_is_told_of_by_itself() {
    let yaml = "{tenantRef: {name: acme}, definition: {nodes: [{id: t, type: trigger, data: {keyword: ''}}]}}";
    let found = wigwag_flow::compile("f", "0", &spec(yaml)).findings;
    only(&found, Error, Some("t"), "keyword", "it is empty");
}

#[test]
fn a_condition_that_does_not_parse_is_told_with_what_to_write() {
    for (source, says) in [
        ("return context.input", "without return and ;: `context.input`"),
        ("context.input === \"x\";", "without return and ;: `context.input === \"x\"`"),
        ("return (context.input);", "`(context.input)`"),
        ("context.input ==", "write one expression, such as"),
        ("returned +", "write one expression"),
    ] {
        only(&node(&format!("condition, data: {{expression: '{source}'}}")), Warning, Some("z"), "expression", says);
    }
}

#[test]
fn what_whatsapp_cuts_or_does_not_show_is_a_warning() {
    let long = "Hablar con la tienda ya";
    let two = node(&format!("options, data: {{text: x, options: [Uno, {long}]}}"));
    only(&two, Warning, Some("z"), "options[1]", "a button shows 20 characters of it");
    assert_eq!(node(&format!("options, data: {{text: x, options: [Uno, Dos, Tres, {long}]}}")), []);
    let audio = node("media, data: {mediaType: audio, id: '7', caption: hola}");
    only(&audio, Warning, Some("z"), "caption", "remove it");
    let form = |data: &str| {
        let yaml = format!(
            "{{tenantRef: {{name: acme}}, whatsappFlow: {{flowId: '1', screen: A}}, definition: {{nodes: [{{id: t, type: trigger, data: {{keyword: hola}}}}, {{id: z, type: whatsapp_flow, data: {{{data}}}}}], edges: [{{source: t, target: z}}]}}}}"
        );
        wigwag_flow::compile("f", "0", &spec(&yaml)).findings
    };
    assert_eq!(form("body: hola, cta: Pedir, header: H, footer: F"), []);
    only(&form(&format!("body: hola, cta: {}", "x".repeat(31))), Warning, Some("z"), "cta", "30 characters");
    only(&form("body: hola, cta: Pedir 📅"), Warning, Some("z"), "cta", "has an emoji");
    only(&form("body: '{{ a b }}', cta: Pedir"), Warning, Some("z"), "body", "is no path");
    only(&form("body: '{{ lastImput }}', cta: Pedir"), Warning, Some("z"), "body", "did you mean `lastInput`?");
    let template = node("message, data: {useTemplate: true, templateName: Mi-Pedido}");
    only(&template, Warning, Some("z"), "templateName", "write small letters");
}
