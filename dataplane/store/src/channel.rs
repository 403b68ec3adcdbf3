//! Table `channel`: accounts that take no messages for now.

use sqlx::{PgPool, Row};
use wigwag_domain::{ProviderName, TenantKey};

use crate::Error;

/// An account that takes no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausedChannel {
    /// The tenant.
    pub tenant: TenantKey,
    /// The account.
    pub provider: ProviderName,
    /// The provider's words.
    pub reason: String,
    /// Mark of the token that was refused: another token ends the pause.
    pub token_mark: String,
    /// It is time to try with one message.
    pub probe_due: bool,
}

/// How long after a pause, or the last try, one message is tried.
pub const PROBE_SECONDS: f64 = 300.0;

/// Pauses an account, or says anew why it is paused.
///
/// # Errors
/// See [`Error::fault`].
pub async fn pause(
    pool: &PgPool,
    tenant: &TenantKey,
    provider: &ProviderName,
    reason: &str,
    token_mark: &str,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO channel (tenant, provider, reason, token_mark) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, provider) DO UPDATE SET reason = excluded.reason, token_mark = excluded.token_mark,
           probed_at = clock_timestamp()",
    )
    .bind(tenant.as_str())
    .bind(provider.as_str())
    .bind(reason)
    .bind(token_mark)
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes the right to try with one message, if nobody else has it.
///
/// # Errors
/// See [`Error::fault`].
pub async fn take_probe(pool: &PgPool, tenant: &TenantKey, provider: &ProviderName) -> Result<bool, Error> {
    let taken = sqlx::query(
        "UPDATE channel SET probed_at = clock_timestamp()
          WHERE tenant = $1 AND provider = $2
            AND probed_at < clock_timestamp() - $3 * interval '1 second'",
    )
    .bind(tenant.as_str())
    .bind(provider.as_str())
    .bind(PROBE_SECONDS)
    .execute(pool)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Ends a pause.
///
/// # Errors
/// See [`Error::fault`].
pub async fn resume(pool: &PgPool, tenant: &TenantKey, provider: &ProviderName) -> Result<(), Error> {
    sqlx::query("DELETE FROM channel WHERE tenant = $1 AND provider = $2")
        .bind(tenant.as_str())
        .bind(provider.as_str())
        .execute(pool)
        .await?;
    Ok(())
}

/// All paused accounts.
///
/// # Errors
/// See [`Error::fault`].
pub async fn paused(pool: &PgPool) -> Result<Vec<PausedChannel>, Error> {
    let rows = sqlx::query(
        "SELECT tenant, provider, reason, token_mark,
                probed_at < clock_timestamp() - $1 * interval '1 second' FROM channel",
    )
    .bind(PROBE_SECONDS)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(PausedChannel {
                tenant: TenantKey::from_stored(row.try_get(0)?),
                provider: ProviderName::new(row.try_get::<String, _>(1)?),
                reason: row.try_get(2)?,
                token_mark: row.try_get(3)?,
                probe_due: row.try_get(4)?,
            })
        })
        .collect()
}
