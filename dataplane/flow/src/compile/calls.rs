//! Flows that call each other: calls of a flow that is not there, flows that call each other in a circle, and what a
//! flow alone does not show: a round through a call that never waits, and messages that come when the customer has not
//! written for a day, because of what is waited for on the other side of a call.
//!
//! Each called flow is looked at by itself and becomes a few numbers; its callers reckon with those.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use wigwag_crds::flow::{Finding, Severity};

use super::{
    graph::{After, Silence, WINDOW, circles, named, reach, silences},
    ways::{Ways, ways},
};
use crate::{
    Program,
    findings::quoted,
    program::{Node, NodeIndex},
};

/// How deep calls are looked into: deeper ones fail.
const DEPTH: usize = 5;

/// What a called flow is to its callers. Times are those of the customer's silence, as far as they matter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Called<'p> {
    /// Whether it may come back without having waited.
    passes: bool,
    /// How much longer the silence is at its end where the customer was asked nothing; `None` where they always are.
    adds: Option<Duration>,
    /// How long the silence is at its end where the customer answered something.
    since: Option<Duration>,
    /// The message without a template before which the most silence is added.
    speaks: Option<Speaks<'p>>,
}

/// A message without a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Speaks<'p> {
    after: Duration,
    flow: &'p str,
    node: &'p str,
}

/// A flow as this module sees it.
struct Sketch<'p> {
    flow: &'p Program,
    ways: Vec<Ways>,
}

type ByName<'p> = BTreeMap<&'p str, Called<'p>>;

/// What is wrong with calls between these flows, each with the name of the flow that it is about. All of it are
/// warnings.
#[must_use]
pub fn compare_calls(flows: &[&Program]) -> Vec<(String, Finding)> {
    let by_name: BTreeMap<&str, &Program> = flows.iter().map(|flow| (flow.name(), *flow)).collect();
    let mut findings = Vec::new();
    for flow in flows {
        for called in flow.calls() {
            if let Some(message) = bad_call(flow.name(), called, &by_name) {
                findings.push((flow.name().to_owned(), warning(flow.caller_of(called), "flow", message)));
            }
        }
    }
    let all_called: BTreeSet<&str> = flows.iter().flat_map(|flow| flow.calls()).collect();
    let sketches: Vec<Sketch<'_>> = flows
        .iter()
        .filter(|flow| all_called.contains(flow.name()) || !flow.calls().is_empty())
        .map(|flow| Sketch { flow, ways: flow.nodes().iter().map(ways).collect() })
        .collect();
    // At first nothing is known of what flows call, then what they call is known one level deeper each time.
    let mut known = ByName::new();
    for _ in 0..DEPTH {
        let called = sketches.iter().filter(|sketch| all_called.contains(sketch.flow.name()));
        let deeper = called.map(|sketch| (sketch.flow.name(), sketch.called(&known))).collect();
        if known == deeper {
            break;
        }
        known = deeper;
    }
    for sketch in sketches.iter().filter(|sketch| !sketch.flow.calls().is_empty()) {
        let found = sketch.rounds(&known).into_iter().chain(sketch.windows(&known));
        findings.extend(found.map(|finding| (sketch.flow.name().to_owned(), finding)));
    }
    findings
}

/// Why a call cannot work.
fn bad_call(flow: &str, called: &str, by_name: &BTreeMap<&str, &Program>) -> Option<String> {
    if !by_name.contains_key(called) {
        return Some(format!("it calls Flow {called:?}, which is not among the tenant's: add it"));
    }
    // Whoever can get back to this flow from there goes round.
    let mut seen = BTreeSet::new();
    let mut ahead = vec![called];
    while let Some(name) = ahead.pop() {
        if seen.insert(name) {
            ahead.extend(by_name.get(name).map(|flow| flow.calls()).unwrap_or_default());
        }
    }
    seen.contains(flow).then(|| {
        format!(
            "it calls Flow {called:?}, which calls this one again; after 5 calls the session fails: let one of them \
             end instead"
        )
    })
}

fn warning(node: Option<&str>, field: &str, message: String) -> Finding {
    Finding { severity: Severity::Warning, node: node.map(str::to_owned), field: field.to_owned(), message }
}

/// The two places of a node, and of the end: before the customer answered anything, and after.
const fn place(node: NodeIndex, answered: bool) -> NodeIndex {
    node * 2 + answered as usize
}

