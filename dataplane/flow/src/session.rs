//! A session: one conversation of one contact in one flow, as it stands between two events.
//!
//! The host stores it as JSON and hands it back with the next event; what it holds is all that a step knows of what
//! went before. It is pinned to the revisions with which it began.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, fmt::temporal::DateTimePrinter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wigwag_domain::{Content, EffectId, OutboundId, Payload, ProviderName, SessionId, SignalId, WaitId};

use crate::{
    Linked, Resume,
    context::{Context, Key, record_aside},
    message::Said,
    question::WireId,
};

/// While a session waits for a result, or in a delay of at most this, the contact's messages wait too.
const SHORT: SignedDuration = SignedDuration::from_secs(60);
/// The longest that a result holds messages.
const HELD: SignedDuration = SignedDuration::from_mins(2);

/// One conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Name of the flow that was started.
    pub flow: String,
    /// The flow's revision, for the session's whole life.
    pub revision: String,
    /// Revisions of the flows that it may call, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pinned: BTreeMap<String, String>,
    /// The account by which the customer wrote last; the session answers by it.
    #[serde(default = "nobody")]
    pub provider: ProviderName,
    pub(crate) status: SessionStatus,
    /// The node where it stands; the last one, once it is over.
    pub node: String,
    /// The called flow that it is in; the one that was started, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) called: Option<String>,
    /// Who called, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) callers: Vec<Frame>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<Wait>,
    /// Messages since it last stood still, with the node that said each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sent: Vec<Sent>,
    /// How many it has taken, the one that began it among them.
    pub(crate) events: u32,
    /// When it is over, whatever happens.
    #[serde(default = "never")]
    pub(crate) ends: Timestamp,
    /// When the host looks at it at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) armed: Option<Timestamp>,
    /// How often each `waitFor` node was left.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) visits: BTreeMap<String, u32>,
    /// What failed last.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) error: Value,
    /// Flows whose `onError` was taken: it is taken once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) mended: BTreeSet<String>,
    /// What the engine keeps of the conversation, by the names that expressions know: `input`, `lastInput` and so on.
    pub(crate) context: Context,
    /// What the flow's author assigned.
    #[serde(default)]
    pub variables: Map<String, Value>,
    /// What the caller gave.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) args: Value,
}

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SessionStatus {
    /// Between two nodes, or waiting for neither customer nor people.
    Active,
    /// Waits for the customer or for people.
    Paused,
    /// Over, as the flow meant it, or because the customer did not answer in time.
    Completed,
    /// Over, because the flow could not go on.
    Errored,
}

/// A flow that called another, as it stands meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Its name; the one that was started, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// The node that called.
    pub node: String,
    pub variables: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub args: Value,
}

/// A message that the session sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub id: OutboundId,
    pub node: String,
    /// How deep the session was in calls.
    #[serde(default)]
    pub depth: usize,
    /// The called flow that it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// A further part of a text that has a template for a shut window.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub behind_template: bool,
}

/// The point at which a session stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub(crate) enum Wait {
    /// The customer's answer to the node's question.
    Answer {
        /// Travels in the ids of buttons and rows, so that a tap on an older question is known.
        id: WaitId,
        /// When the customer was last asked.
        since: Timestamp,
        /// Until when.
        #[serde(default = "never")]
        until: Timestamp,
        /// How often the question was asked again.
        #[serde(default)]
        again: u8,
    },
    /// The result of an effect.
    Result { id: EffectId, since: Timestamp, until: Timestamp },
    /// A time.
    Delay { id: WaitId, since: Timestamp, until: Timestamp },
    /// A call from outside.
    Resume { id: SignalId, until: Timestamp },
    /// People.
    People { id: WaitId, until: Timestamp },
}

// === impl Session ===

