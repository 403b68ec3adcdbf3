//! Table `signal`: what people and programs tell a session. A signal is stored with its job, and its row stays as long
//! as the session does: the same is not told twice.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool, Row};
use wigwag_domain::{ContactId, SessionId, SignalId, TenantKey};

use crate::{
    Error, ReadyJob,
    job_ready::{columns, ready_job},
};

/// Something that was told.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Its id: the same for what may be told once.
    pub id: SignalId,
    /// Its tenant.
    pub tenant: TenantKey,
    /// The contact whose session it is.
    pub contact: ContactId,
    /// The session; none where one is to begin.
    pub session: Option<SessionId>,
    /// What sort of signal.
    pub kind: String,
    /// JSON.
    pub body: String,
}

/// Stores signals with their jobs; one that was told before leads to nothing. Returns the jobs.
///
/// # Errors
/// See [`Error::fault`].
pub async fn insert(connection: &mut PgConnection, signals: &[Signal]) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "WITH new AS (
           INSERT INTO signal (id, tenant, contact, session, kind, body)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
                  AS u(id, tenant, contact, session, kind, body) ORDER BY u.id
           ON CONFLICT DO NOTHING
           RETURNING id, tenant, contact
         )
         INSERT INTO job_ready AS j (job, kind, tenant, lane, contact)
         SELECT n.id, 'signal', n.tenant, c.lane, n.contact
           FROM new n JOIN LATERAL (SELECT lane FROM contact c WHERE c.id = n.contact) AS c ON true
          ORDER BY n.id
         RETURNING ",
        columns!(),
    ))
    .bind(signals.iter().map(|s| s.id.0).collect::<Vec<_>>())
    .bind(signals.iter().map(|s| s.tenant.as_str()).collect::<Vec<_>>())
    .bind(signals.iter().map(|s| s.contact.0).collect::<Vec<_>>())
    .bind(signals.iter().map(|s| s.session.map(|id| id.0)).collect::<Vec<_>>())
    .bind(signals.iter().map(|s| s.kind.as_str()).collect::<Vec<_>>())
    .bind(signals.iter().map(|s| s.body.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}

/// Signals by id.
///
/// # Errors
/// See [`Error::fault`].
pub async fn read(pool: &PgPool, ids: &[SignalId]) -> Result<HashMap<SignalId, Signal>, Error> {
    let rows = sqlx::query(
        "SELECT u.id, s.tenant, s.contact, s.session, s.kind, s.body FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT * FROM signal s WHERE s.id = u.id) AS s ON true",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let id = SignalId(row.try_get(0)?);
            let signal = Signal {
                id,
                tenant: TenantKey::from_stored(row.try_get(1)?),
                contact: ContactId(row.try_get(2)?),
                session: row.try_get::<Option<_>, _>(3)?.map(SessionId),
                kind: row.try_get(4)?,
                body: row.try_get(5)?,
            };
            Ok((id, signal))
        })
        .collect()
}
