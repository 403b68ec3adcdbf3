//! What the check finds, and what it says to write instead.

use std::time::{Duration, Instant};

use wigwag_crds::flow::{Finding, Severity};
use wigwag_flow::compile;

use crate::support::spec;

/// Findings of a flow; each says what to do.
pub fn check(yaml: &str) -> Vec<Finding> {
    let compiled = compile("f", "0123456789ab", &spec(yaml));
    let errors = compiled.findings.iter().any(|finding| finding.severity == Severity::Error);
    assert_eq!(compiled.program.is_none(), errors, "{:#?}", compiled.findings);
    let advice = [
        "write ",
        "add ",
        "remove ",
        "give ",
        "name ",
        "shorten ",
        "split ",
        "mean ",
        "put ",
        "choose ",
        "change ",
        "mend ",
        "assign ",
        "let ",
        "make sure",
        "compare ",
    ];
    for finding in &compiled.findings {
        assert!(advice.iter().any(|word| finding.message.contains(word)), "what to do? {finding}");
    }
    compiled.findings
}

/// Findings of a flow with these nodes, of which the first is named `a`.
pub fn nodes(nodes: &str) -> Vec<Finding> {
    check(&format!("{{tenantRef: {{name: acme}}, triggers: [{{keyword: hola}}], start: a, nodes: [{nodes}]}}"))
}

/// Exactly one finding, of this severity, node and field, that says this.
pub fn only(findings: &[Finding], severity: Severity, node: Option<&str>, field: &str, says: &str) {
    let [finding] = findings else { panic!("one finding: {findings:#?}") };
    assert_eq!(
        (finding.severity, finding.node.as_deref(), finding.field.as_str()),
        (severity, node, field),
        "{finding}"
    );
    assert!(finding.message.contains(says), "{finding}");
}

use Severity::{Error, Warning};

#[test]
fn a_name_that_is_not_there_is_an_error_with_what_it_was_meant_to_be() {
    for (node, field) in [
        ("message: {text: hi, next: tanks}", "next"),
        ("options: {text: hi, options: [{id: x, title: X, next: tanks}], noMatch: thanks}", "options[0].next"),
        ("options: {text: hi, options: [{id: x, title: X, next: thanks}], noMatch: tanks}", "noMatch"),
        ("condition: {cases: [{when: 'true', next: tanks}], else: thanks}", "cases[0].next"),
        ("condition: {cases: [{when: 'true', next: thanks}], else: tanks}", "else"),
        ("goto: {node: tanks}", "node"),
    ] {
        let found = nodes(&format!("{{name: a, {node}}}, {{name: thanks, message: {{text: thanks, next: a}}}}"));
        let finding = found.iter().find(|finding| finding.severity == Error).unwrap_or_else(|| panic!("{node}"));
        assert_eq!((finding.node.as_deref(), finding.field.as_str()), (Some("a"), field));
        assert!(finding.message.contains("did you mean \"thanks\"?"), "{finding}");
    }
    let start = "{tenantRef: {name: acme}, triggers: [{keyword: hola}], start: b, nodes: [{name: a, end: {}}]}";
    only(&check(start), Error, None, "start", "not among the nodes");
}

#[test]
fn a_node_that_none_leads_to_is_a_warning() {
    only(
        &nodes("{name: a, end: {}}, {name: b, message: {text: hi}}"),
        Warning,
        Some("b"),
        "name",
        "no node leads here",
    );
}

#[test]
fn a_round_without_a_question_is_an_error_where_nothing_leads_out() {
    only(
        &nodes("{name: a, message: {text: hi, next: b}}, {name: b, goto: {node: c}}, {name: c, goto: {node: b}}"),
        Error,
        Some("b"),
        "next",
        "\"b\", \"c\" go round for ever",
    );
    only(&nodes("{name: a, goto: {node: a}}"), Error, Some("a"), "next", "\"a\" go round for ever");
    let all_branches = "{name: a, condition: {cases: [{when: 'true', next: b}], else: a}}, {name: b, goto: {node: a}}";
    only(&nodes(all_branches), Error, Some("a"), "next", "for ever");
}

#[test]
fn a_round_that_a_condition_may_leave_is_a_warning() {
    only(
        &nodes("{name: a, assign: {set: {n: '1'}, next: b}}, {name: b, condition: {cases: [{when: n > 2, next: a}]}}"),
        Warning,
        Some("a"),
        "next",
        "make sure that a condition leads out",
    );
}

#[test]
fn a_round_through_a_question_is_none() {
    let menu =
        "{name: a, options: {text: hi, options: [{id: x, title: X, next: b}], noMatch: a}}, {name: b, goto: {node: a}}";
    assert_eq!(nodes(menu), []);
}

#[test]
fn names_and_ids_that_stand_twice_are_errors() {
    only(&nodes("{name: a, end: {}}, {name: a, end: {}}").split_off(0)[..1], Error, Some("a"), "nodes[1].name", "too");
    let twice = nodes("{name: a, options: {text: hi, options: [{id: x, title: X}, {id: x, title: Z}], noMatch: a}}");
    only(&twice, Error, Some("a"), "options[1].id", "another id");
}

