//! Brings a database to this version's tables: forward only, by the files in `migrations/`, and safe with many
//! replicas that start at once (sqlx takes an advisory lock).

use sqlx::{PgConnection, migrate::Migrator};

use crate::{Error, inbound};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Applies what is missing, and makes the partitions of the coming weeks.
///
/// # Errors
/// When a migration fails, or the database has one that this version does not know.
pub async fn run(connection: &mut PgConnection) -> Result<(), Error> {
    // A newer version's migrations are not ours to judge: it may be rolling out beside us.
    let mut migrator = Migrator { migrations: MIGRATOR.migrations.clone(), ..Migrator::DEFAULT };
    migrator.set_ignore_missing(true);
    // Not `run`: its future cannot be sent between threads (sqlx's own note on `run_direct`).
    migrator.run_direct(None, &mut *connection, false).await?;
    inbound::make_partitions(connection).await
}

/// Whether all of this version's migrations are applied.
///
/// # Errors
/// When the database does not answer.
pub async fn is_current(connection: &mut PgConnection) -> Result<bool, Error> {
    let applied: Option<Option<i64>> = sqlx::query_scalar(
        "SELECT max(version) FROM _sqlx_migrations WHERE success AND to_regclass('_sqlx_migrations') IS NOT NULL",
    )
    .fetch_optional(connection)
    .await
    .or_else(|error| match &error {
        // 42P01: the table is not there, nothing was ever applied.
        sqlx::Error::Database(refused) if refused.code().as_deref() == Some("42P01") => Ok(None),
        _ => Err(error),
    })?;
    let newest = MIGRATOR.iter().map(|migration| migration.version).max();
    Ok(applied.flatten() >= newest)
}
