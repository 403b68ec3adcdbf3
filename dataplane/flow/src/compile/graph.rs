//! The ways between nodes: those that lead nowhere, nodes that none leads to, rounds without a wait in them, and
//! messages that come when the customer has not written for a day.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use wigwag_crds::flow::{Finding, Severity};

use super::Places;
use crate::{
    Program,
    findings::{Findings, quoted},
    program::NodeIndex,
};

/// A message without a template that comes so long after the customer's last may not go out: WhatsApp's window is 24
/// hours.
const WINDOW: Duration = Duration::from_hours(23);

/// A node, as far as the ways go.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    pub name: &'a str,
    pub ways: Vec<Way<'a>>,
    /// Whether the session stands still here.
    pub waits: bool,
    /// Whether it says something that goes out only within 24 hours.
    pub speaks: bool,
}

/// A way from a node.
#[derive(Debug)]
pub(super) struct Way<'a> {
    /// The field that names the node.
    pub field: String,
    /// Where it leads; the end of the flow, where nothing is named.
    pub to: Option<&'a str>,
    pub after: After,
}

/// When a way is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// At once.
    Now,
    /// When the customer has written.
    Answer,
    /// After this time at most.
    Time(Duration),
    /// After the patience of the flow's session.
    Patience,
    /// When something failed.
    Failure,
}

