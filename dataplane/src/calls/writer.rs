//! Stores results of calls, many at once, and hands the jobs that bring them to their sessions to the lanes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgConnection;
use tokio::sync::mpsc;
use tracing::{error, warn};
use wigwag_domain::{CallResult, EffectId};
use wigwag_store::{
    Error, Fault, ReadyJob,
    connection::{Database, within},
    effect::{self, Finished},
};

use super::{stored, under_way::UnderWay};
use crate::lanes::hint::Hints;

const BATCH: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);

/// A call that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: EffectId,
    pub(super) attempt: i32,
    pub(super) result: CallResult,
}

/// Stores results.
pub(super) struct Writer {
    /// Where to.
    pub(super) database: Database,
    /// What has no result yet.
    pub(super) under_way: Arc<UnderWay>,
    /// Whose job it is now.
    pub(super) hints: Hints,
    /// Told of each call whose result is stored: the endpoint's next may go.
    pub(super) written: mpsc::UnboundedSender<EffectId>,
}

impl Writer {
    /// Writes until every sender is gone.
    pub(super) async fn run(self, mut ended: mpsc::UnboundedReceiver<Ended>) {
        let mut connection = None;
        let mut batch = Vec::with_capacity(BATCH);
        while ended.recv_many(&mut batch, BATCH).await > 0 {
            let results: Vec<Finished> = batch
                .iter()
                .map(|one: &Ended| Finished { id: one.id, attempt: one.attempt, result: stored(&one.result) })
                .collect();
            // Until it is written it is not known elsewhere: there is nothing better to do than to try again.
            let jobs = loop {
                match self.write(&mut connection, &results).await {
                    Ok(jobs) => break jobs,
                    Err(error) if error.fault() == Fault::Value => {
                        error!(%error, "the database does not take the results of these calls; they end at their deadline");
                        break vec![];
                    }
                    Err(error) => warn!(%error, calls = results.len(), "results of calls wait for the database"),
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            };
            self.hints.new_jobs(jobs, HashMap::new());
            for one in batch.drain(..) {
                self.under_way.end(one.id);
                // The runner is gone only when the process ends.
                let _ = self.written.send(one.id);
            }
        }
    }

    async fn write(&self, connection: &mut Option<PgConnection>, results: &[Finished]) -> Result<Vec<ReadyJob>, Error> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => self.database.connect(PATIENCE, Some(PATIENCE)).await?,
        };
        let jobs = within(PATIENCE, effect::finish(&mut open, results)).await?;
        *connection = Some(open);
        Ok(jobs)
    }
}
