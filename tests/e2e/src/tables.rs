//! What the tables say, as tests ask it.

use anyhow::Result;
use sqlx::PgPool;

/// One number.
///
/// # Errors
/// When the database does not answer.
pub async fn count(pool: &PgPool, sql: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}

/// Outbound messages by status.
///
/// # Errors
/// When the database does not answer.
pub async fn outbound(pool: &PgPool) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as("SELECT status::text, count(*) FROM outbound GROUP BY status ORDER BY status")
        .fetch_all(pool)
        .await?)
}

/// Jobs by status, as the view has them.
///
/// # Errors
/// When the database does not answer.
pub async fn jobs(pool: &PgPool) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as("SELECT status::text, count(*) FROM jobs GROUP BY status ORDER BY status")
        .fetch_all(pool)
        .await?)
}
