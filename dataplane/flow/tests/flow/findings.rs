//! What the check finds in nodes of every kind.

use wigwag_crds::flow::{
    Finding,
    Severity::{Error, Warning},
};
use wigwag_flow::{Program, compare_calls};

use crate::{
    check::{check, nodes, only},
    support::{flow, flow_with, program},
};

/// The one error among the findings.
fn error(findings: &[Finding], node: Option<&str>, field: &str, says: &str) {
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Error).cloned().collect();
    only(&errors, Error, node, field, says);
}

#[test]
fn every_field_that_names_a_node_is_followed() {
    for (node, field) in [
        ("message: {text: hi, onFail: tanks}", "onFail"),
        ("onError: tanks, message: {text: hi}", "onError"),
        ("options: {text: hi, options: [{id: x, title: X}], noMatch: a, stale: tanks}", "stale"),
        ("options: {text: hi, options: [{id: x, title: X}], noMatch: a, onTimeout: tanks}", "onTimeout"),
        ("options: {text: hi, options: [{id: x, title: X}], noMatch: a, onFail: tanks}", "onFail"),
        ("ask: {text: hi, into: x, next: tanks}", "next"),
        ("ask: {text: hi, into: x, onInvalid: tanks}", "onInvalid"),
        ("ask: {text: hi, into: x, onTimeout: tanks}", "onTimeout"),
        ("ask: {text: hi, into: x, onFail: tanks}", "onFail"),
        ("media: {type: Image, id: '7', next: tanks}", "next"),
        ("media: {type: Image, id: '7', onFail: tanks}", "onFail"),
        ("whatsappFlow: {body: b, cta: c, flowId: '1', into: x, next: tanks}", "next"),
        ("whatsappFlow: {body: b, cta: c, flowId: '1', into: x, onTimeout: tanks}", "onTimeout"),
        ("whatsappFlow: {body: b, cta: c, flowId: '1', into: x, onFail: tanks}", "onFail"),
        ("assign: {set: {x: '1'}, next: tanks}", "next"),
        ("http: {url: 'https://a.example.com', next: tanks}", "next"),
        ("http: {url: 'https://a.example.com', onError: {timeout: tanks}}", "onError.timeout"),
        ("http: {url: 'https://a.example.com', onError: {network: tanks}}", "onError.network"),
        ("http: {url: 'https://a.example.com', onError: {refused: tanks}}", "onError.refused"),
        ("http: {url: 'https://a.example.com', onError: {tooLarge: tanks}}", "onError.tooLarge"),
        ("http: {url: 'https://a.example.com', onError: {invalid: tanks}}", "onError.invalid"),
        ("http: {url: 'https://a.example.com', onError: {4xx: tanks}}", "onError.4xx"),
        ("http: {url: 'https://a.example.com', onError: {5xx: tanks}}", "onError.5xx"),
        ("http: {url: 'https://a.example.com', onError: {unknown: tanks}}", "onError.unknown"),
        ("delay: {for: 5s, next: tanks}", "next"),
        ("waitFor: {next: tanks}", "next"),
        ("waitFor: {onTimeout: tanks}", "onTimeout"),
        ("split: {ways: [{weight: 1}, {weight: 1, next: tanks}]}", "ways[1].next"),
        ("call: {flow: f, next: tanks}", "next"),
        ("handoff: {timeout: 1h, next: tanks}", "next"),
        ("handoff: {timeout: 1h, onTimeout: tanks}", "onTimeout"),
    ] {
        let found = nodes(&format!("{{name: a, {node}}}, {{name: thanks, message: {{text: thanks, next: a}}}}"));
        error(&found, Some("a"), field, "did you mean \"thanks\"?");
    }
    for (fields, field) in [("onError: tanks,", "onError"), ("session: {onTimeout: tanks},", "session.onTimeout")] {
        let found = check(&flow_with(fields, "{name: a, message: {text: hi, next: thanks}}, {name: thanks, end: {}}"));
        only(&found, Error, None, field, "did you mean \"thanks\"?");
    }
}

