//! Table `replica`: which processes live, by the database's clock.

use std::{collections::HashMap, time::Duration};

use sqlx::{PgPool, Row};
use wigwag_domain::TenantKey;

use crate::Error;

/// Says that this process lives, and which tenants it can work for, for the length of a lease.
///
/// # Errors
/// See [`Error::fault`].
pub async fn renew(pool: &PgPool, replica: &str, tenants: &[&TenantKey], lease: Duration) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO replica (id, tenants, expires_at)
         VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
         ON CONFLICT (id) DO UPDATE SET tenants = excluded.tenants, expires_at = excluded.expires_at",
    )
    .bind(replica)
    .bind(tenants.iter().map(|t| t.as_str()).collect::<Vec<_>>())
    .bind(lease.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}

/// How many processes live that can work for each tenant.
///
/// # Errors
/// See [`Error::fault`].
pub async fn living(pool: &PgPool) -> Result<HashMap<TenantKey, usize>, Error> {
    let rows = sqlx::query(
        "SELECT t.tenant, count(*) FROM replica r, unnest(r.tenants) AS t(tenant)
          WHERE r.expires_at >= clock_timestamp() GROUP BY t.tenant",
    )
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let living = usize::try_from(row.try_get::<i64, _>(1)?).unwrap_or(1);
            Ok((TenantKey::from_stored(row.try_get(0)?), living))
        })
        .collect()
}

/// Forgets this process, and those that ended a day ago.
///
/// # Errors
/// See [`Error::fault`].
pub async fn leave(pool: &PgPool, replica: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM replica WHERE id = $1 OR expires_at < clock_timestamp() - interval '1 day'")
        .bind(replica)
        .execute(pool)
        .await?;
    Ok(())
}
