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

/// Stores revisions that are current; the text of those that are there already stays as it is.
///
/// # Errors
/// See [`Error::fault`].
pub async fn insert(pool: &PgPool, revisions: &[FlowRevision<'_>]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO flow_revision (tenant, flow, revision, spec)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS u(tenant, flow, revision, spec)
          ORDER BY u.tenant, u.flow, u.revision
         ON CONFLICT (tenant, flow, revision) DO UPDATE SET retired_at = NULL
          WHERE flow_revision.retired_at IS NOT NULL",
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

/// Retires revisions that are none of `current` (flow and revision of what the tenant's configuration holds now), and
/// deletes up to `limit` that were retired a day ago and that no open session runs. The day is for replicas whose
/// configuration comes later: they begin sessions on what was retired here already.
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
    sqlx::query(
        "UPDATE flow_revision r
            SET retired_at = CASE WHEN c.is_current THEN NULL ELSE clock_timestamp() END
           FROM (SELECT tenant, flow, revision,
                        (flow, revision) IN (SELECT * FROM unnest($2::text[], $3::text[])) AS is_current
                   FROM flow_revision WHERE tenant = $1) AS c
          WHERE (r.tenant, r.flow, r.revision) = (c.tenant, c.flow, c.revision)
            AND (r.retired_at IS NULL) <> c.is_current",
    )
    .bind(tenant.as_str())
    .bind(flows)
    .bind(revisions)
    .execute(pool)
    .await?;
    let gone = sqlx::query(
        "DELETE FROM flow_revision WHERE (tenant, flow, revision) IN
           (SELECT r.tenant, r.flow, r.revision FROM flow_revision r
             WHERE r.tenant = $1 AND r.retired_at < clock_timestamp() - interval '1 day'
               AND NOT EXISTS (SELECT FROM session s
                                WHERE s.tenant = r.tenant AND s.is_open
                                  AND (s.flow = r.flow AND s.revision = r.revision
                                       OR r.flow || '@' || r.revision = ANY (s.pinned)))
             LIMIT $2)",
    )
    .bind(tenant.as_str())
    .bind(limit)
    .execute(pool)
    .await?;
    Ok(gone.rows_affected())
}
