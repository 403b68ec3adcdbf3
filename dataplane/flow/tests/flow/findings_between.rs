//! What the check finds between the Flows of a tenant that call each other, and between a Flow and its tenant.

use wigwag_crds::{
    WhatsAppTenantSpec,
    flow::{Finding, Severity::Warning},
};
use wigwag_flow::{Program, compare_calls, unknown_variables};

use crate::{
    check::only,
    support::{flow, flow_with, program, spec},
};

/// What is found between these flows, about one of them.
fn about(flow: &str, flows: &[(&str, &str)]) -> Vec<Finding> {
    let flows: Vec<Program> = flows.iter().map(|(name, nodes)| program(name, &self::flow(nodes))).collect();
    let found = compare_calls(&flows.iter().collect::<Vec<_>>()).into_iter();
    found.filter(|(name, _)| name == flow).map(|(_, finding)| finding).collect()
}

const CALL: &str = "{name: a, call: {flow: child, next: m}}, {name: m, message: {text: hi}}";

#[test]
fn a_message_after_a_called_flow_that_waits_for_long_wants_a_template() {
    for (child, late) in [
        ("{name: a, delay: {for: 22h}}", false),
        ("{name: a, delay: {for: 23h}}", true),
        ("{name: a, delay: {for: 23h, next: b}}, {name: b, ask: {text: '?', template: {name: t}, into: x}}", false),
        ("{name: a, ask: {text: '?', into: x, next: b}}, {name: b, delay: {for: 23h}}", true),
        ("{name: a, handoff: {timeout: 30h, next: b}}, {name: b, end: {reason: done}}", true),
        ("{name: a, waitFor: {timeout: 12h, next: b}}, {name: b, delay: {for: 11h}}", true),
        ("{name: a, split: {ways: [{weight: 1}, {weight: 1, next: b}]}}, {name: b, delay: {for: 2d}}", true),
        (
            "{name: a, goto: {node: b}}, {name: b, ask: {text: '?', into: x, timeout: 2h, onTimeout: c, next: d}}, {name: c, delay: {for: 22h}}, {name: d, end: {}}",
            true,
        ),
    ] {
        let found = about("parent", &[("parent", CALL), ("child", child)]);
        if late {
            only(&found, Warning, Some("m"), "template", "because of the Flows that are called before");
            assert!(found[0].message.contains("add a template"), "{}", found[0]);
        } else {
            assert_eq!(found, [], "{child}");
        }
        let with_template = CALL.replace("text: hi", "text: hi, template: {name: t}");
        assert_eq!(about("parent", &[("parent", &with_template), ("child", child)]), [], "{child}");
    }
}

#[test]
fn spans_on_both_sides_of_a_call_add_up_through_several_flows() {
    let parent = "{name: w, delay: {for: 8h, next: c}}, {name: c, call: {flow: child, next: m}}, {name: m, message: {text: hi}}, {name: a, goto: {node: w}}";
    let child = "{name: a, delay: {for: 8h, next: b}}, {name: b, call: {flow: grandchild}}";
    let grandchild = |hours: u32| format!("{{name: a, delay: {{for: {hours}h}}}}");
    let found = |hours| about("parent", &[("parent", parent), ("child", child), ("grandchild", &grandchild(hours))]);
    assert_eq!(found(6), []);
    only(&found(7), Warning, Some("m"), "template", "23 hours or more");
}

#[test]
fn a_message_of_a_called_flow_before_which_its_caller_waits_wants_a_template() {
    let parent = "{name: a, delay: {for: 20h, next: c}}, {name: c, call: {flow: child}}";
    for (child, node) in [
        ("{name: a, message: {text: hi}}", None),
        ("{name: a, delay: {for: 3h, next: b}}, {name: b, message: {text: hi}}", Some("node \"b\" of Flow \"child\"")),
        ("{name: a, delay: {for: 3h, next: b}}, {name: b, ask: {text: hi, into: x}}", Some("node \"b\"")),
        ("{name: a, delay: {for: 3h, next: b}}, {name: b, message: {text: hi, template: {name: t}}}", None),
        ("{name: a, call: {flow: grandchild}}", Some("node \"g\" of Flow \"grandchild\"")),
    ] {
        let grandchild = "{name: a, delay: {for: 3h, next: g}}, {name: g, message: {text: hi}}";
        let found = about("parent", &[("parent", parent), ("child", child), ("grandchild", grandchild)]);
        match node {
            Some(node) => only(&found, Warning, Some("c"), "flow", node),
            None => assert_eq!(found, [], "{child}"),
        }
    }
    // What the called flow waits for by itself is told of that flow alone.
    let late = "{name: a, delay: {for: 30h, next: b}}, {name: b, message: {text: hi}}";
    assert_eq!(about("parent", &[("parent", "{name: a, call: {flow: child}}"), ("child", late)]), []);
}

