//! Table `outbox`: the place of a message in its contact's queue. A row is `queued`, or `sending` once an owner has
//! marked it and may have handed it over, or `unknown` when the answer was lost; it goes when it is settled.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, Row};
use wigwag_domain::{ContactId, Lane, OutboundId, TenantKey};

use crate::{Error, LaneEpoch, lane::LaneArrays};

/// A message in its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The message.
    pub id: OutboundId,
    /// Its order among the messages of its contact.
    pub seq: i64,
    /// Its tenant.
    pub tenant: TenantKey,
    /// Its contact's lane.
    pub lane: Lane,
    /// To whom it goes.
    pub contact: ContactId,
    /// Sends that were tried before.
    pub attempt: i32,
    /// Its answer was lost: it is not sent, and holds its contact's next until `wait` is over.
    pub unknown: bool,
    /// How long until it may be looked at again; zero when now.
    pub wait: Duration,
}

/// A message that may be handed over now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The message.
    pub id: OutboundId,
    /// The number of this attempt.
    pub attempt: i32,
}

/// The first `limit` messages of each of these lanes, in order, leaving out contacts of which enough is known.
///
/// # Errors
/// See [`Error::fault`].
pub async fn queued(pool: &PgPool, lanes: &[LaneEpoch], but: &[ContactId], limit: i64) -> Result<Vec<Queued>, Error> {
    let LaneArrays { tenants, lanes, .. } = LaneArrays::new(lanes);
    let rows = sqlx::query(
        "SELECT x.id, x.seq, m.tenant, m.lane, x.contact, x.attempt, x.state = 'unknown',
                greatest(extract(epoch FROM x.run_at - clock_timestamp()), 0)::float8
           FROM unnest($1::text[], $2::int2[]) AS m(tenant, lane)
           JOIN LATERAL (SELECT * FROM outbox x
                          WHERE x.tenant = m.tenant AND x.lane = m.lane AND x.state <> 'sending'
                            AND x.contact <> ALL ($3::uuid[])
                          ORDER BY x.tenant, x.lane, x.seq LIMIT $4) AS x ON true
          ORDER BY x.seq",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(but.iter().map(|c| c.0).collect::<Vec<_>>())
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Queued {
                id: OutboundId(row.try_get(0)?),
                seq: row.try_get(1)?,
                tenant: TenantKey::from_stored(row.try_get(2)?),
                lane: Lane(row.try_get(3)?),
                contact: ContactId(row.try_get(4)?),
                attempt: row.try_get(5)?,
                unknown: row.try_get(6)?,
                wait: Duration::try_from_secs_f64(row.try_get(7)?).unwrap_or_default(),
            })
        })
        .collect()
}

/// Marks messages as being handed over, where their lane is still ours. What is not returned must not be sent.
///
/// # Errors
/// See [`Error::fault`]. After an error it is not known what was marked: nothing of it may be sent by this call.
pub async fn mark_sending(
    connection: &mut PgConnection,
    lanes: &[LaneEpoch],
    messages: &[Queued],
) -> Result<Vec<Marked>, Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    let rows = sqlx::query(
        "WITH live AS (SELECT l.tenant, l.lane, l.epoch FROM lane l
             JOIN unnest($1::text[], $2::int2[], $3::int8[]) AS mine(tenant, lane, epoch) USING (tenant, lane, epoch)
            ORDER BY l.tenant, l.lane FOR SHARE OF l),
         want AS MATERIALIZED (SELECT w.id, live.epoch FROM unnest($4::uuid[], $5::text[], $6::int2[])
             AS w(id, tenant, lane) JOIN live USING (tenant, lane))
         UPDATE outbox b SET state = 'sending', attempt = b.attempt + 1, epoch = w.epoch
           FROM want w WHERE b.id = w.id AND b.state = 'queued' RETURNING b.id, b.attempt",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(messages.iter().map(|m| m.id.0).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.tenant.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.lane.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(Marked { id: OutboundId(row.try_get(0)?), attempt: row.try_get(1)? })).collect()
}

/// After a mark whose outcome is not known: what it may have marked is queued again. Only for messages of which it
/// is certain that they were not handed over, and where their lane is still ours.
///
/// # Errors
/// See [`Error::fault`].
pub async fn unmark(connection: &mut PgConnection, lanes: &[LaneEpoch], ids: &[OutboundId]) -> Result<(), Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    sqlx::query(
        "WITH live AS (SELECT l.tenant, l.lane, l.epoch FROM lane l
             JOIN unnest($1::text[], $2::int2[], $3::int8[]) AS mine(tenant, lane, epoch) USING (tenant, lane, epoch)
            ORDER BY l.tenant, l.lane FOR SHARE OF l)
         UPDATE outbox b SET state = 'queued'
           FROM live WHERE b.id = ANY ($4) AND b.tenant = live.tenant AND b.lane = live.lane
                       AND b.epoch = live.epoch AND b.state = 'sending'",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// After a takeover: what an owner of an older epoch may have handed over becomes `unknown`. Returns how many.
///
/// # Errors
/// See [`Error::fault`].
pub async fn lose_track(pool: &PgPool, lanes: &[LaneEpoch], hold: Duration) -> Result<u64, Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    let lost = sqlx::query(
        "WITH w AS (
           SELECT x.id FROM unnest($1::text[], $2::int2[], $3::int8[]) AS m(tenant, lane, epoch)
             JOIN LATERAL (SELECT x.id, x.epoch FROM outbox x
                            WHERE x.tenant = m.tenant AND x.lane = m.lane AND x.state = 'sending') AS x
               ON x.epoch < m.epoch
         ), l AS MATERIALIZED (
           SELECT w.id FROM (SELECT id FROM w ORDER BY id) AS w
             JOIN LATERAL (SELECT FROM outbound b WHERE b.id = w.id FOR NO KEY UPDATE) AS locked ON true
         ), s AS (
           UPDATE outbound b SET status = 'unknown' FROM l WHERE b.id = l.id AND b.status = 'queued'
         )
         UPDATE outbox x SET state = 'unknown', run_at = clock_timestamp() + $4 * interval '1 second'
           FROM l WHERE x.id = l.id AND x.state = 'sending'",
    )
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .bind(hold.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(lost.rows_affected())
}

/// Takes away what is settled: a receipt told how it ended, or it was `unknown` and its hold is over. Returns the
/// messages that went.
///
/// # Errors
/// See [`Error::fault`].
pub async fn sweep(pool: &PgPool, lanes: &[LaneEpoch]) -> Result<Vec<OutboundId>, Error> {
    let LaneArrays { tenants, lanes, .. } = LaneArrays::new(lanes);
    let rows = sqlx::query(
        "WITH w AS (
           SELECT x.id FROM unnest($1::text[], $2::int2[]) AS m(tenant, lane)
             JOIN LATERAL (SELECT x.id, x.state, x.run_at FROM outbox x
                            WHERE x.tenant = m.tenant AND x.lane = m.lane ORDER BY x.seq LIMIT 500) AS x ON true
             JOIN outbound b ON b.id = x.id
            WHERE b.status >= 'accepted' OR (x.state = 'unknown' AND x.run_at <= clock_timestamp())
         ), l AS MATERIALIZED (
           SELECT w.id FROM (SELECT id FROM w ORDER BY id) AS w
             JOIN LATERAL (SELECT FROM outbound b WHERE b.id = w.id FOR NO KEY UPDATE) AS locked ON true
         )
         DELETE FROM outbox x USING l WHERE x.id = l.id RETURNING x.id",
    )
    .bind(tenants)
    .bind(lanes)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(OutboundId(row.try_get(0)?))).collect()
}
