//! Table `session_event`: what a session took, with all that it needs to be stepped again. Written by
//! [`crate::effects`]; here it is read back, one session at a time.

use jiff::Timestamp;
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;
use wigwag_domain::{ContactId, OutboundId, SessionId, TenantKey};

use crate::Error;

/// A session as it began.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its tenant.
    pub tenant: TenantKey,
    /// Its contact.
    pub contact: ContactId,
    /// The Flow that was started.
    pub flow: String,
    /// The revision that it runs for life.
    pub revision: String,
    /// Revisions of the flows that it may call, `name@revision`.
    pub pinned: Vec<String>,
}

/// Something that a session took.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number within the session.
    pub number: i32,
    /// The clock of its step, in whole microseconds.
    pub at: Timestamp,
    /// What sort of event: `message`, `timer`, `result`, `resumed`, `released`, `moved` or `send_failed`.
    pub kind: String,
    /// What it came from: a message, an effect, a signal, a message of ours.
    pub source: Uuid,
    /// What it held, JSON, where the source does not stay.
    pub body: Option<String>,
    /// The contact as the step saw it, JSON.
    pub contact: String,
    /// The message that it is, JSON, where a customer sent it.
    pub message: Option<String>,
    /// What was told, JSON, where people or programs told it.
    pub told: Option<String>,
}

/// A message that a session sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its id.
    pub id: OutboundId,
    /// JSON of [`wigwag_domain::Body`], as it went out.
    pub body: String,
}

/// A session.
///
/// # Errors
/// See [`Error::fault`].
pub async fn begun(pool: &PgPool, id: SessionId) -> Result<Option<Begun>, Error> {
    let row = sqlx::query("SELECT tenant, contact, flow, revision, pinned FROM session WHERE id = $1")
        .bind(id.0)
        .fetch_optional(pool)
        .await?;
    let begun = |row: &PgRow| {
        Ok(Begun {
            tenant: TenantKey::from_stored(row.try_get(0)?),
            contact: ContactId(row.try_get(1)?),
            flow: row.try_get(2)?,
            revision: row.try_get(3)?,
            pinned: row.try_get(4)?,
        })
    };
    row.as_ref().map(begun).transpose()
}

/// What a session took, in order.
///
/// # Errors
/// See [`Error::fault`].
pub async fn all(pool: &PgPool, id: SessionId) -> Result<Vec<Event>, Error> {
    let rows = sqlx::query(
        "SELECT e.number, (extract(epoch FROM e.at) * 1000000)::int8, e.kind, e.source, e.body, e.contact, i.payload,
                s.body
           FROM session_event e
           LEFT JOIN LATERAL (SELECT payload FROM inbound i WHERE i.id = e.source) AS i ON e.kind = 'message'
           LEFT JOIN LATERAL (SELECT body FROM signal s WHERE s.id = e.source) AS s ON true
          WHERE e.session = $1 ORDER BY e.session, e.number",
    )
    .bind(id.0)
    .fetch_all(pool)
    .await?;
    let unreadable = |_| Error::Unreadable { table: "session_event", detail: "a time".to_owned() };
    rows.iter()
        .map(|row| {
            Ok(Event {
                number: row.try_get(0)?,
                at: Timestamp::from_microsecond(row.try_get(1)?).map_err(unreadable)?,
                kind: row.try_get(2)?,
                source: row.try_get(3)?,
                body: row.try_get(4)?,
                contact: row.try_get(5)?,
                message: row.try_get(6)?,
                told: row.try_get(7)?,
            })
        })
        .collect()
}

/// What a session of a contact sent, in no order but that of the milliseconds in the ids.
///
/// # Errors
/// See [`Error::fault`].
pub async fn sent(pool: &PgPool, id: SessionId, contact: ContactId) -> Result<Vec<Sent>, Error> {
    let rows = sqlx::query("SELECT id, body FROM outbound WHERE contact = $2 AND session = $1 ORDER BY contact, id")
        .bind(id.0)
        .bind(contact.0)
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| Ok(Sent { id: OutboundId(row.try_get(0)?), body: row.try_get(1)? })).collect()
}
