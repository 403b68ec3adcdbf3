//! The reference of Flows (`docs/flows.md`) is true: its examples compile without a finding, it speaks of every word that
//! a flow's author can read or write, and its budgets are those of the code.
//!
//! Words and budgets belong to the modules that use them, and most are private; they are read where they are written.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};
use wigwag_crds::{FlowSpec, WhatsAppTenantSpec};
use wigwag_flow::{Tenant, compile};

/// Each budget of the page: what it is called there, the file that has it, and what stands before its value.
const BUDGETS: &[(&str, &str, &str)] = &[
    ("nodes of a Flow", "flow/src/compile/mod.rs", "MAX_NODES"),
    ("size of a Flow, as JSON", "flow/src/compile/mod.rs", "MAX_SIZE"),
    ("triggers of a Flow", "flow/src/trigger.rs", "MAX_TRIGGERS"),
    ("regular expressions of a Flow", "flow/src/compile/builder.rs", "MAX_PATTERNS"),
    ("size of a regular expression, compiled", "flow/src/compile/talk.rs", "MAX_PATTERN"),
    ("steps (nodes) in one event", "flow/src/step/run.rs", "MAX_STEPS"),
    ("steps after a failure `steps`, for what mends it", "flow/src/step/mend.rs", "MENDING_STEPS"),
    ("failures with a way in one event", "flow/src/step/mend.rs", "MAX_MENDED"),
    ("events of a session; those while people speak do not count", "flow/src/step/run.rs", "MAX_EVENTS"),
    ("calls within calls", "flow/src/step/call.rs", "MAX_CALLS"),
    ("variables of a session and its callers, as JSON", "flow/src/step/assign.rs", "MAX_VARIABLES"),
    ("`contact.*`, as JSON", "flow/src/step/assign.rs", "MAX_ATTRIBUTES"),
    ("levels of a variable", "flow/src/step/assign.rs", "MAX_DEPTH"),
    ("the tenant's `variables`, as JSON", "flow/src/tenant.rs", "MAX_VARIABLES"),
    ("bytes of an expression", "flow/src/expression/mod.rs", "MAX_SOURCE"),
    ("parts of an expression", "flow/src/expression/lower.rs", "MAX_NODES"),
    ("levels of an expression", "flow/src/expression/lower.rs", "MAX_DEPTH"),
    ("work of all expressions in one event, in steps", "flow/src/expression/evaluate.rs", "Self(Cell::new("),
    ("entries of a history; the oldest go first", "flow/src/context/history.rs", "MAX_ENTRIES"),
    ("size of a history (`inputHistory`, `_meta.history`)", "flow/src/context/history.rs", "MAX_BYTES"),
    ("characters of a text in a history", "flow/src/context/record.rs", "MAX_TEXT"),
    ("characters of a customer's text that are read", "flow/src/message.rs", "MAX_TEXT"),
    ("parts of a long `message`", "flow/src/step/parts.rs", "MAX_PARTS"),
    ("characters of a URL or a header, with its values", "flow/src/step/http.rs", "MAX_URL"),
    ("size of a call's body", "flow/src/step/http.rs", "MAX_BODY"),
    ("size of a call's answer", "src/calls/caller.rs", "ANSWER_LIMIT"),
    ("redirects of a call", "src/calls/caller.rs", "REDIRECTS"),
    ("longest call", "flow/src/compile/native.rs", "MAX_CALL"),
    ("longest `delay`, `waitFor` and `handoff`", "flow/src/compile/native.rs", "MAX_PAUSE"),
    ("longest `delay` in which messages wait", "flow/src/session.rs", "SHORT"),
    ("longest that messages wait for a call", "flow/src/session.rs", "HELD"),
    ("size of what resumes a `waitFor`", "src/api/body.rs", "LIMIT"),
];

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flows.md")).unwrap()
}

/// What stands in a file of the data plane between two others.
fn written(file: &str, before: &str, behind: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(behind));
    found.unwrap_or_else(|| panic!("{file} has no `{before}` any more: name its new place here")).0.to_owned()
}

/// The texts in quotes of a piece of source.
fn quoted(source: &str) -> BTreeSet<String> {
    source.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The words of a list in a message, which may go over several lines.
fn listed(message: &str) -> BTreeSet<String> {
    message.split(',').map(|word| word.trim_matches(['\\', '\n', ' ']).to_owned()).collect()
}

/// The product of some numbers: `64 * 1_024`.
fn product(source: &str) -> u64 {
    let factor = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap_or_else(|_| panic!("{source:?}"));
    source.split('*').map(factor).product()
}

/// The value of a constant; spans in seconds.
fn value(file: &str, name: &str) -> u64 {
    let line = written(file, name, "\n");
    let value = line.split_once("= ").map_or(line.as_str(), |(_, value)| value).trim_end_matches([';', ')']);
    match value.split_once('(') {
        Some((unit, number)) if unit.ends_with("from_secs") => product(number),
        Some((unit, number)) if unit.ends_with("from_mins") => product(number) * 60,
        Some((unit, number)) if unit.ends_with("from_hours") => product(number) * 3_600,
        _ => product(value),
    }
}

/// A number as the page has it: `2,000`, `256 KiB`, `2 min`.
fn shown(cell: &str) -> u64 {
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let unit = match unit {
        "" | "s" => 1,
        "min" => 60,
        "d" => 86_400,
        "KiB" => 1_024,
        other => panic!("{other:?} is no unit of the page"),
    };
    product(&number.replace(',', "")) * unit
}

/// The blocks of a sort, each with its line.
fn blocks(page: &str, fence: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if line == format!("```yaml {fence}") {
            let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            blocks.push((at + 1, block.join("\n")));
        }
    }
    assert!(!blocks.is_empty(), "there is no block of {fence}");
    blocks
}

