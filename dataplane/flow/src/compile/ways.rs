//! The ways from a compiled node, of either form: what `graph` knows of a flow that may not compile, known of one that
//! did.

use super::graph::After;
use crate::{
    program::{Delivery, Kind, Node, NodeIndex, Patience, Settles},
    question::NoMatch,
};

/// A compiled node, as far as the ways go.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// Where they lead, the end where nothing is named, and when each is taken.
    pub to: Vec<(Option<NodeIndex>, After)>,
    /// Whether the session stands still here; what a called flow does is not known here, and counts as if it did.
    pub waits: bool,
    /// Whether it says something that goes out only within 24 hours.
    pub speaks: bool,
}

pub(super) fn ways(node: &Node) -> Ways {
    let mut ways = Ways::default();
    match &node.kind {
        Kind::Message { delivery, next, .. } | Kind::Media { delivery, next, .. } => {
            ways.way(*next, After::Now);
            ways.says(delivery);
        }
        Kind::Options(question) => {
            question.choices.iter().for_each(|choice| ways.way(choice.next, After::Answer));
            if let NoMatch::Go(next) = question.no_match {
                ways.way(next, After::Answer);
            }
            ways.only(question.stale, After::Answer);
            ways.asks(&question.delivery, question.patience);
        }
        Kind::Ask(ask) => {
            ways.way(ask.next, After::Answer);
            ways.only(ask.on_invalid, After::Answer);
            ways.asks(&ask.delivery, ask.patience);
        }
        Kind::Form(form) => {
            ways.way(form.next, After::Answer);
            ways.asks(&form.delivery, form.patience);
        }
        Kind::Condition { cases, otherwise } => {
            cases.iter().for_each(|case| ways.way(case.next, After::Now));
            ways.way(*otherwise, After::Now);
        }
        Kind::Http(http) => {
            ways.waits = true;
            ways.way(http.next, After::Time(http.timeout));
            if let Settles::ByClass(classes) = &http.settles {
                classes.values().for_each(|node| ways.way(Some(*node), After::Failure));
            }
        }
        Kind::Delay { span, next } => {
            ways.waits = true;
            ways.way(*next, After::Time(*span));
        }
        Kind::WaitFor { timeout, on_timeout, next, .. } => {
            ways.waits = true;
            ways.way(*next, After::Time(*timeout));
            ways.only(*on_timeout, After::Time(*timeout));
        }
        Kind::Handoff(handoff) => {
            ways.waits = true;
            ways.way(handoff.next, After::Time(handoff.timeout));
            ways.only(handoff.on_timeout, After::Time(handoff.timeout));
        }
        Kind::Split { ways: all } => all.iter().for_each(|way| ways.way(way.next, After::Now)),
        Kind::Call { next, .. } => {
            ways.waits = true;
            ways.way(*next, After::Now);
        }
        Kind::Assign { next, .. } | Kind::Trigger { next } | Kind::PendingForm { next, .. } => {
            ways.way(*next, After::Now);
        }
        Kind::Goto { node } => ways.way(Some(*node), After::Now),
        Kind::End { .. } => ways.way(None, After::Now),
    }
    ways.only(node.on_error, After::Failure);
    ways
}

impl Ways {
    fn way(&mut self, to: Option<NodeIndex>, after: After) {
        self.to.push((to, after));
    }

    /// A way that is taken only where it is named.
    fn only(&mut self, to: Option<NodeIndex>, after: After) {
        if to.is_some() {
            self.way(to, after);
        }
    }

    fn says(&mut self, delivery: &Delivery) {
        self.speaks = delivery.template.is_none();
        self.only(delivery.on_fail, After::Failure);
    }

    fn asks(&mut self, delivery: &Delivery, patience: Patience) {
        self.waits = true;
        self.only(patience.on_timeout, patience.timeout.map_or(After::Patience, After::Time));
        self.says(delivery);
    }
}
