//! What happens, in order: each job is routed as in production, and what it leads to is kept as production keeps it.

use jiff::{SignedDuration, Timestamp};
use wigwag_domain::{Body, HttpCall};
use wigwag_flow::{Linked, Session, What};

use super::{Conversation, Job, Matter, Outside, Sent, Stored, notes};
use crate::{
    dispatch::WINDOW,
    flow_command::screen,
    router::{self, Happened, Occurrence, OpenSession, Routed, Routes, Routing, Said},
    signals::Told,
};

/// Meta's code for a message outside of the window.
const WINDOW_SHUT: i64 = 131_047;

impl Conversation {
    /// Routes all that is ready; messages that wait are tried again after each.
    pub(super) fn settle(&mut self, outside: &mut impl Outside) {
        loop {
            if let Some(job) = self.ready.pop_front() {
                let is_message = matches!(job.what, Matter::Message(_));
                if is_message && !self.mailbox.is_empty() {
                    self.mailbox.push_back(job);
                } else {
                    self.take(job, true, outside);
                }
                continue;
            }
            let Some(job) = self.mailbox.pop_front() else { return };
            if !self.take(job, false, outside) {
                return;
            }
        }
    }

    /// Moves the clock; what is due on the way happens when it is due.
    pub(super) fn pass(&mut self, span: SignedDuration, outside: &mut impl Outside) {
        let until = self.now.saturating_add(span).unwrap_or(Timestamp::MAX);
        while let Some(due) = self.next_due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            let mut timers: Vec<_> = self.timers.iter().filter(|(_, due)| **due <= self.now).collect();
            timers.sort_by_key(|(_, due)| **due);
            let sessions: Vec<_> = timers.into_iter().map(|(session, _)| *session).collect();
            for session in sessions {
                self.timers.remove(&session);
                self.ready.push_back(Job { source: session.0, at: self.now, what: Matter::Timer(session) });
            }
            let (due, later) = std::mem::take(&mut self.put_off).into_iter().partition(|(at, _)| *at <= self.now);
            self.put_off = later;
            let due: Vec<(Timestamp, Job)> = due;
            self.ready.extend(due.into_iter().map(|(_, job)| job));
            self.held_until = self.held_until.filter(|until| *until > self.now);
            self.settle(outside);
        }
        self.now = until;
    }

    fn next_due(&self) -> Option<Timestamp> {
        let put_off = self.put_off.iter().map(|(at, _)| *at);
        self.timers.values().copied().chain(put_off).chain(self.held_until).min()
    }

    /// Routes a job; false where it must wait for the contact's own session.
    fn take(&mut self, job: Job, is_new: bool, outside: &mut impl Outside) -> bool {
        let sessions = self.sessions();
        let programs = self.open.iter().map(|stored| Some(stored.programs.clone()));
        let open = sessions.into_iter().zip(programs).map(|(session, programs)| OpenSession { session, programs });
        let routes = Routes { flows: &self.flows, tenant: &self.tenant };
        let what = match &job.what {
            Matter::Message(payload) => Happened::Message(payload, None),
            Matter::Timer(session) => Happened::Event(*session, What::Timer),
            Matter::Result(session, id, result) => Happened::Event(*session, What::Result(*id, result)),
            Matter::Told(session, told) => Happened::Told(wigwag_domain::SignalId(job.source), *session, told),
            Matter::Failure(session, id, code, error) => Happened::Event(*session, What::SendFailed(*id, *code, error)),
        };
        let occurrence = Occurrence { source: job.source, came: job.at, at: self.now, what };
        match router::route(routes, open.collect(), self.contact.clone(), occurrence) {
            Routing::Done(routed) => {
                self.keep(*routed, &job, outside);
                true
            }
            Routing::Hold(until) => {
                if is_new {
                    outside
                        .note(&format!("the message waits for the conversation, until {} at most", self.clock(until)));
                }
                self.held_until = Some(until);
                self.mailbox.push_front(job);
                false
            }
            Routing::PutOff(until) => {
                // Never again at the same time: the clock would not move.
                let until = until.max(self.now.saturating_add(SignedDuration::from_millis(1)).unwrap_or(until));
                outside.note(&format!("put off until {}", self.clock(until)));
                self.put_off.push((until, job));
                true
            }
        }
    }

    /// Keeps what a job led to.
    fn keep(&mut self, routed: Routed, job: &Job, outside: &mut impl Outside) {
        self.tell(&routed, job, outside);
        if let Some(attributes) = routed.contact_attributes {
            self.contact.attributes = attributes;
        }
        for said in routed.sends {
            self.deliver(said, outside);
        }
        let failure = routed.failure.map(|(_, reason)| reason);
        for session in routed.sessions {
            let is_taken = routed.taken.iter().any(|taken| taken.session == session.id);
            if is_taken || !session.is_open() {
                for note in notes::of_session(&session, failure.as_deref(), &self.zone) {
                    outside.note(&note);
                }
            }
            self.store(session, failure.clone());
        }
        for (session, due) in routed.timers {
            self.timers.insert(session, due);
        }
        if routed.wake {
            self.ready.extend(std::mem::take(&mut self.put_off).into_iter().map(|(_, job)| job));
        }
        for (session, id, call, _) in routed.calls {
            self.call(session, id, &call, outside);
        }
    }

    /// Notes what the customer does not see.
    fn tell(&self, routed: &Routed, job: &Job, outside: &mut impl Outside) {
        for (_, problem) in &routed.problems {
            outside.note(&notes::of_problem(problem));
        }
        let nothing = routed.taken.is_empty() && routed.sessions.is_empty();
        match &job.what {
            Matter::Message(_) if nothing && self.sessions().iter().any(Session::is_with_people) => {
                outside.note("no Flow answers while people have the conversation: /release gives it back");
            }
            Matter::Message(_) if nothing && routed.contact_attributes.is_none() => {
                outside.note("no Flow begins with this: the message is stored, and that is all");
            }
            Matter::Message(_) if routed.taken.is_empty() && routed.sessions.iter().any(Session::is_open) => {
                outside.note("the conversation that this would begin is open and takes no messages");
            }
            Matter::Told(None, Told::Start { flow, .. }) if nothing => {
                outside.note(&format!("Flow {flow:?} takes no new conversations"));
            }
            Matter::Failure(..) if nothing => {
                outside.note("no conversation stands behind the message that failed any more");
            }
            _ => {}
        }
    }

    /// Sends a message, as far as the customer may be written to.
    fn deliver(&mut self, said: Said, outside: &mut impl Outside) {
        let Said { session, id, provider: _, body, fallback } = said;
        let is_open = self.written.is_some_and(|written| self.now.duration_since(written) < WINDOW);
        let body = match fallback {
            _ if is_open || !body.needs_open_window() => body,
            Some(template) => {
                outside.note("the customer has not written for 24 hours: the template goes instead");
                Body::Template(template)
            }
            None => {
                let line = screen::line(&body);
                outside.note(&format!("not sent, for the customer has not written for 24 hours: {line}"));
                let error = "the customer has not written for 24 hours, and the message has no template".to_owned();
                let what = Matter::Failure(session, id, Some(WINDOW_SHUT), error);
                self.ready.push_back(Job { source: id.0, at: self.now, what });
                return;
            }
        };
        outside.said(&body);
        self.sent.push(Sent { id, session, body });
    }

    fn store(&mut self, session: Session, failure: Option<String>) {
        let known = self
            .open
            .iter()
            .position(|stored| Session::from_json(&stored.json).is_ok_and(|other| other.id == session.id));
        let known = known.map(|at| self.open.remove(at).programs);
        if session.is_open() {
            if let Some(signal) = session.waits_for_signal()
                && let Some(at) = self.early.iter().position(|(node, _)| *node == session.node)
            {
                let told = Told::Resume { data: self.early.remove(at).1 };
                self.ready.push_back(Job {
                    source: signal.0,
                    at: self.now,
                    what: Matter::Told(Some(session.id), told),
                });
            }
            let find = |name: &str| self.flows.iter().find(|flow| flow.name() == name).cloned();
            let programs = known.or_else(|| Some(Linked::new(find(&session.flow)?, find)));
            self.open.extend(programs.map(|programs| Stored { json: session.to_json(), programs }));
        } else {
            self.timers.remove(&session.id);
        }
        self.last = Some((session, failure));
    }

    fn call(
        &mut self,
        session: wigwag_domain::SessionId,
        id: wigwag_domain::EffectId,
        call: &HttpCall,
        outside: &mut impl Outside,
    ) {
        let Some(result) = outside.answer(call) else {
            return outside.note(&format!("{} {} has no answer yet", call.method, call.url));
        };
        self.ready.push_back(Job { source: id.0, at: self.now, what: Matter::Result(session, id, result) });
    }

    fn clock(&self, at: Timestamp) -> String {
        notes::clock(at, &self.zone)
    }
}