#[test]
fn a_node_has_exactly_one_kind() {
    for node in ["{name: a}", "{name: a, end: {}, message: {text: hi}}"] {
        only(&nodes(node), Error, Some("a"), "kind", "exactly one kind");
    }
}

#[test]
fn expressions_and_texts_that_do_not_parse_are_told_by_node_field_and_place() {
    let condition = "{name: a, condition: {cases: [{when: 'true', next: b}, {when: contact.name = 1, next: b}]}}, {name: b, end: {}}";
    only(&nodes(condition), Error, Some("a"), "cases[1].when", "line 1, column 14");
    only(&nodes("{name: a, assign: {set: {n: 1 +}}}"), Error, Some("a"), "set.n", "`1 +`");
    only(&nodes("{name: a, message: {text: 'Hi {{ contact.name'}}"), Error, Some("a"), "text", "write `}}`");
}

#[test]
fn a_name_that_nothing_sets_is_a_warning_along_its_whole_path() {
    for (expression, says) in [
        ("contcat.name", "did you mean `contact`?"),
        ("lastImput", "did you mean `lastInput`?"),
        ("carts", "did you mean `cart`?"),
        ("Ana", "put quotes around a text"),
        ("input.text", "`input` has no fields"),
        ("inputHistory.text", "write `inputHistory[0].text`"),
        ("error.kindd", "did you mean `error.kind`?"),
        ("error.reason", "name one of node, kind, message"),
        ("_meta.histroy", "did you mean `_meta.history`?"),
        ("event.txt", "did you mean `event.text`?"),
        ("lastBotMedia.mime", "name one of mediaType, url, id, caption"),
    ] {
        let found = nodes(&format!(
            "{{name: a, message: {{text: \"{{{{ {expression} }}}}\", next: b}}}}, {{name: b, assign: {{set: {{cart: '[]'}}}}}}"
        ));
        only(&found, Warning, Some("a"), "text", says);
    }
    let known =
        "{{ contact.a.b }}{{ event.answer.y }}{{ _meta.history }}{{ cart[0].x }}{{ inputHistory[0].text }}{{ now }}";
    assert_eq!(
        nodes(&format!(
            "{{name: a, message: {{text: \"{known}\", next: b}}}}, {{name: b, assign: {{set: {{cart: '[]'}}}}}}"
        )),
        []
    );
}

#[test]
fn what_is_the_engines_cannot_be_assigned() {
    for name in
        ["input", "now", "event", "contact", "_meta", "messageCount", "contact.id", "contact.phone", "handoffNote"]
    {
        only(
            &nodes(&format!("{{name: a, assign: {{set: {{{name}: '1'}}}}}}")),
            Error,
            Some("a"),
            &format!("set.{name}"),
            "the engine alone",
        );
    }
    for name in ["contact.", "contact.a.b", "a.b", "2nd", "a-b", "año", "\"\"", "if", "\"null\""] {
        let found = nodes(&format!("{{name: a, assign: {{set: {{{name}: '1'}}}}}}"));
        assert!(found.iter().any(|one| one.message.contains("write letters, digits and _")), "{name}: {found:#?}");
    }
}

#[test]
fn what_whatsapp_does_not_show_is_a_warning() {
    let four = "{id: x, title: X}, {id: y, title: 'Y'}, {id: z, title: Z}, {id: w, title: W}";
    for (options, field, says) in [
        ("{id: x, title: X, description: d}".to_owned(), "options[0].description", "buttons"),
        ("{id: x, title: 'X {{ n }}'}".to_owned(), "options[0].title", "shown here as it is"),
        ("{id: x, title: Sí}, {id: y, title: si}".to_owned(), "options[1].title", "cannot tell it from \"Sí\""),
    ] {
        only(
            &nodes(&format!("{{name: a, options: {{text: hi, options: [{options}], noMatch: a}}}}")),
            Warning,
            Some("a"),
            field,
            says,
        );
    }
    let long = "x".repeat(1_025);
    only(
        &nodes(&format!("{{name: a, options: {{text: {long}, options: [{{id: x, title: X}}], noMatch: a}}}}")),
        Warning,
        Some("a"),
        "text",
        "1024",
    );
    assert_eq!(nodes(&format!("{{name: a, options: {{text: {long}, options: [{four}], noMatch: a}}}}")), []);
    only(
        &nodes("{name: a, options: {text: hi, listButton: Menu, options: [{id: x, title: X}], noMatch: a}}"),
        Warning,
        Some("a"),
        "listButton",
        "remove it",
    );
}

