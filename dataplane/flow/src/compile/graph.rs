//! The ways between nodes: those that lead nowhere, nodes that none leads to, and rounds without a question in them.

use std::collections::HashMap;

use wigwag_crds::flow::{Node, NodeKind};

use crate::{
    findings::{Findings, quoted},
    program::NodeIndex,
};

type Places<'a> = HashMap<&'a str, NodeIndex>;

pub(super) fn check(nodes: &[Node], start: Option<NodeIndex>, places: &Places<'_>, findings: &mut Findings) {
    let ways: Vec<Vec<NodeIndex>> = nodes.iter().map(|node| ways(node, places, findings)).collect();
    let Some(start) = start else { return };
    let reached = reach(&ways, vec![start]);
    for (node, _) in nodes.iter().zip(&reached).filter(|(_, reached)| !**reached) {
        findings.warning(Some(&node.name), "name", "no node leads here: remove it, or name it where it should follow");
    }
    rounds(nodes, ways, &reached, findings);
}

/// What to write instead of a name that is not there.
pub(super) fn instead(name: &str, places: &Places<'_>, findings: &Findings) -> String {
    match findings.meant(name, places.keys().copied()) {
        Some(known) => format!("did you mean {known:?}?"),
        None => "add it, or name one that is".to_owned(),
    }
}

/// The fields that name a node, with the name where there is one. One without a name ends the conversation.
fn references(node: &Node) -> Vec<(String, Option<&str>)> {
    match node.kind() {
        Some(NodeKind::Message(message)) => vec![("next".to_owned(), message.next.as_deref())],
        Some(NodeKind::Assign(assign)) => vec![("next".to_owned(), assign.next.as_deref())],
        Some(NodeKind::Goto(goto)) => vec![("node".to_owned(), Some(goto.node.as_str()))],
        Some(NodeKind::Options(options)) => {
            let options_next = options.options.iter().enumerate();
            let mut found: Vec<_> = options_next
                .map(|(index, option)| (format!("options[{index}].next"), option.next.as_deref()))
                .collect();
            found.push(("noMatch".to_owned(), options.no_match.as_deref()));
            found
        }
        Some(NodeKind::Condition(condition)) => {
            let cases = condition.cases.iter().enumerate();
            let mut found: Vec<_> =
                cases.map(|(index, case)| (format!("cases[{index}].next"), Some(case.next.as_str()))).collect();
            found.push(("else".to_owned(), condition.else_.as_deref()));
            found
        }
        Some(NodeKind::End(_)) | None => Vec::new(),
    }
}

/// The nodes that follow; a finding for each name that is not there.
fn ways(node: &Node, places: &Places<'_>, findings: &mut Findings) -> Vec<NodeIndex> {
    let mut ways = Vec::new();
    for (field, name) in references(node) {
        let Some(name) = name else { continue };
        match places.get(name) {
            Some(place) => ways.push(*place),
            None => {
                let instead = instead(name, places, findings);
                let message = format!("it names node {}, which is not among the nodes: {instead}", quoted(name));
                findings.error(Some(&node.name), field, message);
            }
        }
    }
    ways
}

/// Whether a conversation may stop here, to wait or for good.
fn stops(node: &Node) -> bool {
    match node.kind() {
        Some(NodeKind::Options(_) | NodeKind::End(_)) | None => true,
        _ => references(node).iter().any(|(_, name)| name.is_none()),
    }
}

/// Which nodes can be reached from these.
fn reach(ways: &[Vec<NodeIndex>], mut from: Vec<NodeIndex>) -> Vec<bool> {
    let mut reached = vec![false; ways.len()];
    while let Some(node) = from.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            from.extend(&ways[node]);
        }
    }
    reached
}

/// Rounds that no question interrupts: an error where no way leads out, a warning where a condition may.
fn rounds(nodes: &[Node], mut ways: Vec<Vec<NodeIndex>>, reached: &[bool], findings: &mut Findings) {
    for (node, ways) in nodes.iter().zip(&mut ways) {
        if matches!(node.kind(), Some(NodeKind::Options(_))) {
            ways.clear();
        }
    }
    let mut told = vec![false; nodes.len()];
    for node in (0..nodes.len()).filter(|node| reached[*node]) {
        if told[node] {
            continue;
        }
        let ahead = reach(&ways, ways[node].clone());
        if !ahead[node] {
            continue;
        }
        let round: Vec<_> =
            (0..nodes.len()).filter(|other| ahead[*other] && reach(&ways, vec![*other])[node]).collect();
        round.iter().for_each(|member| told[*member] = true);
        let names: Vec<_> = round.iter().take(5).map(|member| quoted(&nodes[*member].name)).collect();
        let names = format!("{}{}", names.join(", "), if round.len() > 5 { ", …" } else { "" });
        let name = Some(nodes[node].name.as_str());
        if (0..nodes.len()).any(|other| ahead[other] && stops(&nodes[other])) {
            let message = format!(
                "{names} may go round without waiting for the customer; after 500 steps the session is Errored: make \
                 sure that a condition leads out"
            );
            findings.warning(name, "next", message);
        } else {
            let message = format!(
                "{names} go round for ever without waiting for the customer: put an options node among them, or let \
                 one lead elsewhere"
            );
            findings.error(name, "next", message);
        }
    }
}
