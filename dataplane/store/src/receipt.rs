//! Table `receipt`: what providers told of messages that are not there (yet).

use jiff::Timestamp;
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use uuid::Uuid;
use wigwag_domain::{OutboundId, Receipt, ReceiptError, Status, TenantKey};

use crate::{
    Error, ReadyJob,
    outbound::{self, Changed, seconds},
};

/// How long an orphan is looked at every second; after that hourly, for 8 days.
const FRESH: &str = "10 minutes";

/// Keeps receipts until their message is there. Sorted here, so that two replicas do not deadlock.
///
/// # Errors
/// See [`Error::fault`].
pub async fn keep(connection: &mut PgConnection, orphans: &[(&TenantKey, &Receipt)]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO receipt (tenant, provider_id, status, our_id, at, error_code, error)
         SELECT DISTINCT ON (u.tenant, u.provider_id, u.status)
                u.tenant, u.provider_id, u.status, u.our_id, to_timestamp(u.at), u.code, u.title
           FROM unnest($1::text[], $2::text[], $3::text[]::message_status[], $4::uuid[], $5::float8[], $6::int4[],
                       $7::text[])
                  AS u(tenant, provider_id, status, our_id, at, code, title)
          ORDER BY u.tenant, u.provider_id, u.status
         ON CONFLICT DO NOTHING",
    )
    .bind(orphans.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(orphans.iter().map(|(_, r)| r.provider_id.as_str()).collect::<Vec<_>>())
    .bind(orphans.iter().map(|(_, r)| r.status.as_str()).collect::<Vec<_>>())
    .bind(orphans.iter().map(|(_, r)| r.our_id.map(|id| id.0)).collect::<Vec<_>>())
    .bind(orphans.iter().map(|(_, r)| seconds(r.at)).collect::<Vec<_>>())
    .bind(orphans.iter().map(|(_, r)| r.error.as_ref().map(|e| e.code)).collect::<Vec<_>>())
    .bind(orphans.iter().map(|(_, r)| r.error.as_ref().map(|e| e.title.as_str())).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Which orphans to look at.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// Those of messages that were accepted just now, by the provider's ids.
    Of(&'a [(TenantKey, String)]),
    /// Those of the last minutes, of these tenants.
    Fresh(&'a [TenantKey]),
    /// All, of these tenants; those older than 8 days go.
    All(&'a [TenantKey]),
}

/// What orphans led to.
#[derive(Debug, Default)]
pub struct Adopted {
    /// Messages whose status changed.
    pub changed: Vec<Changed>,
    /// Jobs of sessions whose message failed.
    pub jobs: Vec<ReadyJob>,
}

/// Applies orphans whose message is there by now. A new transaction: one that began before the message was committed
/// would miss it, and the message's would miss the orphan, for ever.
///
/// # Errors
/// See [`Error::fault`].
pub async fn adopt(connection: &mut PgConnection, which: Which<'_>) -> Result<Adopted, Error> {
    let mut transaction = connection.begin().await?;
    let rows =
        match which {
            Which::Of(ids) => {
                sqlx::query(
                    "SELECT r.tenant, r.provider_id, r.status::text, r.our_id, extract(epoch FROM r.at)::float8,
                        r.error_code, r.error
                   FROM unnest($1::text[], $2::text[]) AS u(tenant, provider_id)
                   JOIN LATERAL (SELECT * FROM receipt r
                                  WHERE r.tenant = u.tenant AND r.provider_id = u.provider_id) AS r ON true",
                )
                .bind(ids.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
                .bind(ids.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>())
                .fetch_all(&mut *transaction)
                .await?
            }
            Which::Fresh(tenants) => sqlx::query(
                "SELECT tenant, provider_id, status::text, our_id, extract(epoch FROM at)::float8, error_code, error
                   FROM receipt WHERE tenant = ANY ($1) AND seen_at > clock_timestamp() - $2::text::interval",
            )
            .bind(tenants.iter().map(TenantKey::as_str).collect::<Vec<_>>())
            .bind(FRESH)
            .fetch_all(&mut *transaction)
            .await?,
            Which::All(tenants) => {
                let tenants: Vec<_> = tenants.iter().map(TenantKey::as_str).collect();
                sqlx::query(
                    "DELETE FROM receipt WHERE tenant = ANY ($1) AND seen_at < clock_timestamp() - interval '8 days'",
                )
                .bind(&tenants)
                .execute(&mut *transaction)
                .await?;
                sqlx::query(
                "SELECT tenant, provider_id, status::text, our_id, extract(epoch FROM at)::float8, error_code, error
                   FROM receipt WHERE tenant = ANY ($1)",
            )
            .bind(&tenants)
            .fetch_all(&mut *transaction)
            .await?
            }
        };
    let kept: Vec<(TenantKey, Receipt)> = rows.iter().map(read).collect::<Result<_, _>>()?;
    if kept.is_empty() {
        return Ok(Adopted::default());
    }
    let receipts: Vec<_> = kept.iter().map(|(tenant, receipt)| (tenant, receipt)).collect();
    let applied = outbound::apply_receipts(&mut transaction, &receipts).await?;
    let adopted: Vec<_> = (0..receipts.len()).filter(|at| !applied.orphans.contains(at)).collect();
    sqlx::query(
        "DELETE FROM receipt r USING unnest($1::text[], $2::text[], $3::text[]::message_status[])
                                       AS u(tenant, provider_id, status)
          WHERE r.tenant = u.tenant AND r.provider_id = u.provider_id AND r.status = u.status",
    )
    .bind(adopted.iter().map(|at| receipts[*at].0.as_str()).collect::<Vec<_>>())
    .bind(adopted.iter().map(|at| receipts[*at].1.provider_id.as_str()).collect::<Vec<_>>())
    .bind(adopted.iter().map(|at| receipts[*at].1.status.as_str()).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Adopted { changed: applied.changed, jobs: applied.jobs })
}

fn read(row: &PgRow) -> Result<(TenantKey, Receipt), Error> {
    let status: String = row.try_get(2)?;
    let status = Status::ALL
        .into_iter()
        .find(|known| known.as_str() == status)
        .ok_or_else(|| Error::Unreadable { table: "receipt", detail: format!("status {status:?}") })?;
    let error = row
        .try_get::<Option<i32>, _>(5)?
        .map(|code| {
            Ok::<_, sqlx::Error>(ReceiptError { code, title: row.try_get::<Option<_>, _>(6)?.unwrap_or_default() })
        })
        .transpose()?;
    let receipt = Receipt {
        provider_id: row.try_get(1)?,
        our_id: row.try_get::<Option<Uuid>, _>(3)?.map(OutboundId),
        status,
        at: Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(row.try_get(4)?).unwrap_or_default())
            .unwrap_or_default(),
        error,
    };
    Ok((TenantKey::from_stored(row.try_get(0)?), receipt))
}
