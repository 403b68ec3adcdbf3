//! The one connection over which effects and marks are committed.
//!
//! One, because overlapping share locks on the same lanes would keep a taker waiting. Whoever holds it may also be sure
//! that no effect is being committed: lanes are given back under it.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::{Mutex, MutexGuard};
use wigwag_store::{
    Error, Fault,
    connection::{Database, within},
};

/// The connection.
pub struct Fence {
    database: Database,
    patience: Duration,
    connection: Mutex<Option<PgConnection>>,
}

impl Fence {
    /// A fence for lanes with this lease. A statement ends within half of it: a process that is frozen inside one must
    /// not keep its lanes from being taken.
    #[must_use]
    pub fn new(database: Database, lease: Duration) -> Self {
        Self { database, patience: lease / 2, connection: Mutex::new(None) }
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// Those of the statement, and of connecting. After [`Fault::Ours`] it is not known whether it was committed.
    pub async fn run<T>(&self, statement: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Error>) -> Result<T, Error> {
        let mut guard = self.connection.lock().await;
        let mut open = match guard.take() {
            Some(open) => open,
            None => self.database.connect(self.patience, Some(self.patience)).await?,
        };
        let result = within(self.patience, statement(&mut open)).await;
        if result.as_ref().map_or_else(|error| error.fault() != Fault::Ours, |_| true) {
            *guard = Some(open);
        }
        result
    }

    /// Keeps everybody else from committing for as long as it is held.
    pub async fn close(&self) -> MutexGuard<'_, Option<PgConnection>> {
        self.connection.lock().await
    }
}