impl<'p> Sketch<'p> {
    fn nodes(&self) -> &'p [Node] {
        self.flow.nodes()
    }

    /// What it is to its callers.
    fn called(&self, known: &ByName<'p>) -> Called<'p> {
        let start = self.flow.start();
        let end = self.nodes().len();
        let ahead = reach(&self.at_once(known), vec![start]);
        let longest = silences(&self.silent(known), [(place(start, false), Duration::ZERO)]);
        let unanswered = |node: NodeIndex| longest[place(node, false)];
        let own = self.nodes().iter().zip(&self.ways).enumerate().filter_map(|(index, (node, ways))| {
            let after = unanswered(index).filter(|_| ways.speaks)?;
            Some(Speaks { after, flow: self.flow.name(), node: &node.name })
        });
        let further = self.nodes().iter().enumerate().filter_map(|(index, node)| {
            let speaks = known.get(node.called()?)?.speaks?;
            Some(Speaks { after: unanswered(index)?.saturating_add(speaks.after), ..speaks })
        });
        // What is late by itself is told by itself.
        let speaks = own.chain(further).filter(|speaks| speaks.after < WINDOW);
        Called {
            passes: ahead[end],
            adds: unanswered(end),
            since: longest[place(end, true)],
            speaks: speaks.max_by_key(|speaks| speaks.after),
        }
    }

    /// Where each node leads without a wait; the end has the place behind the last node.
    fn at_once(&self, known: &ByName<'p>) -> Vec<Vec<NodeIndex>> {
        let end = self.nodes().len();
        let next = self.nodes().iter().zip(&self.ways).map(|(node, ways)| {
            let passes = node.called().and_then(|flow| known.get(flow)).is_some_and(|called| called.passes);
            let ways = if ways.waits && !passes { &[][..] } else { &ways.to };
            ways.iter().map(|(to, _)| to.unwrap_or(end)).collect()
        });
        next.chain([Vec::new()]).collect()
    }

    /// How each way changes the customer's silence.
    fn silent(&self, known: &ByName<'p>) -> Vec<Vec<(NodeIndex, Silence)>> {
        let end = self.nodes().len();
        let patience = self.flow.lifetime().timeout;
        let mut silent = vec![Vec::new(); 2 * (end + 1)];
        for (index, (node, ways)) in self.nodes().iter().zip(&self.ways).enumerate() {
            let called = node.called().and_then(|flow| known.get(flow));
            for (to, after) in &ways.to {
                let to = to.unwrap_or(end);
                for answered in [false, true] {
                    let from = &mut silent[place(index, answered)];
                    match (called, after.silence(patience)) {
                        (Some(called), _) if *after == After::Now => {
                            from.extend(called.adds.map(|span| (place(to, answered), Silence::Longer(span))));
                            from.extend(called.since.map(|span| (place(to, true), Silence::Since(span))));
                        }
                        (_, since @ Silence::Since(_)) => from.push((place(to, true), since)),
                        (_, longer) => from.push((place(to, answered), longer)),
                    }
                }
            }
        }
        silent
    }

    /// The longest silence at each node, wherever the flow began.
    fn longest(&self, known: &ByName<'p>) -> Vec<Option<Duration>> {
        let triggered = (0..self.flow.triggers().len()).map(|trigger| self.flow.entry(Some(trigger)));
        let at_once = triggered.chain([self.flow.start()]).chain(self.flow.on_error());
        let lifetime = self.flow.lifetime();
        let late = lifetime.on_timeout.map(|node| (node, lifetime.timeout));
        let from = at_once.map(|node| (node, Duration::ZERO)).chain(late);
        let longest = silences(&self.silent(known), from.map(|(node, time)| (place(node, false), time)));
        longest.chunks_exact(2).map(|places| places[0].max(places[1])).collect()
    }

    /// Rounds through a call of a flow that may come back without having waited.
    fn rounds(&self, known: &ByName<'p>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for circle in circles(&self.at_once(known)) {
            let mut members = circle.iter().map(|member| &self.nodes()[*member]);
            let Some((caller, flow)) = members.find_map(|node| Some((node, node.called()?))) else { continue };
            let names = named(circle.iter().map(|member| self.nodes()[*member].name.as_str()));
            let message = format!(
                "{names} may go round without waiting for the customer, for Flow {} may come back without having \
                 waited; after 500 steps the session is Errored: put an options node among them, or make sure that a \
                 condition leads out",
                quoted(flow)
            );
            findings.push(warning(Some(&caller.name), "next", message));
        }
        findings
    }

    /// Messages that come too late because of a call: after it, or in the called flow.
    fn windows(&self, known: &ByName<'p>) -> Vec<Finding> {
        const LATE: &str = "23 hours or more after the customer's last message, when WhatsApp takes approved templates \
                            alone: add a template";
        let is_late = |time: Option<Duration>| time.is_some_and(|time| time >= WINDOW);
        // What is late without the calls was told of the flow alone.
        let alone = self.longest(&ByName::new());
        let longest = self.longest(known);
        let mut findings = Vec::new();
        for (index, (node, ways)) in self.nodes().iter().zip(&self.ways).enumerate() {
            if ways.speaks && is_late(longest[index]) && !is_late(alone[index]) {
                let message = format!("because of the Flows that are called before, it may come {LATE}");
                findings.push(warning(Some(&node.name), "template", message));
            }
            let speaks = node.called().and_then(|flow| known.get(flow)).and_then(|called| called.speaks);
            if let Some(speaks) = speaks.filter(|speaks| is_late(longest[index].map(|time| time + speaks.after))) {
                let (node_there, flow_there) = (quoted(speaks.node), quoted(speaks.flow));
                let message = format!(
                    "because of what is waited for before, node {node_there} of Flow {flow_there} may come {LATE} there"
                );
                findings.push(warning(Some(&node.name), "flow", message));
            }
        }
        findings
    }
}

impl Program {
    /// The node that calls a flow.
    fn caller_of(&self, called: &str) -> Option<&str> {
        self.nodes().iter().find(|node| node.called() == Some(called)).map(|node| node.name.as_str())
    }
}