#[test]
fn nodes_to_which_only_the_flow_leads_are_led_to() {
    let found = check(&flow_with(
        "onError: sorry, session: {timeout: 1h, onTimeout: gone},",
        "{name: a, end: {}}, {name: sorry, message: {text: sorry}}, {name: gone, message: {text: gone}}",
    ));
    assert_eq!(found, []);
}

#[test]
fn a_question_without_a_way_for_other_answers_is_a_warning() {
    only(
        &nodes("{name: a, options: {text: hi, options: [{id: x, title: X}]}}"),
        Warning,
        Some("a"),
        "noMatch",
        "name a node for it",
    );
}

/// Whether the node `m` may come when WhatsApp takes templates alone.
fn comes_late(fields: &str, all: &str) -> bool {
    let found = check(&flow_with(fields, all));
    let late = found.iter().find(|finding| finding.field == "template");
    if let Some(late) = late {
        assert_eq!((late.severity, late.node.as_deref()), (Warning, Some("m")), "{late}");
        assert!(late.message.contains("23 hours") && late.message.contains("add a template"), "{late}");
    }
    late.is_some()
}

#[test]
fn a_message_that_may_come_after_a_day_of_silence_wants_a_template() {
    let m = "{name: m, message: {text: hi}}";
    for (nodes, late) in [
        ("{name: a, delay: {for: 22h, next: m}}", false),
        ("{name: a, delay: {for: 23h, next: m}}", true),
        ("{name: a, delay: {for: 12h, next: b}}, {name: b, delay: {for: 11h, next: m}}", true),
        ("{name: a, delay: {for: 12h, next: b}}, {name: b, delay: {for: 10h, next: m}}", false),
        ("{name: a, waitFor: {timeout: 24h, next: m}}", true),
        ("{name: a, waitFor: {timeout: 24h, onTimeout: m}}", true),
        ("{name: a, handoff: {timeout: 72h, next: m}}", true),
        (
            "{name: a, split: {ways: [{weight: 1, next: b}, {weight: 1, next: m}]}}, {name: b, delay: {for: 2d, next: m}}",
            true,
        ),
        ("{name: a, options: {text: '?', noMatch: a, options: [{id: x, title: X, next: m}]}}", false),
        ("{name: a, options: {text: '?', noMatch: a, timeout: 23h, onTimeout: m, options: [{id: x, title: X}]}}", true),
        ("{name: a, options: {text: '?', noMatch: a, timeout: 2h, onTimeout: m, options: [{id: x, title: X}]}}", false),
        ("{name: a, options: {text: '?', noMatch: a, onTimeout: m, options: [{id: x, title: X}]}}", true),
        // A round with a pause in it.
        (
            "{name: a, delay: {for: 1h, next: b}}, {name: b, condition: {cases: [{when: 'true', next: a}], else: m}}",
            true,
        ),
        // A question in between.
        (
            "{name: a, delay: {for: 20h, next: b}}, {name: b, ask: {text: '?', into: x, next: c}}, {name: c, delay: {for: 20h, next: m}}",
            false,
        ),
    ] {
        assert_eq!(comes_late("", &format!("{nodes}, {m}")), late, "{nodes}");
        assert!(
            !comes_late("", &format!("{nodes}, {{name: m, message: {{text: hi, template: {{name: t}}}}}}")),
            "{nodes}"
        );
    }
    let ask = "{name: a, ask: {text: '?', into: x}}";
    assert!(comes_late("session: {onTimeout: m},", &format!("{ask}, {m}")), "a day, unless it says otherwise");
    assert!(!comes_late("session: {timeout: 20h, onTimeout: m},", &format!("{ask}, {m}")));
    for node in [
        "ask: {text: '?', into: x}",
        "options: {text: '?', noMatch: m, options: [{id: x, title: X}]}",
        "media: {type: Image, id: '7'}",
        "whatsappFlow: {body: b, cta: c, flowId: '1', into: x}",
    ] {
        assert!(comes_late("", &format!("{{name: a, delay: {{for: 30h, next: m}}}}, {{name: m, {node}}}")), "{node}");
    }
}

