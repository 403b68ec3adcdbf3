//! Everything that the steps of a batch of jobs need, read for all of them at once.

use jiff::Timestamp;
use sqlx::PgPool;
use tracing::error;
use uuid::Uuid;
use wigwag_domain::{CallResult, ContactId, EffectId, InboundId, JobKind, OutboundId, Payload, SessionId, SignalId};
use wigwag_store::{Error, contact, effect, inbound, outbound, session, session::StoredSession, signal};

use super::mailbox::Mail;
use crate::signals::Told;

/// A job with what its step needs.
pub(super) struct Ready {
    pub mail: Mail,
    pub matter: Matter,
    pub contact: contact::Contact,
    pub open: Vec<StoredSession>,
}

/// What a job is about.
pub(super) enum Matter {
    /// The customer wrote; which message of ours they quoted.
    Message(Box<Payload>, Option<OutboundId>),
    /// It is time to look at a session.
    Timer(SessionId),
    /// The result of an effect.
    Result { session: SessionId, effect: EffectId, result: CallResult, text: String },
    /// Somebody told something.
    Told { id: SignalId, session: Option<SessionId>, told: Told },
    /// A message that a session sent has failed.
    Failure { session: SessionId, message: OutboundId, code: Option<i64>, error: String },
    /// What it names is not there any more: it was done, or nobody needs it.
    Gone,
    /// This version does not read it.
    Unreadable(String),
}

/// Reads what a batch needs.
pub(super) async fn read(pool: &PgPool, batch: &[Mail]) -> Result<Vec<Ready>, Error> {
    let contacts: Vec<ContactId> = batch.iter().map(|mail| mail.job.contact).collect();
    let of = |kind: JobKind| batch.iter().filter(move |mail| mail.job.kind == kind).map(|mail| mail.job.job.0);
    let unread = batch.iter().filter(|mail| mail.job.kind == JobKind::Message && mail.payload.is_none());
    let unread: Vec<InboundId> = unread.map(|mail| InboundId(mail.job.job.0)).collect();
    let results: Vec<EffectId> = of(JobKind::Result).map(EffectId).collect();
    let signals: Vec<SignalId> = of(JobKind::Signal).map(SignalId).collect();
    let failures: Vec<OutboundId> = of(JobKind::Failure).map(OutboundId).collect();
    let (mut payloads, mut known, mut open, mut results, mut signals, mut failures) = tokio::try_join!(
        some(&unread, inbound::payloads(pool, &unread)),
        contact::read(pool, &contacts),
        session::open(pool, &contacts),
        some(&results, effect::results(pool, &results)),
        some(&signals, signal::read(pool, &signals)),
        some(&failures, outbound::failed(pool, &failures)),
    )?;
    let mut ready = Vec::with_capacity(batch.len());
    for mail in batch {
        let id = mail.job.job.0;
        let matter = match mail.job.kind {
            JobKind::Message => {
                let text = mail.payload.clone().or_else(|| payloads.remove(&InboundId(id))).unwrap_or_default();
                match serde_json::from_str(&text) {
                    Ok(payload) => Matter::Message(payload, None),
                    Err(error) => Matter::Unreadable(error.to_string()),
                }
            }
            JobKind::Timer => Matter::Timer(SessionId(id)),
            JobKind::Result => results.remove(&EffectId(id)).map_or(Matter::Gone, |result| of_result(id, result)),
            JobKind::Signal => signals.remove(&SignalId(id)).map_or(Matter::Gone, of_signal),
            JobKind::Failure => failures.remove(&OutboundId(id)).map_or(Matter::Gone, |failed| Matter::Failure {
                session: failed.session,
                message: OutboundId(id),
                code: failed.code.map(i64::from),
                error: failed.error,
            }),
        };
        let id = mail.job.contact;
        let contact = known.remove(&id).unwrap_or_else(|| contact::Contact {
            id,
            name: None,
            attributes: "{}".to_owned(),
            phone: None,
        });
        ready.push(Ready { mail: mail.clone(), matter, contact, open: open.remove(&id).unwrap_or_default() });
    }
    read_quotes(pool, &mut ready).await?;
    Ok(ready)
}

/// Which messages of ours were quoted.
async fn read_quotes(pool: &PgPool, ready: &mut [Ready]) -> Result<(), Error> {
    let quotes = ready.iter().filter_map(|one| match &one.matter {
        Matter::Message(payload, _) if !one.open.is_empty() => Some((&one.mail.job.tenant, payload.quotes.as_deref()?)),
        _ => None,
    });
    let quotes: Vec<_> = quotes.collect();
    if quotes.is_empty() {
        return Ok(());
    }
    let found = outbound::quoted(pool, &quotes).await?;
    for one in ready {
        if let Matter::Message(payload, quoted) = &mut one.matter {
            *quoted = payload.quotes.as_ref().and_then(|id| found.get(id).copied());
        }
    }
    Ok(())
}

fn of_result(id: Uuid, stored: effect::StoredResult) -> Matter {
    match serde_json::from_str(&stored.result) {
        Ok(result) => Matter::Result { session: stored.session, effect: EffectId(id), result, text: stored.result },
        Err(error) => Matter::Unreadable(error.to_string()),
    }
}

fn of_signal(signal: signal::Signal) -> Matter {
    match serde_json::from_str(&signal.body) {
        Ok(told) => Matter::Told { id: signal.id, session: signal.session, told },
        Err(error) => {
            error!(signal = %signal.id.0, %error, "a stored signal does not read");
            Matter::Unreadable(error.to_string())
        }
    }
}

/// Nothing is asked where there is nothing to ask for.
async fn some<K, T: Default>(keys: &[K], read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    if keys.is_empty() { Ok(T::default()) } else { read.await }
}

impl Matter {
    /// When it came: a message when it was received, anything else when its job was made.
    pub fn came(&self, mail: &Mail) -> Timestamp {
        match self {
            Self::Message(..) => {
                Timestamp::from_millisecond(InboundId(mail.job.job.0).millis()).unwrap_or(mail.job.run_at)
            }
            _ => mail.job.run_at,
        }
    }
}
