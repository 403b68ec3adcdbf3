//! Table `dead_letter`: what could not be handled, as it came.

use sqlx::PgConnection;
use uuid::Uuid;
use wigwag_domain::{ProviderName, TenantKey};

use crate::Error;

/// Something that could not be handled.
#[derive(Clone, Debug)]
pub struct StoredDeadLetter {
    /// UUIDv7.
    pub id: Uuid,
    /// The tenant whose secret signed it.
    pub tenant: TenantKey,
    /// The account by which it came in.
    pub provider: ProviderName,
    /// `ingest` or `lane`.
    pub stage: &'static str,
    /// A word of a small closed set.
    pub reason: &'static str,
    /// What exactly.
    pub detail: String,
    /// As it came.
    pub raw: Vec<u8>,
}

/// Stores dead letters.
///
/// # Errors
/// See [`Error::fault`].
pub async fn insert(connection: &mut PgConnection, letters: &[StoredDeadLetter]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO dead_letter (id, tenant, provider, stage, reason, detail, raw)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])",
    )
    .bind(letters.iter().map(|l| l.id).collect::<Vec<_>>())
    .bind(letters.iter().map(|l| l.tenant.as_str()).collect::<Vec<_>>())
    .bind(letters.iter().map(|l| l.provider.as_str()).collect::<Vec<_>>())
    .bind(letters.iter().map(|l| l.stage).collect::<Vec<_>>())
    .bind(letters.iter().map(|l| l.reason).collect::<Vec<_>>())
    .bind(letters.iter().map(|l| wigwag_domain::clean(&l.detail).into_owned()).collect::<Vec<_>>())
    .bind(letters.iter().map(|l| l.raw.as_slice()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
