//! Writes what became of sends, many at once, and looks for receipts that were faster than we.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgConnection;
use tokio::sync::mpsc;
use tracing::{error, warn};
use wigwag_store::{
    Error, ReadyJob,
    connection::{Database, within},
    receipt,
    settle::{self, SendResult, Settled},
};

use super::{Outgoing, in_flight::Flight};
use crate::{lanes::hint::Hints, metrics::Metrics};

const BATCH: usize = 128;
const PATIENCE: Duration = Duration::from_secs(5);

/// A send that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The message.
    pub message: Outgoing,
    /// What became of it.
    pub result: SendResult,
    /// Ends when it is settled.
    pub flight: Flight,
}

/// Writes results.
pub struct Settler {
    /// Where to.
    pub database: Database,
    /// Told of each result once it is written: the contact's next message may go.
    pub settled: mpsc::UnboundedSender<(Outgoing, SendResult)>,
    /// Told of jobs of sessions whose message failed.
    pub hints: Hints,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

impl Settler {
    /// Writes until every sender is gone.
    pub async fn run(self, mut finished: mpsc::UnboundedReceiver<Finished>) {
        let mut connection = None;
        let mut batch = Vec::with_capacity(BATCH);
        while finished.recv_many(&mut batch, BATCH).await > 0 {
            let results: Vec<Settled> = batch
                .iter()
                .map(|one| Settled {
                    id: one.message.queued.id,
                    attempt: one.message.queued.attempt,
                    result: one.result.clone(),
                })
                .collect();
            // Until it is written it is not known elsewhere: there is nothing better to do than to try again.
            loop {
                match self.write(&mut connection, &results).await {
                    Ok(jobs) => break self.hints.new_jobs(jobs, HashMap::new()),
                    Err(error) if error.fault() == wigwag_store::Fault::Value => {
                        error!(%error, "the database does not take the results of these sends; they stay unknown");
                        break;
                    }
                    Err(error) => {
                        warn!(%error, sends = results.len(), "results of sends wait for the database");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
            self.adopt(&mut connection, &batch).await;
            for one in batch.drain(..) {
                drop(one.flight);
                // The dispatcher is gone only when the process ends.
                let _ = self.settled.send((one.message, one.result));
            }
        }
    }

    async fn write(&self, connection: &mut Option<PgConnection>, results: &[Settled]) -> Result<Vec<ReadyJob>, Error> {
        self.with(connection, async |open| settle::settle(open, results).await).await
    }

    /// Receipts that came before the results above were committed are orphans; their message is there now.
    async fn adopt(&self, connection: &mut Option<PgConnection>, batch: &[Finished]) {
        let accepted: Vec<_> = batch
            .iter()
            .filter_map(|one| match &one.result {
                SendResult::Accepted { provider_id } => Some((one.message.queued.tenant.clone(), provider_id.clone())),
                _ => None,
            })
            .collect();
        if accepted.is_empty() {
            return;
        }
        let adopted =
            self.with(connection, async |open| receipt::adopt(open, receipt::Which::Of(&accepted)).await).await;
        match adopted {
            Ok(adopted) => {
                adopted.changed.iter().for_each(|changed| self.metrics.receipt(&changed.tenant));
                self.hints.new_jobs(adopted.jobs, HashMap::new());
            }
            // The sweep finds them.
            Err(error) => warn!(%error, "did not look for early receipts"),
        }
    }

    async fn with<T>(
        &self,
        connection: &mut Option<PgConnection>,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => self.database.connect(PATIENCE, Some(PATIENCE)).await?,
        };
        let result = within(PATIENCE, work(&mut open)).await;
        if result.is_ok() {
            *connection = Some(open);
        }
        result
    }
}