#[test]
fn a_round_is_broken_by_whatever_waits() {
    for node in [
        "delay: {for: 1s, next: a}",
        "waitFor: {next: a}",
        "handoff: {timeout: 1h, next: a}",
        "http: {url: 'https://a.example.com', next: a}",
        "ask: {text: '?', into: x, next: a}",
        "whatsappFlow: {body: b, cta: c, flowId: '1', into: x, next: a}",
        "call: {flow: child, next: a}",
    ] {
        let found = nodes(&format!("{{name: a, goto: {{node: b}}}}, {{name: b, {node}}}"));
        assert!(found.iter().all(|finding| !finding.message.contains("round")), "{node}: {found:#?}");
    }
    let split = "{name: a, split: {ways: [{weight: 1, next: a}, {weight: 1}]}}";
    only(&nodes(split), Warning, Some("a"), "next", "may go round");
    let all = "{name: a, split: {ways: [{weight: 1, next: a}, {weight: 1, next: b}]}}, {name: b, media: {type: Image, id: '7', next: a}}";
    only(&nodes(all), Error, Some("a"), "next", "for ever");
}

#[test]
fn flows_that_call_what_is_not_there_or_each_other_in_a_circle_are_told() {
    let calling = |name: &str, called: &str| {
        program(name, &flow(&format!("{{name: a, goto: {{node: c}}}}, {{name: c, call: {{flow: {called}}}}}")))
    };
    let flows = [
        calling("one", "two"),
        calling("two", "three"),
        calling("three", "one"),
        calling("self", "self"),
        calling("lost", "nowhere"),
        calling("fine", "one"),
    ];
    let found = compare_calls(&flows.iter().collect::<Vec<&Program>>());
    let named: Vec<_> =
        found.iter().map(|(flow, finding)| (flow.as_str(), finding.node.as_deref(), finding.field.as_str())).collect();
    let at = |flow| (flow, Some("c"), "flow");
    assert_eq!(named, [at("one"), at("two"), at("three"), at("self"), at("lost")]);
    for (flow, finding) in &found {
        let says = if flow == "lost" { "add it" } else { "let one of them end" };
        assert!(finding.message.contains(says), "{finding}");
    }
}

#[test]
fn scheme_host_and_port_of_a_call_are_written_out() {
    for url in [
        "{{ input }}",
        "{{ input }}://a.example.com/",
        "https://{{ input }}/",
        "https://{{ input }}.example.com/",
        "https://a.example.com{{ input }}/",
        "https://a.example.com:{{ input }}/",
        "https://a.example.com@{{ input }}/",
        "https:///{{ input }}",
        "https://\\\\{{ input }}/",
        "https://?{{ input }}",
        "https://",
        "ftp://a.example.com/",
        "//a.example.com/",
        "a.example.com/",
    ] {
        let found = nodes(&format!("{{name: a, http: {{url: '{url}'}}}}"));
        error(&found, Some("a"), "url", "https://api.example.com/orders/{{ order }}");
    }
    for url in [
        "https://a.example.com",
        "http://a.example.com:8080/{{ input }}",
        "https://a.example.com/{{ input }}",
        "https://a.example.com?q={{ input }}",
        "https://a.example.com#{{ input }}",
    ] {
        assert_eq!(nodes(&format!("{{name: a, http: {{url: '{url}'}}}}")), [], "{url}");
    }
    let media = nodes("{name: a, media: {type: Image, url: 'ftp://a.example.com/x'}}");
    only(&media, Error, Some("a"), "url", "begins with https://");
}

