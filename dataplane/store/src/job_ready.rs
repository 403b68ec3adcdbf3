//! Table `job_ready`: the jobs that wait for their lane's owner.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};
use wigwag_domain::{ContactId, JobId, JobKind, Lane, TenantKey};

use crate::{Error, LaneEpoch, lane::LaneArrays, outbound::seconds};

/// A job's place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyJob {
    /// Its order among the jobs of its contact.
    pub seq: i64,
    /// The job.
    pub job: JobId,
    /// What it is about.
    pub kind: JobKind,
    /// Since when it may run, by the database's clock, in whole milliseconds.
    pub run_at: Timestamp,
    /// Its tenant.
    pub tenant: TenantKey,
    /// Its contact's lane.
    pub lane: Lane,
    /// Whose message it is.
    pub contact: ContactId,
}

/// The columns that [`ready_job`] reads, of a row of `job_ready` named `j`.
macro_rules! columns {
    () => {
        "j.seq, j.job, j.tenant, j.lane, j.contact, j.kind, floor(extract(epoch FROM j.run_at) * 1000)::int8"
    };
}
pub(crate) use columns;

/// Reads [`columns`].
pub(crate) fn ready_job(row: &PgRow) -> Result<ReadyJob, sqlx::Error> {
    let kind: &str = row.try_get(5)?;
    let unreadable =
        |what: String| sqlx::Error::ColumnDecode { index: what, source: "a later release wrote it".into() };
    Ok(ReadyJob {
        seq: row.try_get(0)?,
        job: JobId(row.try_get(1)?),
        tenant: TenantKey::from_stored(row.try_get(2)?),
        lane: Lane(row.try_get(3)?),
        contact: ContactId(row.try_get(4)?),
        kind: JobKind::find(kind).ok_or_else(|| unreadable(format!("kind {kind:?}")))?,
        run_at: Timestamp::from_millisecond(row.try_get(6)?).map_err(|_| unreadable("run_at".to_owned()))?,
    })
}

/// The first `limit` due jobs of each of these lanes, in order, without the messages of contacts that wait or of which
/// enough is known; what is no message is found past them.
///
/// # Errors
/// See [`Error::fault`].
pub async fn due(pool: &PgPool, lanes: &[LaneEpoch], but: &[ContactId], limit: i64) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM unnest($1::text[], $2::int2[]) AS m(tenant, lane)
           JOIN LATERAL (
             (SELECT * FROM job_ready j
               WHERE j.tenant = m.tenant AND j.lane = m.lane AND j.run_at <= clock_timestamp()
                 AND j.kind = 'message' AND j.contact <> ALL ($3::uuid[])
               ORDER BY j.tenant, j.lane, j.seq LIMIT $4)
             UNION ALL
             (SELECT * FROM job_ready j
               WHERE j.tenant = m.tenant AND j.lane = m.lane AND j.run_at <= clock_timestamp()
                 AND j.kind <> 'message'
               ORDER BY j.tenant, j.lane, j.seq LIMIT $4)
           ) AS j ON true
          ORDER BY j.seq",
    ))
    .bind(lanes.iter().map(|l| l.tenant.as_str()).collect::<Vec<_>>())
    .bind(lanes.iter().map(|l| l.lane.0).collect::<Vec<_>>())
    .bind(but.iter().map(|c| c.0).collect::<Vec<_>>())
    .bind(limit)
    .fetch_all(pool)
    .await?;
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}

