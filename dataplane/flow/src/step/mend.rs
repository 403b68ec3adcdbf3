//! Failures: where they lead, as long as a node or a flow has a way for them.

use std::iter;

use serde_json::json;
use wigwag_domain::{clean, cut};

use super::{
    Failure, FailureKind, ProblemKind,
    run::{Run, Then},
};
use crate::{expression::Fuel, program::NodeIndex};

/// Nodes that may follow where one event took too many, for what mends it.
const MENDING_STEPS: u32 = 50;
/// How often one event may fail and go on.
const MAX_MENDED: u32 = 5;
/// The longest `error.message`, in UTF-16 units: a provider's words may be in it.
const MAX_MESSAGE: usize = 1_000;

/// A way for a failure.
struct Way {
    node: NodeIndex,
    /// How many called flows end on it.
    up: usize,
    /// The flow whose `onError` it is; else it is a node's.
    flow: Option<String>,
}

impl Run<'_> {
    /// Does what follows from an event: a failure leads where it is mended.
    pub(super) fn follow(&mut self, then: Result<Then, Failure>) -> Result<(), Failure> {
        match then {
            Ok(Then::Go(next)) => self.walk(next),
            Ok(Then::Wait) => Ok(()),
            Err(failure) => {
                let way = self.mend(failure)?;
                self.walk(Some(way))
            }
        }
    }

    /// Where a failure leads: the node's own way, else the flow's, once, else the same of the caller.
    ///
    /// # Errors
    ///
    /// There is none: the failure ends the session where it stands.
    pub(super) fn mend(&mut self, failure: Failure) -> Result<NodeIndex, Failure> {
        self.note_failure(&failure);
        self.mended += 1;
        if self.mended > MAX_MENDED || matches!(failure.kind, FailureKind::Events | FailureKind::UnknownNode) {
            return Err(failure);
        }
        let Some(way) = self.way(failure.kind) else { return Err(failure) };
        match failure.kind {
            // What such a flow said 500 times is not said.
            FailureKind::Steps => {
                self.effects.clear();
                self.session.sent.clear();
                self.steps = MENDING_STEPS;
            }
            FailureKind::Expressions => self.fuel = Fuel::of_event(),
            _ => {}
        }
        self.problem("", ProblemKind::Mended(failure.kind), failure.message);
        self.leave_calls(self.session.callers.len() - way.up);
        self.session.mended.extend(way.flow);
        Ok(way.node)
    }

    /// A failure for which the node may have a way of its own.
    pub(super) fn own_way(
        &mut self,
        way: Option<NodeIndex>,
        kind: FailureKind,
        message: String,
    ) -> Result<Then, Failure> {
        let failure = self.failure(kind, message);
        if way.is_none() {
            return Err(failure);
        }
        self.note_failure(&failure);
        Ok(Then::Go(way))
    }

    /// Writes `error`, for whatever follows.
    fn note_failure(&mut self, failure: &Failure) {
        self.session.error = json!({
            "node": failure.node,
            "kind": failure.kind.as_str(),
            "message": cut(&clean(&failure.message), MAX_MESSAGE),
        });
    }

    fn way(&self, kind: FailureKind) -> Option<Way> {
        let callers = self.session.callers.iter().rev();
        let callers = callers.map(|frame| (self.flow_of(frame.called.as_deref()), &frame.node));
        iter::once((self.program, &self.session.node)).chain(callers).enumerate().find_map(|(up, (program, node))| {
            // A node is not to blame for the round that it is part of.
            let node = program.place(node).and_then(|index| program.node(index)).filter(|_| kind != FailureKind::Steps);
            if let Some(node) = node.and_then(|node| node.on_error) {
                return Some(Way { node, up, flow: None });
            }
            let node = program.on_error().filter(|_| !self.session.mended.contains(program.name()))?;
            Some(Way { node, up, flow: Some(program.name().to_owned()) })
        })
    }
}