#[test]
fn patterns_are_regular_expressions_and_stay_few_and_small() {
    let ask = |pattern: &str| nodes(&format!("{{name: a, ask: {{text: '?', into: x, pattern: '{pattern}'}}}}"));
    assert_eq!(ask("[A-Z]{2}[0-9]+|none"), []);
    for pattern in ["(", "a)|(b", "[z-a]", "(?=x)", "a{5}{1000}{1000}"] {
        only(&ask(pattern), Error, Some("a"), "pattern", "write");
    }
    let many: Vec<_> = (0..51)
        .map(|n| format!("{{name: n{n}, ask: {{text: '?', into: x, pattern: 'a', next: n{}}}}}", (n + 1) % 51))
        .collect();
    let found = nodes(&format!("{{name: a, goto: {{node: n0}}}}, {}", many.join(", ")));
    only(&found, Error, Some("n50"), "pattern", "more than 50 patterns");
    only(
        &nodes("{name: a, ask: {text: '?', into: x, type: Number, pattern: a}}"),
        Warning,
        Some("a"),
        "pattern",
        "remove it",
    );
}

#[test]
fn spans_have_their_range() {
    for (node, field, range) in [
        ("delay: {for: 0s}", "for", "from 1s to 30d"),
        ("delay: {for: 31d}", "for", "from 1s to 30d"),
        ("waitFor: {timeout: 0s}", "timeout", "from 1s to 30d"),
        ("waitFor: {timeout: 30d1s}", "timeout", "from 1s to 30d"),
        ("handoff: {timeout: 0s}", "timeout", "from 1s to 30d"),
        ("handoff: {timeout: 31d}", "timeout", "from 1s to 30d"),
        ("http: {url: 'https://a.example.com', timeout: 0s}", "timeout", "from 1s to 2m"),
        ("http: {url: 'https://a.example.com', timeout: 3m}", "timeout", "from 1s to 2m"),
        ("ask: {text: '?', into: x, timeout: 0s}", "timeout", "20h"),
        ("options: {text: '?', noMatch: a, timeout: 0s, options: [{id: x, title: X}]}", "timeout", "20h"),
    ] {
        only(&nodes(&format!("{{name: a, {node}}}")), Error, Some("a"), field, range);
    }
    let found = check(&flow_with("session: {maxAge: 0s},", "{name: a, end: {}}"));
    only(&found, Error, None, "session.maxAge", "90d");
}

#[test]
fn what_is_one_or_the_other_is_not_both_and_not_neither() {
    let header =
        |header: &str| format!("options: {{text: '?', noMatch: a, options: [{{id: x, title: X}}], header: {header}}}");
    for (node, field, says) in [
        ("message: {}".to_owned(), "text", "write text"),
        ("media: {type: Image}".to_owned(), "url", "either at a url or has an id"),
        ("media: {type: Image, id: '7', url: 'https://a.example.com'}".to_owned(), "url", "write one of them"),
        (header("{}"), "header", "write one of them"),
        (header("{text: hi, media: {type: Image, id: '7'}}"), "header", "write one of them"),
        (header("{media: {type: Audio, id: '7'}}"), "header.media.type", "Document"),
        ("http: {url: 'https://a.example.com', headers: [{name: A}]}".to_owned(), "headers[0]", "a value or a secret"),
        (
            "http: {url: 'https://a.example.com', headers: [{name: A, value: x, secret: {name: s, key: k}}]}"
                .to_owned(),
            "headers[0]",
            "write one of them",
        ),
        ("whatsappFlow: {body: b, cta: c, flowId: '1', into: x, data: [1]}".to_owned(), "data", "{name: value}"),
        (
            "message: {template: {name: t, parameters: [{index: 1, value: x}]}}".to_owned(),
            "template.parameters[0].index",
            "remove it",
        ),
        (
            "message: {template: {name: t, parameters: [{media: Image, value: x}]}}".to_owned(),
            "template.parameters[0].media",
            "remove it",
        ),
    ] {
        error(&nodes(&format!("{{name: a, {node}}}")), Some("a"), field, says);
    }
    let four = "options: [{id: x, title: X}, {id: w, title: W}, {id: z, title: Z}, {id: v, title: V}]";
    let list =
        format!("{{name: a, options: {{text: '?', noMatch: a, {four}, header: {{media: {{type: Image, id: '7'}}}}}}}}");
    only(&nodes(&list), Error, Some("a"), "header.media", "write header.text");
}

