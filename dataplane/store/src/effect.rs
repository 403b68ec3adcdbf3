//! Table `effect`: calls of sessions to others. A row is `queued`, or `sending` once an owner has marked it and may
//! have sent it, or `done` with its result, which becomes a job in the same statement. So a result comes once, and none
//! is lost.
//!
//! A result is written by call and attempt and not by epoch: an answer that comes after its lane was taken counts, if
//! nobody has given the call up by then. Every statement locks its rows in the order of ids.

use std::{collections::HashMap, time::Duration};

use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};
use wigwag_domain::{EffectId, Lane, SessionId, TenantKey};

use crate::{
    Error, LaneEpoch, ReadyJob,
    job_ready::{columns, ready_job},
    lane::LaneArrays,
};

/// A call that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The call.
    pub id: EffectId,
    /// Its tenant.
    pub tenant: TenantKey,
    /// Its contact's lane.
    pub lane: Lane,
    /// The session that waits for it.
    pub session: SessionId,
    /// JSON of [`wigwag_domain::HttpCall`].
    pub request: String,
}

/// A call that may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The call.
    pub id: EffectId,
    /// The number of this attempt.
    pub attempt: i32,
    /// How long until its deadline.
    pub left: Duration,
    /// JSON of [`wigwag_domain::HttpCall`].
    pub request: String,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The call.
    pub id: EffectId,
    /// The attempt.
    pub attempt: i32,
    /// JSON of [`wigwag_domain::CallResult`].
    pub result: String,
}

/// Results of calls whose time is over, each JSON of [`wigwag_domain::CallResult`].
#[derive(Clone, Debug)]
pub struct Overdue {
    /// It never went out.
    pub unsent: String,
    /// It may be repeated, but there is no time left.
    pub late: String,
    /// It may have gone out, and may not be repeated.
    pub unknown: String,
}

/// The end of every statement that finishes calls: a job for each row of the named query.
macro_rules! result_jobs {
    ($done:literal) => {
        concat!(
            " INSERT INTO job_ready AS j (job, kind, tenant, lane, contact)
              SELECT id, 'result', tenant, lane, contact FROM ",
            $done,
            " ORDER BY id RETURNING ",
            columns!()
        )
    };
}

/// The end of statements that give calls up, of the locked rows `l (id, again)`: those with `again` wait once more, others
/// end with the result `$4`.
macro_rules! given_up {
    () => {
        concat!(
            ", again AS (
               UPDATE effect e SET state = 'queued' FROM l WHERE e.id = l.id AND l.again AND e.state = 'sending'
             ), done AS (
               UPDATE effect e SET state = 'done', result = $4
                 FROM l WHERE e.id = l.id AND NOT l.again AND e.state = 'sending'
               RETURNING e.id, e.tenant, e.lane, e.contact
             )",
            result_jobs!("done")
        )
    };
}

/// The first `limit` calls that wait in each of these lanes.
///
/// # Errors
/// See [`Error::fault`].
pub async fn queued(pool: &PgPool, lanes: &[LaneEpoch], limit: i64) -> Result<Vec<EffectId>, Error> {
    let LaneArrays { tenants, lanes, .. } = LaneArrays::new(lanes);
    let rows = sqlx::query(
        "SELECT x.id FROM unnest($1::text[], $2::int2[]) AS m(tenant, lane)
           JOIN LATERAL (SELECT e.id FROM effect e
                          WHERE e.tenant = m.tenant AND e.lane = m.lane AND e.state = 'queued'
                          ORDER BY e.tenant, e.lane, e.run_at LIMIT $3) AS x ON true",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(EffectId(row.try_get(0)?))).collect()
}

/// What these calls are, in the order in which they came, where they still wait.
///
/// # Errors
/// See [`Error::fault`].
pub async fn read(pool: &PgPool, ids: &[EffectId]) -> Result<Vec<Queued>, Error> {
    let rows = sqlx::query(
        "SELECT e.id, e.tenant, e.lane, e.session, e.request FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT * FROM effect e WHERE e.id = u.id AND e.state = 'queued') AS e ON true
          ORDER BY e.run_at",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Queued {
                id: EffectId(row.try_get(0)?),
                tenant: TenantKey::from_stored(row.try_get(1)?),
                lane: Lane(row.try_get(2)?),
                session: SessionId(row.try_get(3)?),
                request: row.try_get(4)?,
            })
        })
        .collect()
}

