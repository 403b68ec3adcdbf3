//! From a Flow to a program, or to what is wrong with it. The operator's conditions, `flow check` and the loader of the
//! data plane all ask here, so that they never differ.

mod builder;
mod graph;
mod limits;

use std::collections::HashMap;

use wigwag_crds::{
    FlowSpec,
    flow::{Finding, Node},
};

use crate::{
    Program,
    findings::{Findings, quoted},
    program::{Inner, NodeIndex},
    trigger,
};

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

/// Checks a Flow and compiles it. It takes any spec, one from a file that no schema has seen too.
#[must_use]
pub fn compile(name: &str, revision: &str, spec: &FlowSpec) -> Compiled {
    let mut findings = Findings::default();
    if let Err(message) = fits(spec) {
        findings.error(None, "nodes", message);
        return Compiled { program: None, findings: findings.into_vec() };
    }
    limits::check(spec, &mut findings);
    let triggers = trigger::compile(&spec.triggers, &mut findings);
    let places = places(&spec.nodes, &mut findings);
    let start = places.get(spec.start.as_str()).copied();
    if start.is_none() {
        let instead = graph::instead(&spec.start, &places, &findings);
        let message = format!("start names node {}, which is not among the nodes: {instead}", quoted(&spec.start));
        findings.error(None, "start", message);
    }
    graph::check(&spec.nodes, start, &places, &mut findings);
    let nodes = builder::nodes(&spec.nodes, &places, &mut findings);

    let program = match (start, nodes) {
        (Some(start), Some(nodes)) if !findings.has_errors() => Some(Program::from(Inner {
            name: name.to_owned(),
            revision: revision.to_owned(),
            priority: spec.priority,
            session_timeout: spec.session.timeout.duration(),
            triggers,
            start,
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

/// The place of each name; of two nodes with one name the first.
fn places<'a>(nodes: &'a [Node], findings: &mut Findings) -> HashMap<&'a str, NodeIndex> {
    let mut places = HashMap::new();
    if nodes.is_empty() {
        findings.error(None, "nodes", "the flow has no nodes: add the one that start names");
    }
    for (index, node) in nodes.iter().enumerate() {
        if places.contains_key(node.name.as_str()) {
            let message = format!("another node is named {} too: give one another name", quoted(&node.name));
            findings.error(Some(&node.name), format!("nodes[{index}].name"), message);
        } else {
            places.insert(node.name.as_str(), index);
        }
    }
    places
}
