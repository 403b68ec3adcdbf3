//! Table `timer`: when to look at a session though nothing came. A row may stand earlier than its session needs;
//! whoever looks sets it anew.

use sqlx::{PgConnection, PgPool};

use crate::{
    Error, LaneEpoch, ReadyJob,
    job_ready::{columns, ready_job},
    lane::LaneArrays,
};

/// Whether a timer of these lanes is due: asked before [`fire`], which locks the lanes.
///
/// # Errors
/// See [`Error::fault`].
pub async fn is_any_due(pool: &PgPool, lanes: &[LaneEpoch]) -> Result<bool, Error> {
    let LaneArrays { tenants, lanes, .. } = LaneArrays::new(lanes);
    let due = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM unnest($1::text[], $2::int2[]) AS m(tenant, lane)
                          JOIN LATERAL (SELECT FROM timer t
                                         WHERE t.tenant = m.tenant AND t.lane = m.lane
                                           AND t.due_at <= clock_timestamp() LIMIT 1) AS t ON true)",
    )
    .bind(tenants)
    .bind(lanes)
    .fetch_one(pool)
    .await?;
    Ok(due)
}

/// Makes jobs of up to `limit` timers that are due, where their lane is still ours. A message that was committed before
/// a timer was due has the lower `seq`.
///
/// # Errors
/// See [`Error::fault`].
pub async fn fire(connection: &mut PgConnection, lanes: &[LaneEpoch], limit: i64) -> Result<Vec<ReadyJob>, Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    let rows = sqlx::query(concat!(
        "WITH live AS MATERIALIZED (
           SELECT l.tenant, l.lane FROM lane l
             JOIN unnest($1::text[], $2::int2[], $3::int8[]) AS mine(tenant, lane, epoch) USING (tenant, lane, epoch)
            ORDER BY l.tenant, l.lane FOR SHARE OF l
         ), due AS MATERIALIZED (
           SELECT t.session FROM live m
             JOIN LATERAL (SELECT session, due_at FROM timer t
                            WHERE t.tenant = m.tenant AND t.lane = m.lane AND t.due_at <= clock_timestamp()
                            ORDER BY t.tenant, t.lane, t.due_at LIMIT $4) AS t ON true
            ORDER BY t.due_at LIMIT $4
         ), gone AS (
           DELETE FROM timer t USING due d WHERE t.session = d.session
           RETURNING t.session, t.tenant, t.lane, t.contact, t.due_at
         )
         INSERT INTO job_ready AS j (job, kind, tenant, lane, contact)
         SELECT session, 'timer', tenant, lane, contact FROM gone ORDER BY due_at, session
         RETURNING ",
        columns!(),
    ))
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}
