//! Connections: a pool for reading, and single ones for the writers that must not wait for each other.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::Error;

/// Every statement of ours looks rows up by key. A fresh database has no statistics, and the planner then likes to read
/// whole tables and to keep the plan: these leave it the index.
const BY_KEY: [&str; 3] = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"];

/// How to reach the database. The URL is never printed: it holds a password.
#[derive(Clone)]
pub struct Database(PgConnectOptions);

impl Database {
    /// Reads `postgres://user:password@host:5432/name`.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self(PgConnectOptions::from_str(url)?.application_name("wigwag").disable_statement_logging()))
    }

    /// A pool for statements that may wait for each other. Connects when it is first used.
    #[must_use]
    pub fn pool(&self, connections: u32, patience: Duration) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(patience)
            .connect_lazy_with(self.with_timeouts(patience, None))
    }

    /// A connection of one's own, within `patience`. Its statements end after `patience` too. With `idle`, so do those
    /// of a client that is gone, and a transaction that its owner left standing (frozen between two statements).
    ///
    /// # Errors
    /// When the database does not answer in time, or refuses.
    pub async fn connect(&self, patience: Duration, idle: Option<Duration>) -> Result<PgConnection, Error> {
        tokio::time::timeout(patience, self.with_timeouts(patience, idle).connect())
            .await
            .map_err(|_| Error::TimedOut(patience))?
            .map_err(Error::from)
    }

    /// A connection without time-outs of its own, for migrations and for `LISTEN`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn connect_patiently(&self) -> Result<PgConnection, Error> {
        Ok(self.0.connect().await?)
    }

    /// The options, for `LISTEN`, which connects by itself.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }

    fn with_timeouts(&self, statement: Duration, idle: Option<Duration>) -> PgConnectOptions {
        let mut settings = vec![("statement_timeout", statement.as_millis().to_string())];
        settings.extend(BY_KEY.map(|setting| (setting, "off".to_owned())));
        if let Some(idle) = idle {
            settings.push(("idle_in_transaction_session_timeout", idle.as_millis().to_string()));
            // A writer that was killed must not have its statement carried out later, once a lock is free.
            settings.push(("client_connection_check_interval", (idle / 2).as_millis().to_string()));
        }
        self.0.clone().options(settings)
    }
}

/// Runs `work` for at most `patience`.
///
/// # Errors
/// [`Error::TimedOut`] when it takes longer: the connection is then in an unknown state and must be dropped.
pub async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(patience, work).await.map_err(|_| Error::TimedOut(patience))?
}