impl Session {
    /// A session that stands before its flow's first node.
    pub(crate) fn begin(id: SessionId, programs: &Linked, now: Timestamp) -> Self {
        let root = programs.root();
        Self {
            id,
            flow: root.name().to_owned(),
            revision: root.revision().to_owned(),
            pinned: programs.pins().map(|(name, revision)| (name.to_owned(), revision.to_owned())).collect(),
            provider: nobody(),
            status: SessionStatus::Active,
            node: String::new(),
            called: None,
            callers: Vec::new(),
            wait: None,
            sent: Vec::new(),
            events: 0,
            ends: now.saturating_add(root.lifetime().max_age).unwrap_or(Timestamp::MAX),
            armed: None,
            visits: BTreeMap::new(),
            error: Value::Null,
            mended: BTreeSet::new(),
            context: Context::default(),
            variables: Map::new(),
            args: Value::Null,
        }
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, SessionStatus::Active | SessionStatus::Paused)
    }

    /// Whether it waits, runs or is over, and how.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        self.status
    }

    /// How many events it has taken.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.events
    }

    /// The engine's keys, as the editor's form knows them.
    #[must_use]
    pub fn context(&self) -> Value {
        serde_json::to_value(&self.context).unwrap_or_default()
    }

    /// What it waits for: `answer`, `result`, `delay`, `resume` or `people`.
    #[must_use]
    pub fn waits_for(&self) -> Option<&'static str> {
        Some(match self.wait.as_ref()? {
            Wait::Answer { .. } => "answer",
            Wait::Result { .. } => "result",
            Wait::Delay { .. } => "delay",
            Wait::Resume { .. } => "resume",
            Wait::People { .. } => "people",
        })
    }

    /// Since when it waits for the customer; `None` where it does not.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Timestamp> {
        match self.wait {
            Some(Wait::Answer { since, .. }) => Some(since),
            _ => None,
        }
    }

    /// Whether people have taken over.
    #[must_use]
    pub fn is_with_people(&self) -> bool {
        matches!(self.wait, Some(Wait::People { .. }))
    }

    /// Until when the contact's messages wait for this session: it stands in a short delay, or waits for a result.
    #[must_use]
    pub fn holds_messages_until(&self) -> Option<Timestamp> {
        match self.wait {
            Some(Wait::Result { since, until, .. }) => {
                Some(until.min(since.saturating_add(HELD).unwrap_or(Timestamp::MAX)))
            }
            Some(Wait::Delay { since, until, .. }) if until.duration_since(since) <= SHORT => Some(until),
            _ => None,
        }
    }

    /// The signal that resumes it, where it waits for one.
    #[must_use]
    pub fn waits_for_signal(&self) -> Option<SignalId> {
        match self.wait {
            Some(Wait::Resume { id, .. }) => Some(id),
            _ => None,
        }
    }

    /// The node of the flow that was started: while it is in a called flow, the one that called.
    #[must_use]
    pub fn own_node(&self) -> &str {
        self.callers.first().map_or(&self.node, |outermost| &outermost.node)
    }

    /// The flow whose node it stands at: the one that was started, or one that it called.
    #[must_use]
    pub fn stands_in(&self) -> &str {
        self.called.as_deref().unwrap_or(&self.flow)
    }

    /// Whether it has left the visit that a token resumes: in time, or because nobody came.
    #[must_use]
    pub fn has_left(&self, resume: &Resume) -> bool {
        self.visits.get(&resume.node).is_some_and(|left| *left >= resume.visit)
    }

    /// When it must be looked at, though nothing comes: its wait or its life is over.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        if !self.is_open() {
            return None;
        }
        let until = match self.wait {
            Some(
                Wait::Answer { until, .. }
                | Wait::Result { until, .. }
                | Wait::Delay { until, .. }
                | Wait::Resume { until, .. }
                | Wait::People { until, .. },
            ) => until,
            None => self.ends,
        };
        Some(until.min(self.ends))
    }

    /// When to set its timer, if that must be changed. An earlier one does as well: it finds nothing to do, and is set
    /// anew. So a timer is not moved with every message.
    pub fn rearm(&mut self) -> Option<Timestamp> {
        let due = self.due()?;
        if self.armed.is_some_and(|armed| armed <= due) {
            return None;
        }
        self.armed = Some(due);
        self.armed
    }

    /// Notes that its timer has gone off and must be set anew.
    pub fn disarm(&mut self) {
        self.armed = None;
    }

    /// Whether the message says by itself that it answers this session's open question: it is a tap on it, its form, or
    /// quotes it.
    #[must_use]
    pub fn is_answered_by(&self, message: &Payload, quoted: Option<OutboundId>) -> bool {
        let Some(Wait::Answer { id, .. }) = &self.wait else { return false };
        if quoted.is_some_and(|quoted| self.sent.iter().any(|sent| sent.id == quoted && sent.node == self.node)) {
            return true;
        }
        match &message.content {
            Content::Tap(tap) => WireId::read(&tap.id).wait.is_some_and(|wait| wait == id.short()),
            Content::Form { answer } => answer.get("flow_token").and_then(Value::as_str) == Some(&id.to_string()),
            _ => false,
        }
    }

    /// Notes a message that would begin this session's flow, and does not step it: it stands in a long pause.
    pub fn note(&mut self, message: &Payload, at: Timestamp) {
        let stamp = DateTimePrinter::new().precision(Some(3)).timestamp_to_string(&at);
        record_aside(&mut self.context, &Said::read(message), &stamp);
    }

    /// Ends the session.
    pub(crate) fn end(&mut self, status: SessionStatus) {
        self.status = status;
        self.wait = None;
        self.sent.clear();
    }

    /// The session, ended from outside: by an escape word, by people, or by the flow that took its place.
    #[must_use]
    pub fn leave(mut self, reason: &str) -> Self {
        self.end(SessionStatus::Completed);
        self.context.set(Key::EndReason, reason);
        self
    }

    /// The session, ended because the text of its revision is not to be had any more: `kind` is the word for that.
    #[must_use]
    pub fn abandon(mut self, kind: &str) -> Self {
        self.error = json!({"node": self.node, "kind": kind});
        self.end(SessionStatus::Errored);
        self
    }

    /// The form in which it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| unreachable!("a session has text keys and finite numbers alone"))
    }

    /// A session as it was stored.
    ///
    /// # Errors
    ///
    /// The text is not what [`Session::to_json`] wrote.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

// === impl SessionStatus ===

impl SessionStatus {
    /// The word in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Completed => "Completed",
            Self::Errored => "Errored",
        }
    }
}

fn nobody() -> ProviderName {
    ProviderName::new("")
}

fn never() -> Timestamp {
    Timestamp::MAX
}
