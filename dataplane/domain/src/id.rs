//! Ids. Each has a type of its own, so that one cannot be taken for another.
//!
//! Ids that the pipeline makes begin with 48 bits of milliseconds, so that indexes grow at their end. Where a crash
//! may make the work run again, the rest is a hash of what the id stands for: the second run makes the same ids.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Lanes of a tenant. A contact's lane never changes, so neither may this number.
pub const LANES: i16 = 64;

/// `namespace/name` of a tenant: its key in every table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantKey(String);

/// Name of a provider account within its tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderName(String);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// A person who writes to a tenant. Random: it may stand in logs, where a phone number may not.
    ContactId
}
uuid_id! {
    /// An inbound message, and thereby the job that handles it. UUIDv7: its milliseconds are when it was received.
    InboundId
}
uuid_id! {
    /// A job: what moves a session, whatever it is. [`JobKind`] tells which table has the rest.
    JobId
}
uuid_id! {
    /// What a person or a program told a session.
    SignalId
}
uuid_id! {
    /// One conversation of a contact in a Flow.
    SessionId
}
uuid_id! {
    /// A message that we send.
    OutboundId
}
uuid_id! {
    /// What is asked of others for a session: a call, until its answer is there.
    EffectId
}
uuid_id! {
    /// A point at which a session stands.
    WaitId
}

/// What a job is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// The customer wrote; the job is the message ([`InboundId`]).
    Message,
    /// It is time to look at a session; the job is the session ([`SessionId`]).
    Timer,
    /// The result of an effect is there; the job is the effect ([`EffectId`]).
    Result,
    /// A person or a program told a session something; the job is what was told ([`SignalId`]).
    Signal,
    /// A message that a session sent has failed; the job is that message ([`OutboundId`]).
    Failure,
}

/// A share of a tenant's contacts, owned by one replica at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub i16);

// === impl JobKind ===

impl JobKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Message, Self::Timer, Self::Result, Self::Signal, Self::Failure];

    /// The word in the column `kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Timer => "timer",
            Self::Result => "result",
            Self::Signal => "signal",
            Self::Failure => "failure",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

// === impl TenantKey ===

impl TenantKey {
    /// The key of a tenant; a manifest without a namespace is in `default`.
    #[must_use]
    pub fn new(namespace: Option<&str>, name: &str) -> Self {
        Self(format!("{}/{name}", namespace.unwrap_or("default")))
    }

    /// A key as it stands in a table.
    #[must_use]
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tenant's name without its namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl ProviderName ===

impl ProviderName {
    /// A name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl ContactId ===

impl ContactId {
    /// A new contact's id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The contact's lane, for ever: from SHA-256 of the id, which no release of a library changes.
    #[must_use]
    pub fn lane(self) -> Lane {
        let digest = Sha256::digest(self.0.as_bytes());
        Lane((u16::from_be_bytes([digest[0], digest[1]]) % LANES.unsigned_abs()).cast_signed())
    }
}

// === impl InboundId ===

impl InboundId {
    /// An id for what is received now.
    #[must_use]
    pub fn now() -> Self {
        Self(Uuid::now_v7())
    }

    /// When it was received, in milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        millis(self.0)
    }
}

// === impl SessionId ===

impl SessionId {
    /// The id of the session that this message begins in this Flow: the same, however often it is begun.
    #[must_use]
    pub fn begun_by(message: InboundId, flow: &str) -> Self {
        Self(hashed(message.millis(), &[b"session", message.0.as_bytes(), flow.as_bytes()]))
    }
}

// === impl OutboundId ===

impl OutboundId {
    /// The id of an effect of a session's step, the same in each run of it. `millis` is the event's time.
    #[must_use]
    pub fn of_effect(millis: i64, session: SessionId, event: u32, effect: u32) -> Self {
        let session = session.0;
        Self(hashed(millis, &[b"effect", session.as_bytes(), &event.to_be_bytes(), &effect.to_be_bytes()]))
    }

    /// When the event that made it happened, in milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        millis(self.0)
    }
}

// === impl EffectId ===

impl EffectId {
    /// The id of an effect of a session's step, the same in each run of it. `millis` is the event's time.
    #[must_use]
    pub fn of_step(millis: i64, session: SessionId, event: u32, effect: u32) -> Self {
        Self(OutboundId::of_effect(millis, session, event, effect).0)
    }
}

// === impl SignalId ===

impl SignalId {
    /// The id of the call that resumes a session at a node: one for each visit.
    #[must_use]
    pub fn of_visit(session: SessionId, node: &str, visit: u32) -> Self {
        Self(hashed(millis(session.0), &[b"visit", session.0.as_bytes(), node.as_bytes(), &visit.to_be_bytes()]))
    }
}

// === impl WaitId ===

impl WaitId {
    /// The id of the wait that an event of a session leads to.
    #[must_use]
    pub fn of_event(millis: i64, session: SessionId, event: u32) -> Self {
        Self(hashed(millis, &[b"wait", session.0.as_bytes(), &event.to_be_bytes()]))
    }

    /// The form in which it travels in the id of a button: 12 characters, enough within one session's contact.
    #[must_use]
    pub fn short(self) -> String {
        self.0.simple().to_string()[20..].to_owned()
    }
}

fn millis(id: Uuid) -> i64 {
    let bytes = id.as_bytes();
    i64::from_be_bytes([0, 0, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]])
}

/// UUIDv8 (RFC 9562): 48 bits of time, then SHA-256 over the parts, each with its length in front.
fn hashed(millis: i64, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contacts_lane_is_what_it_was_in_the_first_release() {
        let lanes: Vec<_> = [0, 1, 2, u128::MAX].map(|n| ContactId(Uuid::from_u128(n)).lane().0).to_vec();
        assert_eq!(lanes, FIRST_RELEASE, "a lane that moves breaks the order of its contact's messages");
    }

    const FIRST_RELEASE: [i16; 4] = [7, 60, 40, 6];

    #[test]
    fn a_second_run_of_a_step_makes_the_same_ids() {
        let message = InboundId(Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0001));
        let session = SessionId::begun_by(message, "welcome");
        assert_eq!(session, SessionId::begun_by(message, "welcome"));
        assert_ne!(session, SessionId::begun_by(message, "orders"));
        let first = OutboundId::of_effect(message.millis(), session, 1, 0);
        assert_eq!(first, OutboundId::of_effect(message.millis(), session, 1, 0));
        assert_ne!(first, OutboundId::of_effect(message.millis(), session, 1, 1));
        assert_eq!(first.millis(), message.millis(), "an id begins with its event's time");
        assert_eq!(first.0.get_version_num(), 8);
    }
}