/// `roots` are the nodes that come first, `beside` those to which the flow itself leads, each with the time that has
/// gone by.
pub(super) fn check(
    outlines: &[Outline<'_>],
    roots: &[(NodeIndex, Duration)],
    beside: &[(NodeIndex, Duration)],
    patience: Duration,
    places: &Places<'_>,
    findings: &mut Findings,
) {
    let ways: Vec<Vec<(NodeIndex, After)>> = outlines.iter().map(|outline| ways(outline, places, findings)).collect();
    if roots.is_empty() {
        return;
    }
    let all = [roots, beside].concat();
    let next: Vec<Vec<NodeIndex>> = ways.iter().map(|ways| ways.iter().map(|(to, _)| *to).collect()).collect();
    let reached = reach(&next, all.iter().map(|(node, _)| *node).collect());
    for (outline, _) in outlines.iter().zip(&reached).filter(|(_, reached)| !**reached) {
        findings.warning(
            Some(outline.name),
            "name",
            "no node leads here: remove it, or name it where it should follow",
        );
    }
    rounds(outlines, next, &reached, findings);
    windows(outlines, &ways, &all, patience, findings);
}

/// What to write instead of a name that is not there.
pub(super) fn instead(name: &str, places: &Places<'_>, findings: &Findings) -> String {
    match findings.meant(name, places.keys().copied()) {
        Some(known) => format!("did you mean {known:?}?"),
        None => "add it, or name one that is".to_owned(),
    }
}

/// The nodes that follow; a finding for each name that is not there.
fn ways(outline: &Outline<'_>, places: &Places<'_>, findings: &mut Findings) -> Vec<(NodeIndex, After)> {
    let mut ways = Vec::new();
    for Way { field, to, after } in &outline.ways {
        let Some(name) = to else { continue };
        match places.get(name) {
            Some(place) => ways.push((*place, *after)),
            None => {
                let instead = instead(name, places, findings);
                let message = format!("it names node {}, which is not among the nodes: {instead}", quoted(name));
                findings.error(Some(outline.name), field, message);
            }
        }
    }
    ways
}

/// Whether a conversation may stop here, to wait or for good.
fn stops(outline: &Outline<'_>) -> bool {
    outline.waits || outline.ways.is_empty() || outline.ways.iter().any(|way| way.to.is_none())
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

/// Rounds that no wait interrupts: an error where no way leads out, a warning where a condition may.
fn rounds(outlines: &[Outline<'_>], mut ways: Vec<Vec<NodeIndex>>, reached: &[bool], findings: &mut Findings) {
    for (outline, ways) in outlines.iter().zip(&mut ways) {
        if outline.waits {
            ways.clear();
        }
    }
    let mut told = vec![false; outlines.len()];
    for node in (0..outlines.len()).filter(|node| reached[*node]) {
        if told[node] {
            continue;
        }
        let ahead = reach(&ways, ways[node].clone());
        if !ahead[node] {
            continue;
        }
        let round: Vec<_> =
            (0..outlines.len()).filter(|other| ahead[*other] && reach(&ways, vec![*other])[node]).collect();
        round.iter().for_each(|member| told[*member] = true);
        let names: Vec<_> = round.iter().take(5).map(|member| quoted(outlines[*member].name)).collect();
        let names = format!("{}{}", names.join(", "), if round.len() > 5 { ", …" } else { "" });
        let name = Some(outlines[node].name);
        if (0..outlines.len()).any(|other| ahead[other] && stops(&outlines[other])) {
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

/// Messages that come when the customer may not have written for a day.
fn windows(
    outlines: &[Outline<'_>],
    ways: &[Vec<(NodeIndex, After)>],
    from: &[(NodeIndex, Duration)],
    patience: Duration,
    findings: &mut Findings,
) {
    // The longest silence before each node, as far as it matters.
    let mut silence: Vec<Option<Duration>> = vec![None; outlines.len()];
    let mut work: Vec<(NodeIndex, Duration)> = from.to_vec();
    let mut visits = vec![0_usize; outlines.len()];
    while let Some((node, time)) = work.pop() {
        visits[node] += 1;
        // A round with a pause in it grows for ever.
        let time = if visits[node] > outlines.len() + 1 { WINDOW } else { time.min(WINDOW) };
        if silence[node].is_some_and(|known| known >= time) {
            continue;
        }
        silence[node] = Some(time);
        for (to, after) in &ways[node] {
            let after = match after {
                After::Answer => Duration::ZERO,
                After::Time(span) => time.saturating_add(*span),
                After::Patience => time.saturating_add(patience),
                After::Now | After::Failure => time,
            };
            work.push((*to, after));
        }
    }
    for (outline, _) in outlines.iter().zip(&silence).filter(|(_, silence)| silence.is_some_and(|time| time >= WINDOW))
    {
        if outline.speaks {
            let message = "it may come 23 hours or more after the customer's last message, when WhatsApp takes approved \
                           templates alone: add a template";
            findings.warning(Some(outline.name), "template", message);
        }
    }
}

/// Calls between flows that cannot work: of a flow that is not there, and of flows that call each other in a circle.
#[must_use]
pub fn compare_calls(flows: &[&Program]) -> Vec<(String, Finding)> {
    let by_name: BTreeMap<&str, &Program> = flows.iter().map(|flow| (flow.name(), *flow)).collect();
    let mut findings = Vec::new();
    let mut tell = |flow: &str, severity, called: &str, message: String| {
        let node = by_name[flow].caller_of(called).map(str::to_owned);
        findings.push((flow.to_owned(), Finding { severity, node, field: "flow".to_owned(), message }));
    };
    for flow in flows {
        for called in flow.calls() {
            if !by_name.contains_key(called) {
                let message = format!("it calls Flow {called:?}, which is not among the tenant's: add it");
                tell(flow.name(), Severity::Warning, called, message);
                continue;
            }
            // Whoever can get back to this flow from there goes round.
            let mut seen = BTreeSet::new();
            let mut ahead = vec![called];
            while let Some(name) = ahead.pop() {
                if seen.insert(name) {
                    ahead.extend(by_name.get(name).map(|flow| flow.calls()).unwrap_or_default());
                }
            }
            if seen.contains(flow.name()) {
                let message = format!(
                    "it calls Flow {called:?}, which calls this one again; after 5 calls the session fails: let one of \
                     them end instead"
                );
                tell(flow.name(), Severity::Warning, called, message);
            }
        }
    }
    findings
}

impl Program {
    /// The node that calls a flow.
    fn caller_of(&self, called: &str) -> Option<&str> {
        self.nodes().iter().find(|node| node.called() == Some(called)).map(|node| node.name.as_str())
    }
}
