//! Everything that ends a wait beside the customer's answer: times, results, programs, people, and messages that
//! failed.

use serde_json::{Map, Value};
use wigwag_domain::{CallFailure, CallResult, OutboundId, SignalId};

use super::{
    Event, Failure, FailureKind, Passed, Release, ReleaseTo, Step, What,
    run::{Run, Then},
};
use crate::{
    SessionStatus,
    context::Key,
    program::{Delivery, Kind, Node},
    session::{Sent, Wait},
};

/// Meta's code for a message outside of the 24 hours after the customer's last.
const WINDOW_SHUT: i64 = 131_047;
/// Why a session ended that nobody answered.
const TIMEOUT: &str = "timeout";
/// Why a session ended that lived too long.
const MAX_AGE: &str = "max-age";
/// Why a session ended that people released to nowhere.
const RELEASED: &str = "released";

impl Run<'_> {
    /// Takes an event.
    pub fn take(self, event: Event<'_>) -> Step {
        if !self.session.is_open() {
            return self.ignore();
        }
        match event.what {
            What::Message(_) => self.answer(Map::new()),
            What::Said(_, variables) => self.answer(variables.clone()),
            What::Timer => self.take_time(),
            What::Result(id, result) => match self.session.wait {
                Some(Wait::Result { id: wanted, .. }) if wanted == id => self.counted(|run| run.take_result(result)),
                _ => self.ignore(),
            },
            What::Resumed(id, data) => match self.session.wait {
                Some(Wait::Resume { id: wanted, .. }) if wanted == id => self.counted(|run| run.resume(id, data)),
                _ => self.ignore(),
            },
            What::Released(release) if self.session.is_with_people() => match &release.to {
                ReleaseTo::Node(name) if self.program.place(name).is_none() => self.ignore(),
                _ => self.counted(|run| run.release(release)),
            },
            What::Released(_) => self.ignore(),
            What::Moved(node) => match self.program.place(node) {
                Some(node) => self.counted(|run| {
                    run.leave_wait();
                    Ok(Then::Go(Some(node)))
                }),
                None => self.ignore(),
            },
            // No flow speaks to somebody with whom people speak.
            What::SendFailed(..) if self.session.is_with_people() => self.ignore(),
            What::SendFailed(id, code, reason) => {
                let Some(sent) = self.session.sent.iter().find(|sent| sent.id == id).cloned() else {
                    return self.ignore();
                };
                // A template went in the place of the first part, and said it all.
                if sent.behind_template && code == Some(WINDOW_SHUT) {
                    return self.ignore();
                }
                self.counted(|run| run.send_failed(&sent, describe(id, code, reason)))
            }
        }
    }

    fn take_time(mut self) -> Step {
        if self.session.ends <= self.at {
            return self.over(MAX_AGE);
        }
        match self.session.wait {
            Some(Wait::Delay { until, .. }) if until <= self.at => self.counted(Self::end_delay),
            Some(Wait::Answer { until, .. }) if until <= self.at => self.unanswered(),
            Some(Wait::Result { until, .. }) if until <= self.at => {
                let (class, message) = (CallFailure::Unknown, "no result was told in time".to_owned());
                self.counted(|run| run.take_result(&CallResult::Failed { class, message }))
            }
            Some(Wait::Resume { id, until }) if until <= self.at => {
                self.passed(Passed::TimedOut);
                self.leave_visit(id);
                self.counted(Self::not_resumed)
            }
            Some(Wait::People { until, .. }) if until <= self.at => {
                self.passed(Passed::TimedOut);
                self.counted(Self::not_released)
            }
            _ => self.ignore(),
        }
    }

    fn end_delay(&mut self) -> Result<Then, Failure> {
        match self.stands_at().map(|node| &node.kind) {
            Some(Kind::Delay { next, .. }) => Ok(Then::Go(*next)),
            _ => Err(self.lost()),
        }
    }

    fn not_resumed(&mut self) -> Result<Then, Failure> {
        match self.stands_at().map(|node| &node.kind) {
            Some(Kind::WaitFor { on_timeout: Some(node), .. }) => Ok(Then::Go(Some(*node))),
            Some(Kind::WaitFor { .. }) => {
                let message = "nobody resumed it in time: give the node an onTimeout".to_owned();
                Err(self.failure(FailureKind::Timeout, message))
            }
            _ => Err(self.lost()),
        }
    }

    fn not_released(&mut self) -> Result<Then, Failure> {
        match self.stands_at().map(|node| &node.kind) {
            Some(Kind::Handoff(handoff)) => Ok(Then::Go(handoff.on_timeout.or(handoff.next))),
            _ => Err(self.lost()),
        }
    }

    /// The customer did not answer in time: the node's way, else the flow's, else the session is over.
    fn unanswered(mut self) -> Step {
        self.passed(Passed::TimedOut);
        let own = match self.stands_at().map(|node| &node.kind) {
            Some(Kind::Options(question)) => question.patience.on_timeout,
            Some(Kind::Ask(ask)) => ask.patience.on_timeout,
            Some(Kind::Form(form)) => form.patience.on_timeout,
            _ => None,
        };
        if own.is_some() {
            return self.counted(|_| Ok(Then::Go(own)));
        }
        let root = self.programs.root();
        let Some(node) = root.lifetime().on_timeout else { return self.over(TIMEOUT) };
        // The flow that was started speaks; those that it called are over.
        self.leave_calls(0);
        self.counted(|_| Ok(Then::Go(Some(node))))
    }

    fn over(mut self, reason: &str) -> Step {
        self.session.events += 1;
        self.session.end(SessionStatus::Completed);
        self.session.context.set(Key::EndReason, reason);
        self.finish(Ok(()))
    }

    fn resume(&mut self, id: SignalId, data: &Value) -> Result<Then, Failure> {
        let Some(Node { kind: Kind::WaitFor { into, next, .. }, .. }) = self.stands_at() else {
            return Err(self.lost());
        };
        self.passed(Passed::Answered);
        self.leave_visit(id);
        self.keep_and_go(into.as_ref(), data.clone(), *next)
    }

    fn release(&mut self, release: &Release) -> Result<Then, Failure> {
        let Some(Node { kind: Kind::Handoff(handoff), .. }) = self.stands_at() else { return Err(self.lost()) };
        self.set_variables(release.variables.clone())?;
        match &release.to {
            ReleaseTo::Next => Ok(Then::Go(handoff.next)),
            ReleaseTo::Node(name) => Ok(Then::Go(self.program.place(name))),
            ReleaseTo::End => {
                self.session.end(SessionStatus::Completed);
                self.session.context.set(Key::EndReason, RELEASED);
                Ok(Then::Wait)
            }
        }
    }

    /// A message failed: its node's way, else that of any failure there. What a caller said ends the flows that it
    /// called since; what a called flow said that is over is its caller's concern now.
    fn send_failed(&mut self, sent: &Sent, reason: String) -> Result<Then, Failure> {
        self.leave_wait();
        let callers = &self.session.callers;
        let called = callers.get(sent.depth).map_or(&self.session.called, |frame| &frame.called);
        if sent.depth > callers.len() || *called != sent.called {
            return Err(self.failure(FailureKind::Send, reason));
        }
        self.leave_calls(sent.depth);
        self.session.node.clone_from(&sent.node);
        let way = self.stands_at().and_then(|node| node.kind.delivery()).and_then(|delivery| delivery.on_fail);
        self.own_way(way, FailureKind::Send, reason)
    }
}

fn describe(id: OutboundId, code: Option<i64>, reason: &str) -> String {
    match code {
        Some(code) => format!("message {id} failed with code {code}: {reason}"),
        None => format!("message {id} failed: {reason}"),
    }
}

impl Kind {
    /// What the node has beside its words, where it sends.
    fn delivery(&self) -> Option<&Delivery> {
        match self {
            Self::Message { delivery, .. } | Self::Media { delivery, .. } => Some(delivery),
            Self::Options(question) => Some(&question.delivery),
            Self::Ask(ask) => Some(&ask.delivery),
            Self::Form(form) => Some(&form.delivery),
            _ => None,
        }
    }
}