#[test]
fn a_round_through_a_call_of_a_flow_that_never_waits_is_a_warning() {
    let parent = "{name: a, message: {text: hi, next: c}}, {name: c, call: {flow: child, next: a}}";
    for (child, round) in [
        ("{name: a, assign: {set: {x: '1'}}}", true),
        ("{name: a, goto: {node: b}}, {name: b, end: {}}", true),
        ("{name: a, call: {flow: quick}}", true),
        ("{name: a, condition: {cases: [{when: 'true', next: b}]}}, {name: b, ask: {text: '?', into: x}}", true),
        ("{name: a, ask: {text: '?', into: x}}", false),
        ("{name: a, delay: {for: 1s}}", false),
        ("{name: a, call: {flow: slow}}", false),
    ] {
        let others =
            [("quick", "{name: a, end: {}}"), ("slow", "{name: a, waitFor: {onTimeout: b}}, {name: b, end: {}}")];
        let found = about("parent", &[&[("parent", parent), ("child", child)][..], &others].concat());
        let found: Vec<_> = found.into_iter().filter(|finding| finding.field == "next").collect();
        if round {
            only(&found, Warning, Some("c"), "next", "\"a\", \"c\" may go round");
            assert!(found[0].message.contains("Flow \"child\""), "{}", found[0]);
        } else {
            assert_eq!(found, [], "{child}");
        }
    }
}

#[test]
fn flows_in_a_circle_and_long_chains_are_looked_at_in_little_time() {
    let all: Vec<Program> = (0..200)
        .map(|n| {
            let called = (n + 1) % 200;
            program(
                &format!("f{n}"),
                &flow(&format!(
                    "{{name: a, delay: {{for: 1h, next: c}}}}, {{name: c, call: {{flow: f{called}, next: a}}}}"
                )),
            )
        })
        .collect();
    let begin = std::time::Instant::now();
    let found = compare_calls(&all.iter().collect::<Vec<_>>());
    assert!(begin.elapsed() < std::time::Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(found.iter().filter(|(_, finding)| finding.message.contains("calls this one again")).count(), 200);
}

#[test]
fn a_variable_that_the_tenant_does_not_have_is_a_warning() {
    let tenant: WhatsAppTenantSpec = serde_json::from_value(serde_json::json!({
        "providers": [], "database": {"secretRef": {"name": "db", "key": "url"}},
        "variables": {"address": "Calle Mayor 1", "delivery": {"days": 3}, "shops": [{"name": "a"}]},
    }))
    .unwrap();
    let found = |node: &str| unknown_variables(&spec(&flow_with("", &format!("{{name: a, {node}}}"))), &tenant);
    for (node, field, says) in [
        ("message: {text: '{{ tenant.adress }}'}", "text", "did you mean `tenant.address`?"),
        ("message: {text: {es: hola, pt: '{{ tenant.nope }}'}}", "text.pt", "add it to spec.variables of the tenant"),
        ("message: {text: '{{ tenant.delivery.day }}'}", "text", "did you mean `tenant.delivery.days`?"),
        ("assign: {set: {x: tenant.nope}}", "set.x", "no variable `tenant.nope`"),
        ("condition: {cases: [{when: tenant.nope == 1, next: a}]}", "cases[0].when", "tenant.nope"),
        ("call: {flow: f, args: {x: tenant.nope}}", "args.x", "tenant.nope"),
        ("end: {result: {x: tenant.nope}}", "result.x", "tenant.nope"),
        ("http: {url: 'https://a.example.com', body: {a: ['{{ tenant.nope }}']}}", "body.a[0]", "tenant.nope"),
    ] {
        only(&found(node), Warning, Some("a"), field, says);
    }
    for node in [
        "message: {text: '{{ tenant.address }} {{ tenant.delivery.days }} {{ tenant.shops[0].name }} {{ tenant }}'}",
        "message: {text: 'tenant.nope'}",
        "assign: {set: {x: '\"tenant.nope\"'}}",
    ] {
        assert_eq!(found(node), [], "{node}");
    }
}
