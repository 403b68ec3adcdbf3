//! Table `outbound`: what we send, and what became of it. New rows come from [`crate::effects`], outcomes from
//! [`crate::settle`]; here are the receipts.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;
use wigwag_domain::{ContactId, InboundId, OutboundId, ProviderName, Receipt, SessionId, Status, TenantKey};

use crate::{
    Error, ReadyJob,
    job_ready::{columns, ready_job},
};

/// A message as dispatch needs it.
#[derive(Clone, Debug)]
pub struct ToSend {
    /// The job that led to it.
    pub job: Option<InboundId>,
    /// The account by which it goes out.
    pub provider: ProviderName,
    /// JSON of [`wigwag_domain::Body`].
    pub body: String,
    /// JSON of the [`wigwag_domain::TemplateMessage`] that goes where the customer has not written for 24 hours.
    pub fallback: Option<String>,
}

/// A message of a session that failed.
#[derive(Clone, Debug)]
pub struct FailedMessage {
    /// The session that said it.
    pub session: SessionId,
    /// The provider's code.
    pub code: Option<i32>,
    /// The provider's words.
    pub error: String,
}

/// A message whose status a receipt changed: told to whoever listens, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The message.
    pub id: OutboundId,
    /// Its tenant.
    pub tenant: TenantKey,
    /// Its contact.
    pub contact: ContactId,
    /// The session that said it.
    pub session: Option<SessionId>,
    /// How far it is now.
    pub status: String,
}

/// Receipts of one message, folded into one row.
#[derive(Clone, Debug)]
struct Folded<'a> {
    id: OutboundId,
    provider_id: &'a str,
    status: Status,
    sent_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    read_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    code: Option<i32>,
    title: Option<&'a str>,
}

/// What receipts led to.
#[derive(Debug, Default)]
pub struct Applied {
    /// Jobs of sessions whose message failed.
    pub jobs: Vec<ReadyJob>,
    /// Messages whose status changed.
    pub changed: Vec<Changed>,
    /// Positions, among the receipts given, of those whose message is not there.
    pub orphans: Vec<usize>,
}

/// Bodies of messages by id.
///
/// # Errors
/// See [`Error::fault`].
pub async fn to_send(pool: &PgPool, ids: &[OutboundId]) -> Result<HashMap<OutboundId, ToSend>, Error> {
    let rows = sqlx::query(
        "SELECT u.id, b.job, b.provider, b.body, b.fallback FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT job, provider, body, fallback FROM outbound b WHERE b.id = u.id) AS b ON true",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let job = row.try_get::<Option<Uuid>, _>(1)?.map(InboundId);
            let provider = ProviderName::new(row.try_get::<String, _>(2)?);
            let to_send = ToSend { job, provider, body: row.try_get(3)?, fallback: row.try_get(4)? };
            Ok((OutboundId(row.try_get(0)?), to_send))
        })
        .collect()
}

/// Messages that failed, by id.
///
/// # Errors
/// See [`Error::fault`].
pub async fn failed(pool: &PgPool, ids: &[OutboundId]) -> Result<HashMap<OutboundId, FailedMessage>, Error> {
    let rows = sqlx::query(
        "SELECT u.id, b.session, b.error_code, coalesce(b.error, '') FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT session, error_code, error FROM outbound b
                          WHERE b.id = u.id AND b.session IS NOT NULL) AS b ON true",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let failed =
                FailedMessage { session: SessionId(row.try_get(1)?), code: row.try_get(2)?, error: row.try_get(3)? };
            Ok((OutboundId(row.try_get(0)?), failed))
        })
        .collect()
}

/// Our messages by the provider's ids, as customers quote them.
///
/// # Errors
/// See [`Error::fault`].
pub async fn quoted(pool: &PgPool, quotes: &[(&TenantKey, &str)]) -> Result<HashMap<String, OutboundId>, Error> {
    let rows = sqlx::query(
        "SELECT u.provider_id, b.id FROM unnest($1::text[], $2::text[]) AS u(tenant, provider_id)
           JOIN LATERAL (SELECT id FROM outbound b
                          WHERE b.tenant = u.tenant AND b.provider_id = u.provider_id AND b.provider_id IS NOT NULL
                          LIMIT 1) AS b ON true",
    )
    .bind(quotes.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(quotes.iter().map(|(_, id)| *id).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, OutboundId(row.try_get(1)?)))).collect()
}

/// Writes the body that goes out instead of what the session said: nothing else is left of it.
///
/// # Errors
/// See [`Error::fault`].
pub async fn replace_body(pool: &PgPool, id: OutboundId, body: &str) -> Result<(), Error> {
    sqlx::query("UPDATE outbound SET body = $2, fallback = NULL WHERE id = $1")
        .bind(id.0)
        .bind(body)
        .execute(pool)
        .await?;
    Ok(())
}

