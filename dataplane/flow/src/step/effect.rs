//! What goes out: messages and calls, each with an id that a second run of the step makes again.

use jiff::Timestamp;
use wigwag_domain::{Body, EffectId, HttpCall, OutboundId, TemplateMessage};

use super::{Effect, ProblemKind, run::Run};
use crate::{context::record_outbound, session::Sent};

/// Messages of one standstill that are known when they fail.
const MAX_SENT: usize = 50;

impl Run<'_> {
    /// Sends a message, unless it would be the first word to somebody who wants none.
    pub(super) fn send(
        &mut self,
        body: Body,
        fallback: Option<TemplateMessage>,
        options: &[&str],
    ) -> Option<&mut Sent> {
        if !self.customer_writes() && self.world.contact.has_opted_out() {
            let message = "the customer wants no messages: nothing is sent until they write".to_owned();
            self.problem("", ProblemKind::OptedOut, message);
            return None;
        }
        record_outbound(&mut self.session.context, &body, options, &self.stamp);
        let id =
            OutboundId::of_effect(self.at.as_millisecond(), self.session.id, self.session.events, self.next_effect());
        if self.session.sent.len() == MAX_SENT {
            self.session.sent.remove(0);
        }
        let (node, called) = (self.session.node.clone(), self.session.called.clone());
        self.session.sent.push(Sent { id, node, called, depth: self.session.callers.len(), behind_template: false });
        self.effects.push(Effect::Send { id, body, fallback });
        self.session.sent.last_mut()
    }

    /// Calls an endpoint.
    pub(super) fn call(&mut self, call: HttpCall, deadline: Timestamp) -> EffectId {
        let at = self.at.as_millisecond();
        let id = EffectId::of_step(at, self.session.id, self.session.events, self.next_effect());
        self.effects.push(Effect::Call { id, call, deadline });
        id
    }

    fn next_effect(&self) -> u32 {
        u32::try_from(self.effects.len()).unwrap_or(u32::MAX)
    }
}
