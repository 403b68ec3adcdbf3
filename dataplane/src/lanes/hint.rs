//! New jobs, told to whoever owns their lanes: in this process directly, elsewhere by a `NOTIFY` outside of any data
//! transaction (inside one, all commits would wait in line). Only a hint: every owner also looks into its lanes
//! every second.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use wigwag_domain::JobId;
use wigwag_store::{ReadyJob, connection::Database};

use super::ownership::Ownership;

/// Batches of hints that may wait for the worker; more are dropped, and found by its next look.
const WAITING: usize = 256;
/// Hints to other replicas are gathered for this long.
const DEBOUNCE: Duration = Duration::from_millis(10);
const CHANNEL: &str = "wigwag_jobs";

/// New jobs, in order, with the payloads of those that have just come in.
#[derive(Debug, Default)]
pub struct NewJobs {
    /// The jobs.
    pub jobs: Vec<ReadyJob>,
    /// Payloads by job.
    pub payloads: HashMap<JobId, String>,
}

/// The way of hints.
#[derive(Clone)]
pub struct Hints {
    ours: mpsc::Sender<NewJobs>,
    others: Arc<Notify>,
    look: Arc<Notify>,
    ownership: Arc<Ownership>,
}

impl Hints {
    /// The way of hints, and its end in the worker.
    #[must_use]
    pub fn new(ownership: Arc<Ownership>) -> (Self, mpsc::Receiver<NewJobs>) {
        let (ours, receiver) = mpsc::channel(WAITING);
        (Self { ours, others: Arc::default(), look: Arc::default(), ownership }, receiver)
    }

    /// Tells of new jobs.
    pub fn new_jobs(&self, jobs: Vec<ReadyJob>, payloads: HashMap<JobId, String>) {
        let (ours, others): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| self.ownership.epoch(&job.tenant, job.lane).is_some());
        if !others.is_empty() {
            self.others.notify_one();
        }
        if !ours.is_empty() && self.ours.try_send(NewJobs { jobs: ours, payloads }).is_err() {
            self.look.notify_one();
        }
    }

    /// The worker has reason to look into its lanes.
    pub fn look_again(&self) {
        self.look.notify_one();
    }

    /// Waits until the worker has reason to look into its lanes.
    pub async fn look(&self) {
        self.look.notified().await;
    }

    /// Tells other replicas.
    pub async fn speak(self, pool: PgPool, replica: String, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.others.notified() => {}
            }
            tokio::time::sleep(DEBOUNCE).await;
            let told = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(&replica).execute(&pool).await;
            if let Err(error) = told {
                debug!(%error, "other replicas were not told of new jobs; they look every second");
            }
        }
    }

    /// Listens to other replicas.
    pub async fn listen(self, database: Database, replica: String, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                heard = self.listen_once(&database, &replica) => heard,
            };
            if let Err(error) = heard {
                debug!(%error, "not listening for new jobs; looking every second");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn listen_once(&self, database: &Database, replica: &str) -> Result<(), sqlx::Error> {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_lazy_with(database.options());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            if listener.recv().await?.payload() != replica {
                self.look.notify_one();
            }
        }
    }
}