/// Moves messages up by what providers tell of them: by our own id first, else by the provider's, and only within
/// the tenant that signed.
///
/// # Errors
/// See [`Error::fault`].
pub async fn apply_receipts(
    connection: &mut PgConnection,
    receipts: &[(&TenantKey, &Receipt)],
) -> Result<Applied, Error> {
    let found = find(connection, receipts).await?;
    let orphans = (0..receipts.len()).filter(|at| !found.contains_key(at)).collect();
    let folded = fold(receipts, &found);
    if folded.is_empty() {
        return Ok(Applied { orphans, ..Applied::default() });
    }
    let rows = sqlx::query(
        "WITH r AS MATERIALIZED (
           SELECT r.* FROM (
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]::message_status[], $4::float8[], $5::float8[],
                                  $6::float8[], $7::float8[], $8::int4[], $9::text[])
                      AS r(id, provider_id, status, sent, delivered, read, failed, code, title) ORDER BY r.id
           ) AS r JOIN LATERAL (SELECT FROM outbound b WHERE b.id = r.id FOR NO KEY UPDATE) AS locked ON true
         )
         UPDATE outbound b
            SET status = r.status,
                provider_id = coalesce(b.provider_id, r.provider_id),
                sent_at = coalesce(b.sent_at, to_timestamp(r.sent)),
                delivered_at = coalesce(b.delivered_at, to_timestamp(r.delivered)),
                read_at = coalesce(b.read_at, to_timestamp(r.read)),
                failed_at = coalesce(b.failed_at, to_timestamp(r.failed)),
                error_code = coalesce(r.code, b.error_code),
                error = coalesce(r.title, b.error)
           FROM r
          WHERE b.id = r.id AND r.status > b.status AND (r.status <> 'failed' OR b.status < 'delivered')
         RETURNING b.id, b.tenant, b.contact, b.session, b.status::text",
    )
    .bind(folded.iter().map(|f| f.id.0).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.provider_id).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.status.as_str()).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.sent_at.map(seconds)).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.delivered_at.map(seconds)).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.read_at.map(seconds)).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.failed_at.map(seconds)).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.code).collect::<Vec<_>>())
    .bind(folded.iter().map(|f| f.title).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    let changed: Vec<Changed> = rows
        .iter()
        .map(|row| {
            Ok(Changed {
                id: OutboundId(row.try_get(0)?),
                tenant: TenantKey::from_stored(row.try_get(1)?),
                contact: ContactId(row.try_get(2)?),
                session: row.try_get::<Option<Uuid>, _>(3)?.map(SessionId),
                status: row.try_get(4)?,
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    let failed: Vec<&Changed> =
        changed.iter().filter(|c| c.status == Status::Failed.as_str() && c.session.is_some()).collect();
    let jobs = if failed.is_empty() { vec![] } else { failures(connection, &failed).await? };
    Ok(Applied { jobs, changed, orphans })
}

/// Makes jobs of messages that failed, for the sessions that said them.
async fn failures(connection: &mut PgConnection, failed: &[&Changed]) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "INSERT INTO job_ready AS j (job, kind, tenant, lane, contact)
         SELECT u.id, 'failure', u.tenant, c.lane, u.contact
           FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS u(id, tenant, contact)
           JOIN LATERAL (SELECT lane FROM contact c WHERE c.id = u.contact) AS c ON true
          ORDER BY u.id
         RETURNING ",
        columns!(),
    ))
    .bind(failed.iter().map(|c| c.id.0).collect::<Vec<_>>())
    .bind(failed.iter().map(|c| c.tenant.as_str()).collect::<Vec<_>>())
    .bind(failed.iter().map(|c| c.contact.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}

/// The message of each receipt, by its position.
async fn find(
    connection: &mut PgConnection,
    receipts: &[(&TenantKey, &Receipt)],
) -> Result<HashMap<usize, OutboundId>, Error> {
    let rows = sqlx::query(
        "SELECT u.ord, coalesce(own.id, theirs.id)
           FROM unnest($1::text[], $2::uuid[], $3::text[]) WITH ORDINALITY AS u(tenant, our_id, provider_id, ord)
           LEFT JOIN LATERAL (SELECT b.id FROM outbound b WHERE b.id = u.our_id AND b.tenant = u.tenant) AS own ON true
           LEFT JOIN LATERAL (SELECT b.id FROM outbound b
                               WHERE own.id IS NULL AND b.tenant = u.tenant AND b.provider_id = u.provider_id
                                 AND b.provider_id IS NOT NULL
                               LIMIT 1) AS theirs ON true",
    )
    .bind(receipts.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, r)| r.our_id.map(|id| id.0)).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, r)| r.provider_id.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let position = usize::try_from(row.try_get::<i64, _>(0)? - 1).unwrap_or(usize::MAX);
        if let Some(id) = row.try_get::<Option<Uuid>, _>(1)? {
            found.insert(position, OutboundId(id));
        }
    }
    Ok(found)
}

/// One row for each message, in the order of ids.
fn fold<'a>(receipts: &[(&TenantKey, &'a Receipt)], found: &HashMap<usize, OutboundId>) -> Vec<Folded<'a>> {
    let mut rows: HashMap<OutboundId, Folded<'a>> = HashMap::new();
    for (position, (_, receipt)) in receipts.iter().enumerate() {
        let Some(id) = found.get(&position) else { continue };
        let row = rows.entry(*id).or_insert_with(|| Folded {
            id: *id,
            provider_id: &receipt.provider_id,
            status: Status::Queued,
            sent_at: None,
            delivered_at: None,
            read_at: None,
            failed_at: None,
            code: None,
            title: None,
        });
        row.status = row.status.after(receipt.status);
        match receipt.status {
            Status::Sent => row.sent_at = row.sent_at.or(Some(receipt.at)),
            Status::Delivered => row.delivered_at = row.delivered_at.or(Some(receipt.at)),
            Status::Read | Status::Played => row.read_at = row.read_at.or(Some(receipt.at)),
            Status::Failed => row.failed_at = row.failed_at.or(Some(receipt.at)),
            Status::Queued | Status::Unknown | Status::Accepted => {}
        }
        if let Some(error) = &receipt.error {
            row.code = Some(error.code);
            row.title = Some(&error.title);
        }
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_key(|row| row.id);
    rows
}

pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}