#[test]
fn what_the_schema_refuses_in_a_cluster_is_refused_in_a_file() {
    let many = |count: usize| (0..count).map(|n| format!("{{id: o{n}, title: T{n}}}")).collect::<Vec<_>>().join(", ");
    for (node, field) in [
        ("message: {text: ''}".to_owned(), "text"),
        ("options: {text: '', options: [{id: x, title: X}]}".to_owned(), "text"),
        ("options: {text: hi, options: []}".to_owned(), "options"),
        (format!("options: {{text: hi, options: [{}]}}", many(11)), "options"),
        (format!("options: {{text: hi, options: [{{id: {}, title: X}}]}}", "i".repeat(101)), "options[0].id"),
        ("options: {text: hi, options: [{id: a~b, title: X}]}".to_owned(), "options[0].id"),
        ("options: {text: hi, options: [{id: x, title: ' '}]}".to_owned(), "options[0].title"),
        ("condition: {cases: []}".to_owned(), "cases"),
        ("assign: {set: {}}".to_owned(), "set"),
        (format!("end: {{reason: {}}}", "r".repeat(201)), "reason"),
    ] {
        let found = nodes(&format!("{{name: a, {node}}}"));
        let errors: Vec<_> = found.into_iter().filter(|finding| finding.severity == Error).collect();
        assert_eq!(errors.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [field], "{errors:#?}");
    }
    for (spec, field) in [
        ("triggers: []", "triggers"),
        ("triggers: [{}]", "triggers[0]"),
        ("triggers: [{keyword: hola, default: {}}]", "triggers[0]"),
        ("triggers: [{default: {}, match: Word}]", "triggers[0].match"),
        ("triggers: [{keyword: ' '}]", "triggers[0].keyword"),
        ("triggers: [{keyword: hola}], priority: 5000", "priority"),
        ("triggers: [{keyword: hola}], session: {timeout: 0s}", "session.timeout"),
    ] {
        let found = check(&format!("{{tenantRef: {{name: acme}}, {spec}, start: a, nodes: [{{name: a, end: {{}}}}]}}"));
        only(&found, Error, None, field, ":");
    }
}

#[test]
fn a_short_keyword_that_counts_anywhere_and_one_that_stands_twice_are_warnings() {
    let triggers = |triggers: &str| {
        check(&format!(
            "{{tenantRef: {{name: acme}}, triggers: [{triggers}], start: a, nodes: [{{name: a, end: {{}}}}]}}"
        ))
    };
    only(&triggers("{keyword: sí}"), Warning, None, "triggers[0].keyword", "write match: Word");
    assert_eq!(triggers("{keyword: sí, match: Word}"), []);
    only(&triggers("{keyword: hola}, {keyword: HOLA, match: Word}"), Warning, None, "triggers[1]", "remove one");
}

#[test]
fn a_flow_that_is_too_large_is_refused_at_once() {
    let many = (0..501).map(|n| format!("{{name: n{n}, end: {{}}}}")).collect::<Vec<_>>().join(", ");
    only(&nodes(&many), Error, None, "nodes", "501 nodes");
    let large =
        (0..70).map(|n| format!("{{name: n{n}, message: {{text: {}}}}}", "x".repeat(4_000))).collect::<Vec<_>>();
    only(&nodes(&large.join(", ")), Error, None, "nodes", "at most 256");
}

#[test]
fn a_flow_full_of_mistakes_is_checked_quickly_and_its_findings_stay_few() {
    let worst = |node: &dyn Fn(usize) -> String| {
        let all: Vec<_> = (0..500).map(node).collect();
        let spec = spec(&format!(
            "{{tenantRef: {{name: acme}}, triggers: [{{keyword: hola}}], start: n0, nodes: [{}]}}",
            all.join(", ")
        ));
        let begin = Instant::now();
        let compiled = compile("f", "0123456789ab", &spec);
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?} for {}", begin.elapsed(), all[0]);
        assert!(compiled.findings.len() <= 101);
        compiled
    };
    let dangling = worst(&|n| {
        let cases: Vec<_> = (0..15).map(|m| format!("{{when: x, next: n{n}x{m}}}")).collect();
        format!("{{name: n{n}, condition: {{cases: [{}]}}}}", cases.join(", "))
    });
    assert!(dangling.findings[100].message.contains("more findings"));
    worst(&|n| {
        let cases: Vec<_> = (0..18).map(|m| format!("{{when: x, next: n{}}}", (n * 7 + m * 31) % 500)).collect();
        format!("{{name: n{n}, condition: {{cases: [{}], else: n{}}}}}", cases.join(", "), (n + 1) % 500)
    });
    worst(&|n| {
        let set: Vec<_> = (0..25).map(|m| format!("v{n}x{m}: w{n}x{m}")).collect();
        format!("{{name: n{n}, assign: {{set: {{{}}}, next: n{}}}}}", set.join(", "), (n + 1) % 500)
    });
    let patterns =
        worst(&|n| format!("{{name: n{n}, assign: {{set: {{v: \"input.matches('[0-9]+')\"}}, next: n{}}}}}", n + 1));
    assert!(
        patterns.findings.iter().any(|finding| finding.message.contains("more than 50 patterns")),
        "{:#?}",
        patterns.findings
    );
}
