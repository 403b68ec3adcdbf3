//! Sessions in a Flow's status: how many are open by revision, where those of the last day failed, and a warning for each
//! node that an edit took away while somebody stood there. Pure.
//!
//! Shown as orders of magnitude: a status that told each session would be written for each.

use std::collections::{BTreeMap, BTreeSet};

use kube::runtime::events::{Event, EventType};
use wigwag_crds::{
    condition::Reason,
    flow::{ErroredAt, Finding, Severity},
    sessions::{Errored, Revisions},
};

use super::check::Checked;

/// More ways in which sessions failed are not told.
const MOST_WAYS: usize = 10;

/// The open sessions of each revision.
#[must_use]
pub fn by_revision(revisions: &Revisions) -> BTreeMap<String, String> {
    let counted = revisions.iter().map(|(revision, nodes)| (revision, nodes.values().sum()));
    counted.map(|(revision, sessions)| (revision.clone(), magnitude(sessions).to_owned())).collect()
}

/// The open sessions of all revisions.
#[must_use]
pub fn total(revisions: &Revisions) -> &'static str {
    magnitude(revisions.values().flat_map(BTreeMap::values).sum())
}

/// Where sessions failed, the most frequent first.
#[must_use]
pub fn errored(errored: &[Errored]) -> Vec<ErroredAt> {
    let told = errored.iter().take(MOST_WAYS).map(|Errored { node, kind, sessions }| ErroredAt {
        node: node.clone(),
        kind: kind.clone(),
        sessions: magnitude(*sessions).to_owned(),
    });
    told.collect()
}

/// The same in a sentence, of the most frequent.
#[must_use]
pub fn failed_of_late(errored: &[ErroredAt]) -> Option<String> {
    let ErroredAt { node, kind, sessions } = errored.first()?;
    let more = match errored.len() {
        1 => String::new(),
        many => format!(" (and in {} other ways, see status.errored)", many - 1),
    };
    Some(format!("In the last 24 hours {sessions} sessions could not go on at node {node:?}: {kind}{more}."))
}

/// A warning for each node that the Flow has no more and at which sessions of other revisions stand. They end as they
/// began, so a Flow that does not run has nothing to warn of: its sessions' revision goes on running.
#[must_use]
pub fn left_behind(checked: &Checked, revisions: &Revisions) -> Vec<Finding> {
    if !checked.runs {
        return Vec::new();
    }
    let mut gone: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (revision, nodes) in revisions.iter().filter(|(revision, _)| **revision != checked.revision) {
        for node in nodes.keys().filter(|node| !checked.nodes.contains(*node)) {
            gone.entry(node).or_default().insert(revision);
        }
    }
    gone.into_iter().map(|(node, revisions)| warning(node, &revisions, &checked.revision)).collect()
}

fn warning(node: &str, revisions: &BTreeSet<&str>, new: &str) -> Finding {
    let revisions: Vec<_> = revisions.iter().copied().collect();
    let message = format!(
        "revision {new} has no such node, and open sessions of revision {} stand there: they go on as they began; \
         to have them begin anew, `wigwag-dataplane session restart`",
        revisions.join(", ")
    );
    Finding { severity: Severity::Warning, node: Some(node.to_owned()), field: "name".to_owned(), message }
}

/// The event that tells of warnings; `None` without any.
#[must_use]
pub fn event(warnings: &[Finding]) -> Option<Event> {
    let first = warnings.first()?;
    let more = match warnings.len() {
        1 => String::new(),
        many => format!(" (and {} more in status.findings)", many - 1),
    };
    Some(Event {
        type_: EventType::Warning,
        reason: Reason::NodeInUse.as_str().to_owned(),
        note: Some(format!("{first}{more}")),
        action: "Edited".to_owned(),
        secondary: None,
    })
}

fn magnitude(sessions: u64) -> &'static str {
    match sessions {
        0 => "0",
        1..10 => "1+",
        10..100 => "10+",
        100..1000 => "100+",
        _ => "1000+",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revisions(counts: &[(&str, &[(&str, u64)])]) -> Revisions {
        let nodes = |nodes: &[(&str, u64)]| nodes.iter().map(|(node, many)| ((*node).to_owned(), *many)).collect();
        counts.iter().map(|(revision, counted)| ((*revision).to_owned(), nodes(counted))).collect()
    }

    fn checked(revision: &str, nodes: &[&str]) -> Checked {
        let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
        Checked { revision: revision.to_owned(), runs: true, findings: Vec::new(), nodes }
    }

    #[test]
    fn sessions_are_told_as_orders_of_magnitude_over_all_nodes_of_a_revision() {
        let open = revisions(&[("old", &[("menu", 5), ("pay", 5)]), ("new", &[("menu", 9)])]);
        let told: Vec<_> = by_revision(&open).into_iter().collect();
        assert_eq!(told, [("new".to_owned(), "1+".to_owned()), ("old".to_owned(), "10+".to_owned())]);
        assert_eq!(total(&open), "10+");
        let many = |sessions| total(&revisions(&[("one", &[("menu", sessions)])]));
        assert_eq!([1, 9, 10, 99, 100, 999, 1000].map(many), ["1+", "1+", "10+", "10+", "100+", "100+", "1000+"]);
        assert_eq!(total(&Revisions::new()), "0");
    }

    #[test]
    fn failures_are_told_with_the_most_frequent_in_a_sentence() {
        let one = |node: &str, sessions| Errored { node: node.to_owned(), kind: "http-5xx".to_owned(), sessions };
        let told = errored(&[one("pay", 12), one("ship", 1)]);
        let expected = "In the last 24 hours 10+ sessions could not go on at node \"pay\": http-5xx (and in 1 other ways, \
                        see status.errored).";
        assert_eq!(failed_of_late(&told).unwrap(), expected);
        assert_eq!((told[1].node.as_str(), told[1].sessions.as_str()), ("ship", "1+"));
        assert!(failed_of_late(&[]).is_none());
        assert_eq!(errored(&vec![one("pay", 1); 50]).len(), MOST_WAYS);
    }

    #[test]
    fn a_node_that_an_edit_took_away_is_told_of_while_somebody_stands_there() {
        let open = revisions(&[("old", &[("menu", 5), ("pay", 5)]), ("older", &[("pay", 1)]), ("new", &[("menu", 9)])]);
        let left = left_behind(&checked("new", &["menu", "bye"]), &open);
        let nodes: Vec<_> = left.iter().map(|warning| warning.node.as_deref()).collect();
        assert_eq!(nodes, [Some("pay")]);
        assert!(left[0].message.starts_with("revision new has no such node, and open sessions of revision old, older"));
        assert_eq!(left_behind(&checked("new", &["menu", "pay"]), &open), []);
        let broken = Checked { runs: false, ..checked("new", &[]) };
        assert_eq!(left_behind(&broken, &open), [], "its sessions' revision goes on");
    }

    #[test]
    fn one_event_tells_of_all_warnings() {
        assert!(event(&[]).is_none());
        let open = revisions(&[("old", &[("card", 1), ("pay", 5)])]);
        let told = event(&left_behind(&checked("new", &["menu"]), &open)).unwrap();
        let note = told.note.unwrap();
        assert!(note.starts_with("node \"card\", name: revision new has no such node"), "{note}");
        assert!(note.ends_with("(and 1 more in status.findings)"), "{note}");
        assert_eq!(told.reason, "NodeInUse");
    }
}
