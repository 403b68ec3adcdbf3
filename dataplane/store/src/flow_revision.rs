//! Table `flow_revision`: the text of each revision, kept as long as a session needs it.

use sqlx::{PgPool, Row};
use wigwag_domain::TenantKey;

use crate::Error;

/// A revision's text.
#[derive(Clone, Debug)]
pub struct FlowRevision<'a> {
    /// The tenant.
    pub tenant: &'a TenantKey,
    /// Name of the Flow.
    pub flow: &'a str,
    /// Hash of the text.
    pub revision: &'a str,
    /// The Flow's `spec` as JSON.
    pub spec: &'a str,
}

/// Stores revisions; those that are there already stay as they are.
///
/// # Errors
/// See [`Error::fault`].
pub async fn insert(pool: &PgPool, revisions: &[FlowRevision<'_>]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO flow_revision (tenant, flow, revision, spec)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS u(tenant, flow, revision, spec)
          ORDER BY u.tenant, u.flow, u.revision
         ON CONFLICT DO NOTHING",
    )
    .bind(revisions.iter().map(|r| r.tenant.as_str()).collect::<Vec<_>>())
    .bind(revisions.iter().map(|r| r.flow).collect::<Vec<_>>())
    .bind(revisions.iter().map(|r| r.revision).collect::<Vec<_>>())
    .bind(revisions.iter().map(|r| r.spec).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// The text of a revision.
///
/// # Errors
/// See [`Error::fault`].
pub async fn spec(pool: &PgPool, tenant: &TenantKey, flow: &str, revision: &str) -> Result<Option<String>, Error> {
    let row = sqlx::query("SELECT spec FROM flow_revision WHERE tenant = $1 AND flow = $2 AND revision = $3")
        .bind(tenant.as_str())
        .bind(flow)
        .bind(revision)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Deletes up to `limit` revisions that no open session runs and that are none of `current` (flow and revision of
/// what the tenant's configuration holds now), once they are a day old.
///
/// # Errors
/// See [`Error::fault`].
pub async fn forget_unused(
    pool: &PgPool,
    tenant: &TenantKey,
    current: &[(String, String)],
    limit: i64,
) -> Result<u64, Error> {
    let (flows, revisions): (Vec<&str>, Vec<&str>) =
        current.iter().map(|(flow, revision)| (flow.as_str(), revision.as_str())).unzip();
    let gone = sqlx::query(
        "DELETE FROM flow_revision WHERE (tenant, flow, revision) IN
           (SELECT r.tenant, r.flow, r.revision FROM flow_revision r
             WHERE r.tenant = $1 AND r.created_at < clock_timestamp() - interval '1 day'
               AND (r.flow, r.revision) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
               AND NOT EXISTS (SELECT FROM session s
                                WHERE s.tenant = r.tenant AND s.is_open
                                  AND (s.flow = r.flow AND s.revision = r.revision
                                       OR r.flow || '@' || r.revision = ANY (s.pinned)))
             LIMIT $4)",
    )
    .bind(tenant.as_str())
    .bind(flows)
    .bind(revisions)
    .bind(limit)
    .execute(pool)
    .await?;
    Ok(gone.rows_affected())
}
