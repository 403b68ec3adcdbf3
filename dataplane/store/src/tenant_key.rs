//! Table `tenant_key`: 32 random bytes of each tenant, made on first use.

use sqlx::{PgPool, Row};
use wigwag_domain::TenantKey;

use crate::Error;

/// A tenant's key: the one that is there, else `fresh`, which is kept.
///
/// # Errors
/// See [`Error::fault`]; a key that has not 32 bytes is unreadable.
pub async fn get(pool: &PgPool, tenant: &TenantKey, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
    sqlx::query("INSERT INTO tenant_key (tenant, key) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(tenant.as_str())
        .bind(fresh.as_slice())
        .execute(pool)
        .await?;
    let row = sqlx::query("SELECT key FROM tenant_key WHERE tenant = $1").bind(tenant.as_str()).fetch_one(pool).await?;
    let key: Vec<u8> = row.try_get(0)?;
    let unreadable = |key: Vec<u8>| Error::Unreadable { table: "tenant_key", detail: format!("{} bytes", key.len()) };
    key.try_into().map_err(unreadable)
}
