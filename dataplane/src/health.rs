//! Whether this process can do its work: the database, its tables, the configuration. What `/readyz` and `/configz`
//! tell.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use wigwag_crds::configz::DatabaseReport;
use wigwag_store::{
    Error, PgConnection,
    connection::{Database, within},
    inbound, migrate,
};

/// Time between looks at the database, and how long it may take to answer.
const EVERY: Duration = Duration::from_secs(1);
/// Time between looks at the partitions of the coming weeks.
const PARTITIONS: Duration = Duration::from_secs(24 * 3600);

/// What is known.
#[derive(Debug)]
pub struct Health {
    database: Mutex<DatabaseReport>,
    /// This version's tables are there.
    migrated: CancellationToken,
    /// A configuration is active.
    configured: CancellationToken,
    draining: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        let database = DatabaseReport { ready: false, message: "not looked at yet".to_owned() };
        Self {
            database: Mutex::new(database),
            migrated: CancellationToken::new(),
            configured: CancellationToken::new(),
            draining: AtomicBool::new(false),
        }
    }
}

impl Health {
    /// A configuration is active.
    pub fn configured(&self) {
        self.configured.cancel();
    }

    /// Whether a configuration is active.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.configured.is_cancelled()
    }

    /// The process is going down.
    pub fn draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Runs a part once this version's tables are there, unless it is told to stop before.
    pub async fn once_migrated(self: Arc<Self>, part: impl Future<Output = ()>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.migrated.cancelled() => part.await,
        }
    }

    /// Runs a part once a configuration is active, unless it is told to stop before. To a part that began earlier every
    /// tenant would look like one that was removed.
    pub async fn once_configured(self: Arc<Self>, part: impl Future<Output = ()>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.configured.cancelled() => part.await,
        }
    }

    /// What is known of the database.
    #[must_use]
    pub fn database(&self) -> DatabaseReport {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why no webhooks should come here; `None` when they should.
    ///
    /// A database that goes away later is no reason: every replica would lose it at once, and 503 says as much.
    #[must_use]
    pub fn unready(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("going down");
        }
        if !self.migrated.is_cancelled() {
            return Some("the database is not reached, or not of this version yet; see /configz");
        }
        if !self.is_configured() {
            return Some("no configuration is active yet; see /configz");
        }
        None
    }

    /// Brings the tables to this version (unless somebody else does), and then keeps an eye on the database.
    pub async fn watch(self: Arc<Self>, database: Database, migrate: bool, stop: CancellationToken) {
        let mut connection: Option<PgConnection> = None;
        let mut partitions_due = tokio::time::Instant::now() + PARTITIONS;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(&database, migrate, &mut connection) => looked,
            };
            if let Err(error) = &looked {
                connection = None;
                warn!(%error, "database");
            } else if tokio::time::Instant::now() >= partitions_due {
                partitions_due = tokio::time::Instant::now() + PARTITIONS;
                if let Err(error) = make_partitions(&database).await {
                    error!(%error, "partitions of the coming weeks were not made; rows go to the default partition");
                }
            }
            self.report(looked);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn look(
        &self,
        database: &Database,
        migrate: bool,
        connection: &mut Option<PgConnection>,
    ) -> Result<(), Error> {
        if !self.migrated.is_cancelled() {
            let mut patient = database.connect_patiently().await?;
            if migrate {
                migrate::run(&mut patient).await?;
            } else if !migrate::is_current(&mut patient).await? {
                return Err(Error::Unreadable {
                    table: "_sqlx_migrations",
                    detail: "the tables are of an older version: run `wigwag-dataplane migrate`".to_owned(),
                });
            }
            info!("database is of this version");
            self.migrated.cancel();
        }
        let open = match connection {
            Some(open) => open,
            None => connection.insert(database.connect(EVERY, None).await?),
        };
        within(EVERY, async { sqlx::query("SELECT 1").execute(open).await.map(drop).map_err(Error::from) }).await
    }

    fn report(&self, looked: Result<(), Error>) {
        let report = match looked {
            Ok(()) => DatabaseReport { ready: true, message: String::new() },
            Err(error) => DatabaseReport { ready: false, message: error.to_string() },
        };
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }
}

async fn make_partitions(database: &Database) -> Result<(), Error> {
    inbound::make_partitions(&mut database.connect_patiently().await?).await
}
