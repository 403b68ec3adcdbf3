//! Table `lane`: who owns which share of a tenant's contacts. The epoch goes up with each change of owner; effects
//! and marks of an older epoch write nothing.

use sqlx::{PgPool, Row, postgres::PgRow};
use wigwag_domain::{LANES, Lane, TenantKey};

use crate::Error;

/// A lane as its owner knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneEpoch {
    /// The tenant.
    pub tenant: TenantKey,
    /// The lane.
    pub lane: Lane,
    /// The epoch in which we own it.
    pub epoch: i64,
}

/// A lane that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The lane in its new epoch.
    pub lane: LaneEpoch,
    /// Its owner before did not release it: what it was at may have killed it.
    pub abandoned: bool,
}

/// Lane arrays of statements that are fenced, in the order in which they lock.
pub(crate) struct LaneArrays<'a> {
    pub(crate) tenants: Vec<&'a str>,
    pub(crate) lanes: Vec<i16>,
    pub(crate) epochs: Vec<i64>,
}

impl<'a> LaneArrays<'a> {
    pub(crate) fn new(lanes: &'a [LaneEpoch]) -> Self {
        Self {
            tenants: lanes.iter().map(|l| l.tenant.as_str()).collect(),
            lanes: lanes.iter().map(|l| l.lane.0).collect(),
            epochs: lanes.iter().map(|l| l.epoch).collect(),
        }
    }
}

fn lane_epoch(row: &PgRow) -> Result<LaneEpoch, sqlx::Error> {
    Ok(LaneEpoch {
        tenant: TenantKey::from_stored(row.try_get(0)?),
        lane: Lane(row.try_get(1)?),
        epoch: row.try_get(2)?,
    })
}

/// Makes the lanes of tenants that have none yet.
///
/// # Errors
/// See [`Error::fault`].
pub async fn ensure(pool: &PgPool, tenants: &[&TenantKey]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO lane (tenant, lane)
         SELECT t.tenant, n FROM unnest($1::text[]) AS t(tenant), generate_series(0, $2) AS n
          WHERE NOT EXISTS (SELECT FROM lane l WHERE l.tenant = t.tenant AND l.lane = n)
          ORDER BY 1, 2
         ON CONFLICT DO NOTHING",
    )
    .bind(tenants.iter().map(|t| t.as_str()).collect::<Vec<_>>())
    .bind(i32::from(LANES) - 1)
    .execute(pool)
    .await?;
    Ok(())
}

/// The lanes that this replica owns, as the database has it.
///
/// # Errors
/// See [`Error::fault`].
pub async fn owned(pool: &PgPool, replica: &str) -> Result<Vec<LaneEpoch>, Error> {
    let rows = sqlx::query("SELECT tenant, lane, epoch FROM lane WHERE owner = $1 ORDER BY tenant, lane")
        .bind(replica)
        .fetch_all(pool)
        .await?;
    Ok(rows.iter().map(lane_epoch).collect::<Result<_, _>>()?)
}

/// Takes back, in a new epoch, what a process of this name owned before: it is us, and it is no more.
///
/// # Errors
/// See [`Error::fault`].
pub async fn take_back(pool: &PgPool, replica: &str) -> Result<Vec<LaneEpoch>, Error> {
    let rows = sqlx::query(
        "WITH mine AS (SELECT tenant, lane FROM lane WHERE owner = $1 ORDER BY tenant, lane FOR UPDATE)
         UPDATE lane l SET epoch = l.epoch + 1 FROM mine m WHERE l.tenant = m.tenant AND l.lane = m.lane
         RETURNING l.tenant, l.lane, l.epoch",
    )
    .bind(replica)
    .fetch_all(pool)
    .await?;
    Ok(rows.iter().map(lane_epoch).collect::<Result<_, _>>()?)
}

/// Takes up to `limit` lanes of a tenant that nobody owns, or whose owner's lease has ended.
///
/// # Errors
/// See [`Error::fault`].
pub async fn take(pool: &PgPool, tenant: &TenantKey, replica: &str, limit: i64) -> Result<Vec<Taken>, Error> {
    // Locked in one order, skipping what somebody else takes: a plain UPDATE locks in the order of its plan and
    // deadlocks with the fence.
    let rows = sqlx::query(
        "WITH free AS (SELECT l.tenant, l.lane, l.owner FROM lane l LEFT JOIN replica r ON r.id = l.owner
            WHERE l.tenant = $1 AND (r.id IS NULL OR r.expires_at < clock_timestamp())
            ORDER BY l.tenant, l.lane LIMIT $2 FOR UPDATE OF l SKIP LOCKED)
         UPDATE lane l SET owner = $3, epoch = l.epoch + 1 FROM free f
          WHERE l.tenant = f.tenant AND l.lane = f.lane
         RETURNING l.tenant, l.lane, l.epoch, f.owner IS NOT NULL",
    )
    .bind(tenant.as_str())
    .bind(limit)
    .bind(replica)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(Taken { lane: lane_epoch(row)?, abandoned: row.try_get(3)? })).collect()
}

/// Gives lanes back: whoever is short of lanes takes them at once.
///
/// # Errors
/// See [`Error::fault`].
pub async fn release(pool: &PgPool, replica: &str, lanes: &[LaneEpoch]) -> Result<(), Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    sqlx::query(
        "WITH mine AS (SELECT l.tenant, l.lane FROM lane l
             JOIN unnest($2::text[], $3::int2[], $4::int8[]) AS m(tenant, lane, epoch) USING (tenant, lane, epoch)
            WHERE l.owner = $1 ORDER BY l.tenant, l.lane FOR UPDATE OF l)
         UPDATE lane l SET owner = NULL FROM mine m WHERE l.tenant = m.tenant AND l.lane = m.lane",
    )
    .bind(replica)
    .bind(tenants)
    .bind(lanes)
    .bind(epochs)
    .execute(pool)
    .await?;
    Ok(())
}
