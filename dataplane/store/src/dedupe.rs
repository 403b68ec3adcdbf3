//! Table `dedupe`: which messages were stored already.

use sqlx::PgConnection;
use uuid::Uuid;
use wigwag_domain::{DedupeKey, InboundId};

use crate::Error;

/// Remembers keys and tells which of them are new. `keys` holds no key twice and is sorted: two replicas that
/// insert the same keys in different orders would deadlock.
///
/// # Errors
/// See [`Error::fault`].
pub async fn insert(connection: &mut PgConnection, keys: &[(DedupeKey, InboundId)]) -> Result<Vec<InboundId>, Error> {
    let (keys, refs): (Vec<_>, Vec<_>) = keys.iter().map(|(key, id)| (Uuid::from_bytes(key.0), id.0)).unzip();
    let new: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO dedupe (key, ref)
         SELECT u.key, u.ref FROM unnest($1::uuid[], $2::uuid[]) AS u(key, ref) ORDER BY u.key
         ON CONFLICT (key) DO NOTHING
         RETURNING ref",
    )
    .bind(keys)
    .bind(refs)
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().map(InboundId).collect())
}

/// Deletes up to `limit` keys that are older than 9 days; Meta delivers again for 7. Returns how many went.
///
/// # Errors
/// See [`Error::fault`].
pub async fn forget_old(connection: &mut PgConnection, limit: i64) -> Result<u64, Error> {
    let gone = sqlx::query(
        "DELETE FROM dedupe WHERE key IN
           (SELECT key FROM dedupe WHERE seen_at < clock_timestamp() - interval '9 days' LIMIT $1)",
    )
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(gone.rows_affected())
}