/// Marks calls as going out, where their lane is still ours and at least so much of their time is `left`. What is not
/// returned must not be sent.
///
/// # Errors
/// See [`Error::fault`]. After an error it is not known what was marked: nothing of it may be sent by this call.
pub async fn mark_sending(
    connection: &mut PgConnection,
    lanes: &[LaneEpoch],
    calls: &[(EffectId, &TenantKey, Lane)],
    left: Duration,
) -> Result<Vec<Marked>, Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    let rows = sqlx::query(
        "WITH live AS (SELECT l.tenant, l.lane, l.epoch FROM lane l
             JOIN unnest($1::text[], $2::int2[], $3::int8[]) AS mine(tenant, lane, epoch) USING (tenant, lane, epoch)
            ORDER BY l.tenant, l.lane FOR SHARE OF l),
         want AS MATERIALIZED (SELECT w.id, live.epoch FROM unnest($4::uuid[], $5::text[], $6::int2[])
             AS w(id, tenant, lane) JOIN live USING (tenant, lane)),
         l AS MATERIALIZED (
           SELECT w.id, w.epoch FROM (SELECT id, epoch FROM want ORDER BY id) AS w
             JOIN LATERAL (SELECT FROM effect e WHERE e.id = w.id AND e.state = 'queued'
                              AND e.deadline > clock_timestamp() + $7 * interval '1 second'
                              FOR NO KEY UPDATE) AS locked ON true
         )
         UPDATE effect e SET state = 'sending', attempt = e.attempt + 1, epoch = l.epoch
           FROM l WHERE e.id = l.id AND e.state = 'queued'
         RETURNING e.id, e.attempt, extract(epoch FROM e.deadline - clock_timestamp())::float8, e.request",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(calls.iter().map(|c| c.0.0).collect::<Vec<_>>())
    .bind(calls.iter().map(|c| c.1.as_str()).collect::<Vec<_>>())
    .bind(calls.iter().map(|c| c.2.0).collect::<Vec<_>>())
    .bind(left.as_secs_f64())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Marked {
                id: EffectId(row.try_get(0)?),
                attempt: row.try_get(1)?,
                left: Duration::try_from_secs_f64(row.try_get(2)?).unwrap_or_default(),
                request: row.try_get(3)?,
            })
        })
        .collect()
}

/// Takes marks back. Only for calls of which it is certain that they were not sent; where their lane is not ours any
/// more, whoever took it decides.
///
/// # Errors
/// See [`Error::fault`].
pub async fn unmark(connection: &mut PgConnection, lanes: &[LaneEpoch], ids: &[EffectId]) -> Result<(), Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    sqlx::query(
        "WITH live AS (SELECT l.tenant, l.lane, l.epoch FROM lane l
             JOIN unnest($1::text[], $2::int2[], $3::int8[]) AS mine(tenant, lane, epoch) USING (tenant, lane, epoch)
            ORDER BY l.tenant, l.lane FOR SHARE OF l),
         l AS MATERIALIZED (
           SELECT locked.* FROM (SELECT id FROM unnest($4::uuid[]) AS u(id) ORDER BY id) AS u
             JOIN LATERAL (SELECT e.id, e.tenant, e.lane, e.epoch FROM effect e
                            WHERE e.id = u.id AND e.state = 'sending' FOR NO KEY UPDATE) AS locked ON true
         )
         UPDATE effect e SET state = 'queued', attempt = e.attempt - 1
           FROM l JOIN live USING (tenant, lane, epoch) WHERE e.id = l.id AND e.state = 'sending'",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes results, and returns the jobs that bring them to their sessions. A call that has its result, or is at
/// another attempt, keeps what it has.
///
/// # Errors
/// See [`Error::fault`]. After an error of the connection it is not known whether they were written; the same call
/// again does no harm.
pub async fn finish(connection: &mut PgConnection, results: &[Finished]) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "WITH l AS MATERIALIZED (
           SELECT o.* FROM (
             SELECT * FROM unnest($1::uuid[], $2::int4[], $3::text[]) AS o(id, attempt, result) ORDER BY o.id
           ) AS o JOIN LATERAL (SELECT FROM effect e WHERE e.id = o.id FOR NO KEY UPDATE) AS locked ON true
         ), done AS (
           UPDATE effect e SET state = 'done', result = l.result
             FROM l WHERE e.id = l.id AND e.attempt = l.attempt AND e.state <> 'done'
           RETURNING e.id, e.tenant, e.lane, e.contact
         )",
        result_jobs!("done"),
    ))
    .bind(results.iter().map(|r| r.id.0).collect::<Vec<_>>())
    .bind(results.iter().map(|r| r.attempt).collect::<Vec<_>>())
    .bind(results.iter().map(|r| r.result.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    jobs(&rows)
}

/// Finishes calls whose time is over: that still wait, or were sent so long ago (`grace` after their deadline) that
/// whoever sent them is gone. Those of `flying` are on their way in this process and end by themselves. Returns the
/// jobs that bring the results to their sessions.
///
/// # Errors
/// See [`Error::fault`].
pub async fn expire(
    pool: &PgPool,
    lanes: &[LaneEpoch],
    flying: &[EffectId],
    overdue: &Overdue,
    grace: Duration,
) -> Result<Vec<ReadyJob>, Error> {
    let LaneArrays { tenants, lanes, .. } = LaneArrays::new(lanes);
    let rows = sqlx::query(concat!(
        "WITH w AS (
           SELECT x.id FROM unnest($1::text[], $2::int2[]) AS m(tenant, lane)
             JOIN LATERAL (SELECT e.id FROM effect e
                            WHERE e.tenant = m.tenant AND e.lane = m.lane AND e.state <> 'done'
                              AND e.deadline <= clock_timestamp()
                                  - CASE e.state WHEN 'sending' THEN $4 ELSE 0 END * interval '1 second') AS x ON true
            WHERE x.id <> ALL ($3::uuid[])
         ), l AS MATERIALIZED (
           SELECT w.id FROM (SELECT id FROM w ORDER BY id) AS w
             JOIN LATERAL (SELECT FROM effect e WHERE e.id = w.id AND e.state <> 'done'
                              FOR NO KEY UPDATE) AS locked ON true
         ), done AS (
           UPDATE effect e
              SET state = 'done',
                  result = CASE WHEN e.attempt = 0 THEN $5
                                WHEN e.repeatable OR e.state = 'queued' THEN $6
                                ELSE $7 END
             FROM l WHERE e.id = l.id AND e.state <> 'done'
           RETURNING e.id, e.tenant, e.lane, e.contact
         )",
        result_jobs!("done"),
    ))
    .bind(tenants)
    .bind(lanes)
    .bind(flying.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(grace.as_secs_f64())
    .bind(&overdue.unsent)
    .bind(&overdue.late)
    .bind(&overdue.unknown)
    .fetch_all(pool)
    .await?;
    jobs(&rows)
}

/// The result of a call, with who waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResult {
    /// The session.
    pub session: SessionId,
    /// JSON of [`wigwag_domain::CallResult`].
    pub result: String,
}