/// The first message of each of these contacts that waits: whatever was told of them must not run before it.
///
/// # Errors
/// See [`Error::fault`].
pub async fn first_messages(pool: &PgPool, contacts: &[ContactId]) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM unnest($1::uuid[]) AS u(contact)
           JOIN LATERAL (SELECT * FROM job_ready j
                          WHERE j.contact = u.contact AND j.kind = 'message' AND j.run_at <= clock_timestamp()
                          ORDER BY j.contact, j.seq LIMIT 1) AS j ON true",
    ))
    .bind(contacts.iter().map(|contact| contact.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}

/// Puts jobs off until then, where their lane is still ours.
///
/// # Errors
/// See [`Error::fault`].
pub async fn put_off(
    connection: &mut PgConnection,
    lanes: &[LaneEpoch],
    jobs: &[(&ReadyJob, Timestamp)],
) -> Result<(), Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    sqlx::query(
        "WITH live AS (
           SELECT l.tenant, l.lane FROM lane l
             JOIN unnest($1::text[], $2::int2[], $3::int8[]) AS mine(tenant, lane, epoch) USING (tenant, lane, epoch)
            ORDER BY l.tenant, l.lane FOR SHARE OF l
         ), want AS MATERIALIZED (
           SELECT w.seq, w.at FROM unnest($4::int8[], $5::text[], $6::int2[], $7::float8[]) AS w(seq, tenant, lane, at)
             JOIN live USING (tenant, lane)
         )
         UPDATE job_ready j SET run_at = to_timestamp(w.at) FROM want w WHERE j.seq = w.seq",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(jobs.iter().map(|(job, _)| job.seq).collect::<Vec<_>>())
    .bind(jobs.iter().map(|(job, _)| job.tenant.as_str()).collect::<Vec<_>>())
    .bind(jobs.iter().map(|(job, _)| job.lane.0).collect::<Vec<_>>())
    .bind(jobs.iter().map(|(_, at)| seconds(*at)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// How much waits, by tenant.
#[derive(Clone, Debug)]
pub struct Depth {
    /// The tenant.
    pub tenant: TenantKey,
    /// Jobs that wait.
    pub jobs: i64,
    /// Age of the oldest, in seconds.
    pub oldest_seconds: f64,
}

/// How much waits, of the tenants named; for metrics.
///
/// # Errors
/// See [`Error::fault`].
pub async fn depth(pool: &PgPool, tenants: &[&TenantKey]) -> Result<Vec<Depth>, Error> {
    let rows = sqlx::query(
        "SELECT t.tenant, coalesce(d.jobs, 0),
                coalesce(extract(epoch FROM clock_timestamp() - d.oldest), 0)::float8
           FROM unnest($1::text[]) AS t(tenant)
           LEFT JOIN (SELECT tenant, count(*) AS jobs, min(run_at) AS oldest FROM job_ready GROUP BY tenant) AS d
             USING (tenant)",
    )
    .bind(tenants.iter().map(|t| t.as_str()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Depth {
                tenant: TenantKey::from_stored(row.try_get(0)?),
                jobs: row.try_get(1)?,
                oldest_seconds: row.try_get::<f64, _>(2)?.max(0.0),
            })
        })
        .collect()
}

/// Counts an attempt against the first due job of each contact of lanes whose owner died without a word, and returns
/// the heads that have had more than `max`.
///
/// # Errors
/// See [`Error::fault`].
pub async fn count_attempts(pool: &PgPool, lanes: &[LaneEpoch], max: i16) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "WITH head AS (SELECT DISTINCT ON (j.contact) j.seq
             FROM job_ready j JOIN unnest($1::text[], $2::int2[]) AS t(tenant, lane) USING (tenant, lane)
            WHERE j.run_at <= clock_timestamp()
            -- What is no message is taken also while messages wait for it.
            ORDER BY j.contact, j.kind = 'message', j.seq)
         UPDATE job_ready j SET attempts = attempts + 1 FROM head WHERE j.seq = head.seq
         RETURNING ",
        columns!(),
        ", j.attempts",
    ))
    .bind(lanes.iter().map(|l| l.tenant.as_str()).collect::<Vec<_>>())
    .bind(lanes.iter().map(|l| l.lane.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let mut exhausted = vec![];
    for row in &rows {
        if row.try_get::<i16, _>(7)? > max {
            exhausted.push(ready_job(row)?);
        }
    }
    Ok(exhausted)
}
