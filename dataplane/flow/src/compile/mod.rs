//! From a Flow to a program, or to what is wrong with it. The operator's conditions, `flow check` and the loader of the
//! data plane all ask here, so that they never differ.
//!
//! Two front ends, one program: `native` reads `spec.nodes`, `editor` what the drag-and-drop editor saves. Both write
//! with the `builder`, which parses texts and expressions; `graph` looks at the ways between nodes, `limits` at what a
//! schema would refuse. `calls` and `tenant` hold a flow against the others of its tenant, and against the tenant.

mod builder;
mod calls;
mod editor;
mod graph;
mod limits;
mod native;
mod talk;
mod tenant;
mod ways;

use std::collections::HashMap;

use wigwag_crds::{FlowSpec, flow::Finding};

pub use calls::compare_calls;
pub use tenant::unknown_variables;

use crate::{
    Program, escape,
    findings::{Findings, quoted},
    program::{self, Inner, Lifetime, NodeIndex},
    trigger::{self, Trigger},
};
use graph::Outline;

/// The largest flow, in bytes of JSON.
const MAX_SIZE: usize = 256 * 1_024;
/// The most nodes of a flow.
const MAX_NODES: usize = 500;

/// What became of a Flow.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What runs; `None` where a finding is an error.
    pub program: Option<Program>,
    /// What is wrong, or worth a look, errors first. At most 101.
    pub findings: Vec<Finding>,
}

/// Where each node stands, by name.
type Places<'a> = HashMap<&'a str, NodeIndex>;

/// What a front end makes of a Flow.
struct Front<'a> {
    triggers: Vec<Trigger>,
    /// The node at which each trigger begins, where they differ.
    entries: Vec<NodeIndex>,
    /// The node that comes first, if there is one of its name.
    start: Option<NodeIndex>,
    places: Places<'a>,
    /// The ways between the nodes, in their order.
    outlines: Vec<Outline<'a>>,
    /// `None` where one of them does not compile.
    nodes: Option<Vec<program::Node>>,
}

/// Checks a Flow and compiles it. It takes any spec, one from a file that no schema has seen too.
#[must_use]
pub fn compile(name: &str, revision: &str, spec: &FlowSpec) -> Compiled {
    let mut findings = Findings::default();
    if let Err(message) = fits(spec) {
        findings.error(None, "nodes", message);
        return Compiled { program: None, findings: findings.into_vec() };
    }
    limits::check(spec, &mut findings);
    let front = match &spec.definition {
        Some(definition) => editor::read(spec, &definition.0, &mut findings),
        None => native::read(spec, &mut findings),
    };
    let Front { triggers, entries, start, places, outlines, nodes } = front;
    let mut place = |field: &str, name: Option<&String>| match name.map(|name| (name, places.get(name.as_str()))) {
        Some((_, Some(place))) => Some(*place),
        Some((name, None)) => {
            let instead = graph::instead(name, &places, &findings);
            let message = format!("it names node {}, which is not among the nodes: {instead}", quoted(name));
            findings.error(None, field, message);
            None
        }
        None => None,
    };
    let on_error = place("onError", spec.on_error.as_ref());
    let on_timeout = place("session.onTimeout", spec.session.on_timeout.as_ref());
    let timeout = spec.session.timeout.duration();
    let roots: Vec<_> =
        start.into_iter().chain(entries.iter().copied()).map(|node| (node, std::time::Duration::ZERO)).collect();
    let beside = [(on_error, std::time::Duration::ZERO), (on_timeout, timeout)];
    let beside: Vec<_> = beside.into_iter().filter_map(|(place, after)| Some((place?, after))).collect();
    graph::check(&outlines, &roots, &beside, timeout, &places, &mut findings);
    let own_escape = spec.escape.clone().unwrap_or_default();
    let escape = escape::compile(&own_escape.add, "escape.add", &mut findings);

    let program = match (start, nodes) {
        (Some(start), Some(nodes)) if !findings.has_errors() => Some(Program::from(Inner {
            name: name.to_owned(),
            revision: revision.to_owned(),
            priority: spec.priority,
            suspended: spec.suspend,
            lifetime: Lifetime { timeout, on_timeout, max_age: spec.session.max_age.duration() },
            triggers,
            escape,
            no_tenant_escape: own_escape.disable,
            start,
            entries: entries.clone(),
            on_error,
            nodes,
            places: places.into_iter().map(|(name, index)| (name.to_owned(), index)).collect(),
        })),
        _ => None,
    };
    Compiled { program, findings: findings.into_vec() }
}

/// Refuses what is too large to look at.
fn fits(spec: &FlowSpec) -> Result<(), String> {
    if spec.nodes.len() > MAX_NODES {
        return Err(format!(
            "the flow has {} nodes, and at most {MAX_NODES} are allowed: split it into several",
            spec.nodes.len()
        ));
    }
    let size = serde_json::to_vec(spec).map_or(0, |json| json.len());
    if size > MAX_SIZE {
        return Err(format!(
            "the flow has {} KiB, and at most {} are allowed: split it into several",
            size / 1_024,
            MAX_SIZE / 1_024
        ));
    }
    Ok(())
}

/// The place of each name; of two nodes with one name the first. `field` is where a node's name stands.
fn places<'a>(
    names: impl Iterator<Item = &'a str>,
    field: impl Fn(usize) -> String,
    findings: &mut Findings,
) -> Places<'a> {
    let mut places = HashMap::new();
    for (index, name) in names.enumerate() {
        if places.contains_key(name) {
            let message = format!("another node is named {} too: give one another name", quoted(name));
            findings.error(Some(name), field(index), message);
        } else {
            places.insert(name, index);
        }
    }
    if places.is_empty() {
        findings.error(None, "nodes", "the flow has no nodes: add the one that comes first");
    }
    places
}

/// Compiles the triggers of the native form.
fn triggers(spec: &FlowSpec, findings: &mut Findings) -> Vec<Trigger> {
    trigger::compile(&spec.triggers, findings)
}