fn yaml(line: usize, text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("line {line}: {error}"))
}

#[track_caller]
fn compiles(line: usize, spec: Value) {
    let spec: FlowSpec = serde_json::from_value(spec).unwrap_or_else(|error| panic!("line {line}: {error}"));
    let compiled = compile("example", "0123456789ab", &spec);
    assert!(compiled.findings.is_empty(), "line {line}: {:#?}", compiled.findings);
}

#[test]
fn every_example_compiles_without_a_finding() {
    let page = page();
    for (line, text) in blocks(&page, "flow") {
        compiles(line, yaml(line, &text)["spec"].clone());
    }
    for (line, text) in blocks(&page, "nodes") {
        let nodes = yaml(line, &text);
        let start = nodes[0]["name"].clone();
        compiles(
            line,
            json!({"tenantRef": {"name": "acme"}, "triggers": [{"default": {}}], "start": start, "nodes": nodes}),
        );
    }
    let all = page.matches("\n```yaml").count();
    assert_eq!(all, ["flow", "nodes", "tenant"].map(|fence| blocks(&page, fence).len()).iter().sum::<usize>());
}

#[test]
fn every_example_of_the_repository_compiles_without_a_finding() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders: Vec<_> = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(folders.len() >= 4, "{folders:?}");
    for folder in folders {
        let flow = fs::read_to_string(folder.join("flow.yaml")).unwrap();
        compiles(1, yaml(1, &flow)["spec"].clone());
        let tenant = fs::read_to_string(folder.join("tenant.yaml")).unwrap();
        let spec: WhatsAppTenantSpec = serde_json::from_value(yaml(1, &tenant)["spec"].clone()).unwrap();
        assert_eq!(Tenant::compile(&spec).1, [], "{}", folder.display());
    }
}

#[test]
fn the_tenants_part_is_one() {
    for (line, text) in blocks(&page(), "tenant") {
        let mut spec = yaml(line, &text);
        spec["providers"] = json!([]);
        spec["database"] = json!({"secretRef": {"name": "database", "key": "url"}});
        let fields: BTreeSet<String> = spec.as_object().unwrap().keys().cloned().collect();
        let spec: WhatsAppTenantSpec = serde_json::from_value(spec).unwrap();
        assert_eq!(Tenant::compile(&spec).1, []);
        let read = serde_json::to_value(&spec).unwrap();
        let unknown: Vec<_> = fields.iter().filter(|field| read.get(field.as_str()).is_none()).collect();
        assert!(unknown.is_empty(), "line {line}: a tenant has no {unknown:?}");
    }
}

#[test]
fn every_kind_of_node_has_its_part_with_an_example() {
    let page = page();
    let kinds = written("../crds/src/node.rs", "write one of ", "'");
    for kind in listed(&kinds) {
        let part = page.split_once(&format!("\n### {kind}\n")).unwrap_or_else(|| panic!("### {kind} is missing")).1;
        let part = part.split("\n### ").next().unwrap();
        assert!(part.contains(&format!("<!-- fields: Flow.spec.nodes.{kind}")), "### {kind} has no table");
        assert!(part.contains("```yaml nodes") && part.contains(&format!(" {kind}:")), "### {kind} has no example");
    }
}

#[test]
fn every_word_that_authors_read_or_write_is_there() {
    let page = page();
    let between = |file, before, behind| quoted(&written(file, before, behind));
    let words = [
        ("kind of failure", between("flow/src/step/mod.rs", "impl FailureKind {", "\n}")),
        ("kind of problem", between("flow/src/step/mod.rs", "impl ProblemKind {", "\n}")),
        ("event at a node", between("flow/src/step/mod.rs", "impl Passed {", "\n}")),
        ("context key", between("flow/src/context/key.rs", "\nkeys! {", "\n}")),
        ("name in scope", between("flow/src/expression/names.rs", "const EVENT_NAMES", "];")),
        ("function", between("flow/src/expression/function.rs", "const FUNCTIONS", "];")),
        ("macro", between("flow/src/expression/function.rs", "const OTHERS", "];")),
        ("method of conditions", between("flow/src/script/function.rs", "const METHODS", "];")),
        ("function of conditions", between("flow/src/script/function.rs", "const FUNCTIONS", "];")),
        ("class of failed calls", between("../crds/src/node/work.rs", "fn by_class", "\n    }")),
        (
            "node of the editor",
            listed(&written("flow/src/compile/editor/mod.rs", "there is no node type {}: write one of ", "\"")),
        ),
    ];
    for (what, words) in words {
        assert!(words.len() > 2, "{what}: {words:?}");
        let missing: Vec<_> = words.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
        assert!(missing.is_empty(), "docs/flows.md has no {what} {missing:?}");
    }
}

#[test]
fn the_budgets_are_those_of_the_code() {
    let page = page();
    let table = page.split_once("\n## Budgets\n").unwrap().1.split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let of_page: BTreeMap<&str, u64> = rows.skip(2).map(|(what, limit)| (what, shown(limit))).collect();
    let real = BUDGETS.iter().map(|(what, file, name)| (*what, value(file, name)));
    assert_eq!(of_page, real.collect());
}
