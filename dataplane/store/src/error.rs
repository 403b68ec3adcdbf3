//! Whose fault an error of the database is: that decides between a dead letter and a retry.

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed, or the connection did.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought to this version.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// It did not answer in time; the outcome is not known.
    #[error("the database did not answer within {0:?}")]
    TimedOut(std::time::Duration),
    /// A stored text is not what this version writes.
    #[error("{table}: {detail}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value that PostgreSQL will never take: try its neighbours without it.
    Value,
    /// Two transactions met: the same again, at once.
    Conflict,
    /// The database, the network or ourselves: later.
    Ours,
}

impl Error {
    /// Whose fault it is, by SQLSTATE: classes 21 (cardinality), 22 (data), 23 (constraint) and 54 (limits) are the
    /// value's; 40001 and 40P01 are two transactions that met; all else is ours.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let Self::Database(sqlx::Error::Database(error)) = self else { return Fault::Ours };
        match error.code().as_deref() {
            Some("40001" | "40P01") => Fault::Conflict,
            Some(code) if ["21", "22", "23", "54"].iter().any(|class| code.starts_with(class)) => Fault::Value,
            _ => Fault::Ours,
        }
    }
}
