//! Table `inbound`: the one copy of what came in, in weekly partitions that are made ahead.

use std::collections::HashMap;

use jiff::{Timestamp, ToSpan, civil::Weekday, tz::TimeZone};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Row};
use uuid::Uuid;
use wigwag_domain::{ContactId, InboundId, ProviderName};

use crate::Error;

/// Partitions are made for this week and as many to come.
const WEEKS_AHEAD: i64 = 4;
/// Only one process at a time makes partitions.
const PARTITIONS_LOCK: i64 = 0x7769_6777_6167;

/// The payloads of messages by id.
///
/// # Errors
/// See [`Error::fault`].
pub async fn payloads(pool: &PgPool, ids: &[InboundId]) -> Result<HashMap<InboundId, String>, Error> {
    let rows = sqlx::query(
        "SELECT u.id, i.payload FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT payload FROM inbound i WHERE i.id = u.id) AS i ON true",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((InboundId(row.try_get(0)?), row.try_get(1)?))).collect()
}

/// The newest message, of those since `since`, of each of these contacts by each of these accounts.
///
/// # Errors
/// See [`Error::fault`].
pub async fn newest(
    pool: &PgPool,
    of: &[(ContactId, ProviderName)],
    since: Timestamp,
) -> Result<HashMap<(ContactId, ProviderName), InboundId>, Error> {
    // The first id of that millisecond: older partitions are not looked into.
    let first = uuid::Builder::from_unix_timestamp_millis(since.as_millisecond().unsigned_abs(), &[0; 10]).into_uuid();
    let rows = sqlx::query(
        "SELECT u.contact, u.provider, i.id FROM unnest($1::uuid[], $2::text[]) AS u(contact, provider)
           JOIN LATERAL (SELECT id FROM inbound i
                          WHERE i.contact = u.contact AND i.provider = u.provider AND i.id >= $3
                          ORDER BY i.contact, i.id DESC LIMIT 1) AS i ON true",
    )
    .bind(of.iter().map(|(contact, _)| contact.0).collect::<Vec<_>>())
    .bind(of.iter().map(|(_, provider)| provider.as_str()).collect::<Vec<_>>())
    .bind(first)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let provider = ProviderName::new(row.try_get::<String, _>(1)?);
            Ok(((ContactId(row.try_get(0)?), provider), InboundId(row.try_get(2)?)))
        })
        .collect()
}

/// Makes the partitions of this week and the weeks to come that are not there yet. Each is made aside and then
/// attached, with little patience: `CREATE TABLE … PARTITION OF` behind one open reader would queue every insert.
///
/// # Errors
/// See [`Error::fault`]. A lock that was not had in time is no error: the rows go to the default partition, and the
/// next call tries again.
pub async fn make_partitions(connection: &mut PgConnection) -> Result<(), Error> {
    let mut transaction = connection.begin().await?;
    let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(PARTITIONS_LOCK)
        .fetch_one(&mut *transaction)
        .await?;
    if !ours {
        return Ok(());
    }
    sqlx::query("SET LOCAL lock_timeout = '1s'").execute(&mut *transaction).await?;
    for week in weeks(Timestamp::now()) {
        let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(&week.name)
            .fetch_one(&mut *transaction)
            .await?;
        if exists {
            continue;
        }
        // A savepoint: a week that cannot be attached now must not undo the others.
        let mut attempt = Connection::begin(&mut *transaction).await?;
        match attach(&mut attempt, &week).await {
            Ok(()) => attempt.commit().await?,
            // 55P03: somebody reads; 23514: the default partition holds rows of that week already.
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("55P03" | "23514")) => {
                attempt.rollback().await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    transaction.commit().await?;
    Ok(())
}

async fn attach(connection: &mut PgConnection, week: &Week) -> Result<(), sqlx::Error> {
    // Names and bounds are made here from a date; identifiers cannot be bound.
    let Week { name, from, to } = week;
    let create = format!("CREATE TABLE {name} (LIKE inbound INCLUDING ALL)");
    let attach = format!("ALTER TABLE inbound ATTACH PARTITION {name} FOR VALUES FROM ('{from}') TO ('{to}')");
    sqlx::query(AssertSqlSafe(create)).execute(&mut *connection).await?;
    sqlx::query(AssertSqlSafe(attach)).execute(connection).await?;
    Ok(())
}

/// A partition: its table and the ids that it holds.
#[derive(Debug, PartialEq, Eq)]
struct Week {
    name: String,
    from: Uuid,
    to: Uuid,
}

fn weeks(now: Timestamp) -> Vec<Week> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let Ok(monday) = today.tomorrow().and_then(|day| day.nth_weekday(-1, Weekday::Monday)) else { return vec![] };
    let bound = |weeks: i64| {
        let day = monday.checked_add(weeks.weeks()).ok()?;
        let start = day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        let millis = u128::try_from(start).ok()?;
        Some((day, Uuid::from_u128(millis << 80)))
    };
    (0..=WEEKS_AHEAD)
        .filter_map(|week| {
            let ((day, from), (_, to)) = (bound(week)?, bound(week + 1)?);
            Some(Week { name: format!("inbound_{}", day.strftime("%Y%m%d")), from, to })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_follow_each_other_without_a_gap_and_begin_with_this_one() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().expect("time");
        let weeks = weeks(now);
        assert_eq!(weeks.len(), 5);
        assert_eq!(weeks[0].name, "inbound_20261116");
        assert!(weeks.windows(2).all(|pair| pair[0].to == pair[1].from));
        let id = uuid::Builder::from_unix_timestamp_millis(now.as_millisecond().unsigned_abs(), &[0; 10]).into_uuid();
        assert!(weeks[0].from <= id && id < weeks[0].to, "what comes in now belongs to the first");
    }
}