/// The results of calls by id. A call goes when its session has taken its result.
///
/// # Errors
/// See [`Error::fault`].
pub async fn results(pool: &PgPool, ids: &[EffectId]) -> Result<HashMap<EffectId, StoredResult>, Error> {
    let rows = sqlx::query(
        "SELECT u.id, e.session, e.result FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT session, result FROM effect e
                          WHERE e.id = u.id AND e.result IS NOT NULL) AS e ON true",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let stored = StoredResult { session: SessionId(row.try_get(1)?), result: row.try_get(2)? };
            Ok((EffectId(row.try_get(0)?), stored))
        })
        .collect()
}

/// After a takeover from an owner that died: of what it may have sent, calls that may be repeated wait again, others
/// end with the result `unknown`. Returns the jobs that bring it to their sessions.
///
/// # Errors
/// See [`Error::fault`].
pub async fn take_over(pool: &PgPool, lanes: &[LaneEpoch], unknown: &str) -> Result<Vec<ReadyJob>, Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    let rows = sqlx::query(concat!(
        "WITH w AS (
           SELECT x.id FROM unnest($1::text[], $2::int2[], $3::int8[]) AS m(tenant, lane, epoch)
             JOIN LATERAL (SELECT e.id, e.epoch FROM effect e
                            WHERE e.tenant = m.tenant AND e.lane = m.lane AND e.state = 'sending') AS x
               ON x.epoch < m.epoch
         ), l AS MATERIALIZED (
           SELECT locked.* FROM (SELECT id FROM w ORDER BY id) AS w
             JOIN LATERAL (SELECT e.id, e.repeatable AS again FROM effect e
                            WHERE e.id = w.id AND e.state = 'sending' FOR NO KEY UPDATE) AS locked ON true
         )",
        given_up!(),
    ))
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(unknown)
    .fetch_all(pool)
    .await?;
    jobs(&rows)
}

/// A call of a process that goes down before its answer is there.
#[derive(Clone, Copy, Debug)]
pub struct CutShort {
    /// The call.
    pub id: EffectId,
    /// The attempt that is cut short; at another one it is somebody else's.
    pub attempt: i32,
    /// Whether it may have gone out.
    pub sent: bool,
}

/// Gives up calls that are under way, before their process goes: those that may be repeated wait again, others end with
/// the result `unknown`. Returns the jobs that bring it to their sessions. Whoever has the lanes now is not asked: the
/// attempt is ours.
///
/// # Errors
/// See [`Error::fault`].
pub async fn cut_short(pool: &PgPool, calls: &[CutShort], unknown: &str) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "WITH l AS MATERIALIZED (
           SELECT o.id, locked.repeatable OR NOT o.sent AS again FROM (
             SELECT * FROM unnest($1::uuid[], $2::int4[], $3::bool[]) AS o(id, attempt, sent) ORDER BY o.id
           ) AS o JOIN LATERAL (SELECT e.repeatable FROM effect e
                                 WHERE e.id = o.id AND e.attempt = o.attempt AND e.state = 'sending'
                                   FOR NO KEY UPDATE) AS locked ON true
         )",
        given_up!(),
    ))
    .bind(calls.iter().map(|call| call.id.0).collect::<Vec<_>>())
    .bind(calls.iter().map(|call| call.attempt).collect::<Vec<_>>())
    .bind(calls.iter().map(|call| call.sent).collect::<Vec<_>>())
    .bind(unknown)
    .fetch_all(pool)
    .await?;
    jobs(&rows)
}

fn jobs(rows: &[PgRow]) -> Result<Vec<ReadyJob>, Error> {
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}
