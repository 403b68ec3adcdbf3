//! Flows from anybody are compiled by the operator, and their expressions run in the data plane: neither may be made to
//! take all memory. Here both work under a limit, in a process of their own; one that asks for more dies.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::{env, process::Command};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Map, json};
use uuid::Uuid;
use wigwag_crds::FlowSpec;
use wigwag_domain::{ContactId, Content, Payload, ProviderName, SessionId};
use wigwag_flow::{Contact, Incoming, Linked, Tenant, World, compile, start};

/// Address space of the process, in KiB: what it takes to run at all, and some 150 MB.
const LIMIT: &str = "400000";
/// Tells the child that it is the child.
const CHILD: &str = "WIGWAG_MEMORY_CHILD";

#[test]
fn no_flow_and_no_expression_takes_more_memory_than_a_small_pod_has() {
    if env::var_os(CHILD).is_some() {
        return;
    }
    let me = env::current_exe().unwrap();
    let script = format!("ulimit -v {LIMIT} && exec \"$0\" --exact child --nocapture");
    let output = Command::new("sh").arg("-c").arg(script).arg(me).env(CHILD, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}\n{}", output.status, String::from_utf8_lossy(&output.stdout));
}

/// Does nothing but as a child of the test above.
#[test]
fn child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    for source in explosives() {
        run(&source);
    }
    let mut runner = TestRunner::new(ProptestConfig { cases: 800, failure_persistence: None, ..Default::default() });
    runner
        .run(&sources(), |source| {
            run(&source);
            Ok(())
        })
        .unwrap();
}

/// Compiles a flow whose expressions this is, in both forms, and runs it.
fn run(source: &str) {
    let native = json!({
        "tenantRef": {"name": "acme"}, "triggers": [{"default": {}}], "start": "set",
        "nodes": [
            {"name": "set", "assign": {"set": {"a": source, "b": source}, "next": "again"}},
            {"name": "again", "assign": {"set": {"a": source, "contact.c": source}, "next": "if"}},
            {"name": "if", "condition": {"cases": [{"when": source, "next": "say"}], "else": "say"}},
            {"name": "say", "message": {"text": format!("{{{{ {source} }}}} {{{{ {source} }}}}")}}]
    });
    let editor = json!({"tenantRef": {"name": "acme"}, "definition": {
        "nodes": [
            {"id": "t", "type": "trigger", "data": {"keyword": "default"}},
            {"id": "c", "type": "condition", "data": {"expression": source}},
            {"id": "m", "type": "message", "data": {"text": format!("{{{{ {source} }}}}")}}],
        "edges": [{"id": "1", "source": "t", "target": "c"}, {"id": "2", "source": "c", "target": "m", "sourceHandle": "false"}]
    }});
    for spec in [native, editor] {
        let spec: FlowSpec = serde_json::from_value(spec).unwrap();
        let Some(program) = compile("f", "0", &spec).program else { continue };
        let contact = Contact { id: ContactId(Uuid::nil()), name: None, phone: None, attributes: Map::new() };
        let tenant = Tenant::default();
        let world = World { contact: &contact, tenant: &tenant };
        let payload = payload();
        let incoming = Incoming { payload: &payload, quoted: None };
        let at = payload.timestamp;
        let step = start(&Linked::from(program), SessionId(Uuid::nil()), world, at, incoming, Map::new());
        assert!(step.session.to_json().len() < 512 * 1_024);
    }
}

fn payload() -> Payload {
    let text = "x".repeat(4_096);
    Payload {
        from: "+1".to_owned(),
        to: "+2".to_owned(),
        message: text.clone(),
        message_id: "wamid.1".to_owned(),
        tenant_id: "acme".to_owned(),
        contact_name: None,
        timestamp: "2026-01-01T00:00:00Z".parse().unwrap(),
        provider: ProviderName::new("p"),
        channel: "1".to_owned(),
        user_id: None,
        content: Content::Text { text },
        quotes: None,
        referral: None,
    }
}

/// Expressions that are built to grow.
fn explosives() -> Vec<String> {
    let list = |n: usize| vec!["1"; n].join(",");
    let doubled = (0..12).fold("input".to_owned(), |inner, _| format!("({inner}+{inner})"));
    let nested = (0..60).fold("input".to_owned(), |inner, _| format!("[{inner}]"));
    vec![
        format!("[{}].map(x, [{}])", list(60), list(60)),
        format!("[{}].map(x, inputHistory)", list(90)),
        format!("[{}].filter(x, x > 0).map(x, input + input)", list(90)),
        "input + input + input + input + input + input + input + input".to_owned(),
        doubled[..doubled.len().min(1_000)].to_owned(),
        nested,
        "input.matches('(a*)*(b*)*(c*)*{50}{50}')".to_owned(),
        "input.matches('((((x{100}){100}){100}){100})')".to_owned(),
        "'x'.repeat(1e9)".to_owned(),
        "'x'.padEnd(1e9, 'y')".to_owned(),
        "context.input.replaceAll('x', context.input)".to_owned(),
        "context.input.split('').join(context.input)".to_owned(),
        "JSON.stringify(context).repeat(1000).split('').length".to_owned(),
        "/(x+x+)+y/.test(context.input)".to_owned(),
        "[context,context,context,context].concat([context,context]).join('').repeat(99)".to_owned(),
        "context.input.split('').concat(context.input.split('')).join('-').split('').length".to_owned(),
        "(((((((((((((((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))))))))))))))))))"
            .to_owned(),
        "[".repeat(1_000),
        "a.".repeat(500),
        "!".repeat(1_000),
        "{{ {{ {{".to_owned(),
    ]
}

/// Anything that looks like an expression, and much that does not.
fn sources() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "input",
        "context",
        "context.input",
        "inputHistory",
        "_meta",
        "event",
        "contact",
        "1",
        "0",
        "9e15",
        "'x'",
        "\"é\"",
        "[]",
        "{}",
        "a",
        "b",
        "null",
        "true",
        "undefined",
        "NaN",
        "lastInput",
        "x",
        "`x${1}`",
        "/x+/g",
    ]);
    let joint = prop::sample::select(vec![
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "===",
        "!=",
        "&&",
        "||",
        "??",
        "?",
        ":",
        ",",
        ".",
        "?.",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "in",
        " ",
        ".map(x,",
        ".filter(x,",
        ".exists(x,",
        ".repeat(",
        ".split(",
        ".join(",
        ".replaceAll(",
        ".padEnd(",
        ".concat(",
        ".matches(",
        "size(",
        "text(",
        "JSON.stringify(",
        "fold(",
        "!",
        "typeof ",
        "new Date(",
        "=>",
        ";",
    ]);
    let word = prop_oneof![3 => atom.prop_map(str::to_owned), 4 => joint.prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    prop::collection::vec(word, 1..60).prop_map(|words| words.concat())
}