#[test]
fn a_text_is_one_or_one_for_each_language() {
    for (text, field) in
        [("7", "text"), ("No", "text"), ("[hola]", "text"), ("{}", "text"), ("{es: hola, pt: 7}", "text")]
    {
        only(&nodes(&format!("{{name: a, message: {{text: {text}}}}}")), Error, Some("a"), field, "write a text");
    }
    only(&nodes("{name: a, message: {text: {es: hola, pt: ''}}}"), Error, Some("a"), "text.pt", "it is empty");
    only(&nodes("{name: a, message: {text: {es: hola, pt: '{{ 1 + }}'}}}"), Error, Some("a"), "text", "`1 +`");
    let title = "{name: a, options: {text: '?', noMatch: a, options: [{id: x, title: No}]}}";
    only(&nodes(title), Error, Some("a"), "options[0].title", "with quotes around it");
    let twins = "{name: a, options: {text: '?', noMatch: a, options: [{id: x, title: {es: Hola, pt: Oi}}, {id: z, title: {es: Chau, pt: OI}}]}}";
    only(&nodes(twins), Warning, Some("a"), "options[1].title.pt", "cannot tell it from \"Oi\"");
}

#[test]
fn questions_that_no_answer_fits_are_errors() {
    for (fields, field) in [
        ("type: Number, min: 5, max: 2", "max"),
        ("type: Number, min: many", "min"),
        ("type: Date, min: tomorrow", "min"),
        ("type: Time, max: '25:00'", "max"),
        ("type: Email, min: 3", "min"),
        ("type: Choice", "choices"),
        ("type: Choice, choices: ['Sí', si]", "choices"),
        ("retries: 11", "retries"),
    ] {
        only(&nodes(&format!("{{name: a, ask: {{text: '?', into: x, {fields}}}}}")), Error, Some("a"), field, "");
    }
    only(
        &nodes("{name: a, ask: {text: '?', into: x, choices: [b]}}"),
        Warning,
        Some("a"),
        "choices",
        "write type: Choice",
    );
}

#[test]
fn names_that_are_kept_can_be_read_again() {
    for node in [
        "ask: {text: '?', into: X}",
        "whatsappFlow: {body: b, cta: c, flowId: '1', into: X}",
        "http: {url: 'https://a.example.com', into: X}",
        "waitFor: {into: X}",
        "call: {flow: f, into: X}",
    ] {
        for (name, says) in [
            ("input", "the engine alone"),
            ("a b", "letters, digits and _"),
            ("contact.id", "the engine alone"),
            ("contact.optedOut", "the engine alone"),
        ] {
            let found = nodes(&format!("{{name: a, {}}}", node.replace('X', &format!("'{name}'"))));
            error(&found, Some("a"), "into", says);
        }
    }
    only(&nodes("{name: a, call: {flow: f, args: {a-b: '1'}}}"), Error, Some("a"), "args.a-b", "letters, digits and _");
    only(&nodes("{name: a, end: {result: {a-b: '1'}}}"), Error, Some("a"), "result.a-b", "letters, digits and _");
}

#[test]
fn a_url_to_resume_is_that_of_a_node_that_waits_for_it() {
    let at = |name: &str| {
        nodes(&format!(
            "{{name: a, message: {{text: '{{{{ resume.{name} }}}}', next: paid}}}}, {{name: paid, waitFor: {{}}}}"
        ))
    };
    assert_eq!(at("paid"), []);
    only(&at("pald"), Warning, Some("a"), "text", "did you mean `resume.paid`?");
    only(
        &nodes("{name: a, goto: {node: b-c}}, {name: b-c, waitFor: {}}"),
        Warning,
        Some("b-c"),
        "name",
        "letters, digits and _",
    );
}

