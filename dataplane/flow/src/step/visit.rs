//! Visits of `waitFor` nodes: each has a URL of its own.

use serde_json::Value;
use wigwag_domain::SignalId;

use super::run::Run;
use crate::{program::Kind, resume::Resume, session::Wait};

impl Run<'_> {
    /// The visit of a `waitFor` node that is open now or comes next.
    pub(super) fn next_visit(&self, node: &str) -> Resume {
        let node = match &self.session.called {
            Some(flow) => format!("{flow}/{node}"),
            None => node.to_owned(),
        };
        let visit = self.session.visits.get(&node).copied().unwrap_or(0) + 1;
        Resume { session: self.session.id, node, visit }
    }

    /// Notes that a `waitFor` node was left, so that its URL works no more.
    pub(super) fn leave_visit(&mut self, id: SignalId) {
        let Resume { node, visit, .. } = self.next_visit(&self.session.node);
        if SignalId::of_visit(self.session.id, &node, visit) == id {
            self.session.visits.insert(node, visit);
            self.write_resume_urls();
        }
    }

    /// Leaves the wait at which the session stands: the URL of a `waitFor` works no more.
    pub(super) fn leave_wait(&mut self) {
        if let Some(Wait::Resume { id, .. }) = self.session.wait {
            self.leave_visit(id);
        }
    }

    /// Writes `resume`: a URL for each `waitFor` node of the flow that the session is in.
    pub(super) fn write_resume_urls(&mut self) {
        let Some((base, key)) = self.world.tenant.resume() else { return };
        let waits = self.program.nodes().iter().filter(|node| matches!(node.kind, Kind::WaitFor { .. }));
        let urls = waits.map(|node| {
            let token = key.token(&self.next_visit(&node.name));
            (node.name.clone(), Value::from(format!("{base}/resume/{token}")))
        });
        self.resume = Value::Object(urls.collect());
    }
}
