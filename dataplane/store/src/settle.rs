//! What became of sends: written to `outbound` and `outbox` together, by message and attempt and not by epoch, so
//! that the late answer to a send still settles it after its lane was taken.

use std::time::Duration;

use sqlx::PgConnection;
use wigwag_domain::OutboundId;

use crate::{
    Error, ReadyJob,
    job_ready::{columns, ready_job},
};

/// What became of one attempt.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The message.
    pub id: OutboundId,
    /// The attempt.
    pub attempt: i32,
    /// What became of it.
    pub result: SendResult,
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// The provider took it.
    Accepted {
        /// The provider's id of it.
        provider_id: String,
    },
    /// It will not arrive.
    Failed {
        /// The provider's code; 0 where it gave none.
        code: i32,
        /// The provider's words.
        title: String,
    },
    /// It certainly was not taken, and may be tried again after a while.
    Again {
        /// How long to wait.
        after: Duration,
        /// The provider's code, for people who wonder why it waits.
        code: i32,
        /// The provider's words.
        title: String,
    },
    /// The answer was lost.
    Unknown {
        /// How long it holds its contact's next message.
        hold: Duration,
    },
}

/// Writes results. A message of a session that failed is a job of that session, which is returned.
///
/// # Errors
/// See [`Error::fault`].
pub async fn settle(connection: &mut PgConnection, results: &[Settled]) -> Result<Vec<ReadyJob>, Error> {
    let parts: Vec<_> = results.iter().map(|settled| parts(&settled.result)).collect();
    let rows = sqlx::query(concat!(
        "WITH l AS MATERIALIZED (
           SELECT o.*, locked.status AS before FROM (
             SELECT * FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::text[], $5::int4[], $6::text[], $7::float8[])
                      AS o(id, attempt, result, provider_id, code, title, wait) ORDER BY o.id
           ) AS o JOIN LATERAL (SELECT status FROM outbound b WHERE b.id = o.id FOR NO KEY UPDATE) AS locked ON true
         ), s AS (
           UPDATE outbound b
              SET status = CASE WHEN l.result <> 'again' AND b.status < nullif(l.result, 'again')::message_status
                                     AND (l.result <> 'failed' OR b.status < 'delivered')
                                THEN nullif(l.result, 'again')::message_status ELSE b.status END,
                  provider_id = coalesce(l.provider_id, b.provider_id),
                  accepted_at = CASE WHEN l.result = 'accepted' THEN clock_timestamp() ELSE b.accepted_at END,
                  failed_at = CASE WHEN l.result = 'failed' THEN clock_timestamp() ELSE b.failed_at END,
                  error_code = coalesce(l.code, b.error_code),
                  error = coalesce(l.title, b.error)
             FROM l WHERE b.id = l.id
           RETURNING b.id, b.tenant, b.contact, b.session, b.status, l.before
         ), gone AS (
           DELETE FROM outbox x USING l WHERE x.id = l.id AND l.result IN ('accepted', 'failed')
         ), waits AS (
           UPDATE outbox x
              SET state = CASE l.result WHEN 'again' THEN 'queued' ELSE 'unknown' END,
                  run_at = clock_timestamp() + l.wait * interval '1 second'
             FROM l
            WHERE x.id = l.id AND x.attempt = l.attempt AND x.state IN ('sending', 'unknown')
              AND l.result IN ('again', 'unknown')
         )
         INSERT INTO job_ready AS j (job, kind, tenant, lane, contact)
         SELECT s.id, 'failure', s.tenant, c.lane, s.contact
           FROM s JOIN LATERAL (SELECT lane FROM contact c WHERE c.id = s.contact) AS c ON true
          WHERE s.status = 'failed' AND s.before <> 'failed' AND s.session IS NOT NULL
          ORDER BY s.id
         RETURNING ",
        columns!(),
    ))
    .bind(results.iter().map(|r| r.id.0).collect::<Vec<_>>())
    .bind(results.iter().map(|r| r.attempt).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.word).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.provider_id).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.code).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.title).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.wait.as_secs_f64()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}

/// A result as columns.
struct Parts<'a> {
    word: &'static str,
    provider_id: Option<&'a str>,
    code: Option<i32>,
    title: Option<&'a str>,
    wait: Duration,
}

fn parts(result: &SendResult) -> Parts<'_> {
    let none = Parts { word: "accepted", provider_id: None, code: None, title: None, wait: Duration::ZERO };
    match result {
        SendResult::Accepted { provider_id } => Parts { provider_id: Some(provider_id), ..none },
        SendResult::Failed { code, title } => Parts { word: "failed", code: Some(*code), title: Some(title), ..none },
        SendResult::Again { after, code, title } => {
            Parts { word: "again", code: Some(*code), title: Some(title), wait: *after, ..none }
        }
        SendResult::Unknown { hold } => Parts { word: "unknown", wait: *hold, ..none },
    }
}