#[test]
fn what_a_program_gives_at_the_start_is_known_where_one_may_start_the_flow() {
    let found = |triggers: &str| {
        check(&format!(
            "{{tenantRef: {{name: acme}}, triggers: [{triggers}], start: a, nodes: [{{name: a, message: {{text: '{{{{ order }}}}'}}}}]}}"
        ))
    };
    only(&found("{keyword: pedido}"), Warning, Some("a"), "text", "nothing sets `order`");
    assert_eq!(found("{keyword: pedido}, {manual: {}}"), []);
}

#[test]
fn what_a_call_answers_has_a_status_and_a_body_unless_something_else_sets_the_variable() {
    let found = |triggers: &str, field: &str, other: &str| {
        let call = "{name: a, http: {url: 'https://a.example.com', into: order, next: b}}";
        let say = format!("{{name: b, message: {{text: '{{{{ order.{field} }}}}', next: c}}}}");
        check(&format!(
            "{{tenantRef: {{name: acme}}, triggers: [{triggers}], start: a, nodes: [{call}, {say}, {{name: c, {other}}}]}}"
        ))
    };
    only(&found("{keyword: hola}", "state", "end: {}"), Warning, Some("b"), "text", "name one of status, body");
    only(&found("{keyword: hola}", "boddy", "end: {}"), Warning, Some("b"), "text", "did you mean `order.body`?");
    assert_eq!(found("{keyword: hola}", "body.state", "end: {}"), []);
    assert_eq!(found("{keyword: hola}", "state", "assign: {set: {order: '{\"state\": 1}'}}"), []);
    assert_eq!(found("{keyword: hola}, {manual: {}}", "state", "end: {}"), []);
}

#[test]
fn a_way_for_failures_wants_a_wait_behind_the_message() {
    for node in ["message: {text: hi, onFail: lost", "media: {type: Image, id: '7', onFail: lost"] {
        let after = |next: &str| nodes(&format!("{{name: a, {node}{next}}}}}, {{name: lost, end: {{}}}}"));
        only(&after(""), Warning, Some("a"), "onFail", "let next lead to a question or a delay, or remove onFail");
        only(&after(", next: lost"), Warning, Some("a"), "onFail", "no wait stands behind");
        for wait in [
            "delay: {for: 5s}",
            "ask: {text: '?', into: x}",
            "http: {url: 'https://a.example.com'}",
            "call: {flow: f}",
            "handoff: {timeout: 1h}",
        ] {
            let far = format!(", next: b}}}}, {{name: b, message: {{text: more, next: c}}}}, {{name: c, {wait}");
            let found = nodes(&format!("{{name: a, {node}{far}}}, {{name: lost, end: {{}}}}"));
            assert_eq!(found, [], "{wait}");
        }
    }
}

#[test]
fn many_ways_to_one_node_are_no_round_with_a_pause_in_it() {
    let options: Vec<_> = (0..10).map(|n| format!("{{id: o{n}, title: T{n}, next: m}}")).collect();
    let question = format!("{{name: a, options: {{text: '?', noMatch: m, options: [{}]}}}}", options.join(", "));
    assert!(!comes_late("", &format!("{question}, {{name: m, message: {{text: hi}}}}")));
}

#[test]
fn headers_have_names_that_go_out() {
    for name in ["X Order", "X-Año", "X:Y", "'X\\r\\nY'"] {
        let found = nodes(&format!(
            "{{name: a, http: {{url: 'https://a.example.com', headers: [{{name: {name}, value: x}}]}}}}"
        ));
        only(&found, Error, Some("a"), "headers[0].name", "such as X-Order");
    }
}

#[test]
fn escapes_lead_somewhere_or_are_the_end() {
    for (escape, field) in [
        ("{words: [menu]}", "escape.add[0]"),
        ("{words: [menu], flow: main, end: true}", "escape.add[0]"),
        ("{words: [], end: true}", "escape.add[0].words"),
        ("{words: ['  '], end: true}", "escape.add[0].words"),
    ] {
        let found = check(&flow_with(&format!("escape: {{add: [{escape}]}},"), "{name: a, end: {}}"));
        only(&found, Error, None, field, "write");
    }
}
