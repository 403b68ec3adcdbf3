//! The ways between nodes: those that lead nowhere, nodes that none leads to, rounds without a wait in them, messages
//! that come when the customer has not written for a day, and `onFail` where no failure comes back any more.

use std::{collections::VecDeque, time::Duration};

use super::Places;
use crate::{
    findings::{Findings, quoted},
    program::NodeIndex,
};

/// A message without a template that comes so long after the customer's last may not go out: WhatsApp's window is 24
/// hours.
pub(super) const WINDOW: Duration = Duration::from_hours(23);

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

/// How long the customer has been silent at the end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// So much longer than at its beginning.
    Longer(Duration),
    /// So long, whatever it was at its beginning.
    Since(Duration),
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
    failures(outlines, &ways, &reached, findings);
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
pub(super) fn reach(ways: &[Vec<NodeIndex>], mut from: Vec<NodeIndex>) -> Vec<bool> {
    let mut reached = vec![false; ways.len()];
    while let Some(node) = from.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            from.extend(&ways[node]);
        }
    }
    reached
}

/// A failure comes back to a session only while that stands at a wait behind the message.
fn failures(outlines: &[Outline<'_>], ways: &[Vec<(NodeIndex, After)>], reached: &[bool], findings: &mut Findings) {
    let at_once = |node: usize| {
        let at_once = ways[node].iter().filter(|(_, after)| *after == After::Now);
        at_once.map(|(to, _)| *to).collect::<Vec<_>>()
    };
    let next: Vec<Vec<NodeIndex>> = (0..outlines.len()).map(at_once).collect();
    for (node, outline) in outlines.iter().enumerate().filter(|(node, outline)| reached[*node] && !outline.waits) {
        if outline.ways.iter().all(|way| way.field != "onFail") {
            continue;
        }
        let behind = reach(&next, next[node].clone());
        if !outlines.iter().zip(behind).any(|(outline, behind)| behind && outline.waits) {
            let message = "no wait stands behind this message, and the Flow is over before the provider tells of a \
                           failure; onFail is followed only where a value without which it cannot go out is empty: let \
                           next lead to a question or a delay, or remove onFail";
            findings.warning(Some(outline.name), "onFail", message);
        }
    }
}

/// The nodes of each round, first by their place; a node stands in one round at most.
pub(super) fn circles(ways: &[Vec<NodeIndex>]) -> Vec<Vec<NodeIndex>> {
    let mut told = vec![false; ways.len()];
    let mut circles = Vec::new();
    for node in 0..ways.len() {
        if told[node] {
            continue;
        }
        let ahead = reach(ways, ways[node].clone());
        if !ahead[node] {
            continue;
        }
        let circle: Vec<_> = (0..ways.len()).filter(|other| ahead[*other] && reach(ways, vec![*other])[node]).collect();
        circle.iter().for_each(|member| told[*member] = true);
        circles.push(circle);
    }
    circles
}

/// The first names of a round.
pub(super) fn named<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let more = if names.len() > 5 { ", …" } else { "" };
    let names: Vec<_> = names.take(5).map(quoted).collect();
    format!("{}{more}", names.join(", "))
}

/// Rounds that no wait interrupts: an error where no way leads out, a warning where a condition may.
fn rounds(outlines: &[Outline<'_>], mut ways: Vec<Vec<NodeIndex>>, reached: &[bool], findings: &mut Findings) {
    for ((outline, ways), reached) in outlines.iter().zip(&mut ways).zip(reached) {
        if outline.waits || !reached {
            ways.clear();
        }
    }
    for circle in circles(&ways) {
        let names = named(circle.iter().map(|member| outlines[*member].name));
        let name = Some(outlines[circle[0]].name);
        let ahead = reach(&ways, circle);
        if outlines.iter().zip(ahead).any(|(outline, ahead)| ahead && stops(outline)) {
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

/// The longest silence at each node, as far as it matters; `None` where no way leads.
pub(super) fn silences(
    ways: &[Vec<(NodeIndex, Silence)>],
    from: impl IntoIterator<Item = (NodeIndex, Duration)>,
) -> Vec<Option<Duration>> {
    let mut longest: Vec<Option<Duration>> = vec![None; ways.len()];
    let mut grown = vec![0_usize; ways.len()];
    let mut work: VecDeque<(NodeIndex, Duration)> = from.into_iter().collect();
    while let Some((node, time)) = work.pop_front() {
        let time = time.min(WINDOW);
        if longest[node].is_some_and(|known| known >= time) {
            continue;
        }
        grown[node] += 1;
        // A round with a pause in it grows for ever: without one, no node grows more often than there are nodes.
        let time = if grown[node] > ways.len() + 1 { WINDOW } else { time };
        longest[node] = Some(time);
        work.extend(ways[node].iter().map(|(to, silence)| match silence {
            Silence::Longer(span) => (*to, time.saturating_add(*span)),
            Silence::Since(span) => (*to, *span),
        }));
    }
    longest
}

impl After {
    /// What it does to the customer's silence.
    pub(super) const fn silence(self, patience: Duration) -> Silence {
        match self {
            Self::Answer => Silence::Since(Duration::ZERO),
            Self::Time(span) => Silence::Longer(span),
            Self::Patience => Silence::Longer(patience),
            Self::Now | Self::Failure => Silence::Longer(Duration::ZERO),
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
    let silent = |(to, after): &(NodeIndex, After)| (*to, after.silence(patience));
    let ways: Vec<Vec<_>> = ways.iter().map(|ways| ways.iter().map(silent).collect()).collect();
    let longest = silences(&ways, from.iter().copied());
    for (outline, longest) in outlines.iter().zip(longest) {
        if outline.speaks && longest.is_some_and(|time| time >= WINDOW) {
            let message = "it may come 23 hours or more after the customer's last message, when WhatsApp takes approved \
                           templates alone: add a template";
            findings.warning(Some(outline.name), "template", message);
        }
    }
}
