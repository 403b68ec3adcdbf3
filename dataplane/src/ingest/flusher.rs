//! The one task that writes what came in. It takes whatever is waiting, commits it in one transaction, and only then
//! answers: under load the batches grow by themselves, and when idle nobody waits for a timer.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgConnection;
use tokio::sync::mpsc;
use tracing::{error, warn};
use wigwag_domain::JobId;
use wigwag_store::{
    Error, Fault, ReadyJob,
    connection::{Database, within},
    flush::{self, Flushed},
};

use super::{
    NotStored, PATIENCE, Stored, Submission,
    batch::{self, Origin, Row},
};
use crate::{dispatch::traffic::Traffic, lanes::hint::Hints, metrics::Metrics};

/// Webhooks in one transaction at the most.
const BATCH: usize = 256;
/// Updates in one transaction, above which no further webhook is added: one webhook may hold 1000.
const ROWS: usize = 1000;
/// For connecting, and for a transaction: what waits for it still gets its 503 within [`PATIENCE`].
const FLUSH_PATIENCE: Duration = Duration::from_millis(850);

/// Writes what came in.
pub struct Flusher {
    /// Where to.
    pub database: Database,
    /// Who is told of new jobs.
    pub hints: Hints,
    /// Who counts what comes in against a number's throughput.
    pub traffic: Arc<Traffic>,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// A webhook whose rows wait for their transaction.
struct Waiting {
    submission: Submission,
    rows: Vec<Row>,
}

impl Flusher {
    /// Writes until every sender is gone, and all that they sent.
    pub async fn run(self, mut intake: mpsc::Receiver<Submission>) {
        let mut connection = None;
        let mut taken = Vec::with_capacity(BATCH);
        while intake.recv_many(&mut taken, BATCH).await > 0 {
            let mut waiting = taken.drain(..).map(Waiting::new).collect::<Vec<_>>();
            while !waiting.is_empty() {
                let rest = waiting.split_off(fitting(&waiting));
                self.flush(&mut connection, waiting).await;
                waiting = rest;
            }
        }
    }

    async fn flush(&self, connection: &mut Option<PgConnection>, mut waiting: Vec<Waiting>) {
        // Nobody waits for these any more: their provider was told to come again.
        waiting.retain(|one| one.submission.received.elapsed() < PATIENCE && !one.submission.done.is_closed());
        if waiting.is_empty() {
            return;
        }
        match self.commit(connection, waiting.iter().flat_map(|one| &one.rows)).await {
            Ok(flushed) => self.answer(waiting, &flushed),
            Err(error) if error.fault() == Fault::Value => {
                for one in waiting {
                    self.flush_alone(connection, one).await;
                }
            }
            Err(error) => {
                warn!(%error, webhooks = waiting.len(), "webhooks were not stored; their provider delivers them again");
                for one in waiting {
                    one.refuse(&error);
                }
            }
        }
    }

    /// One of the rows is at fault: each is tried by itself, so that the good ones get through.
    async fn flush_alone(&self, connection: &mut Option<PgConnection>, mut one: Waiting) {
        let mut all = Flushed::default();
        for at in 0..one.rows.len() {
            let mut result = self.commit(connection, [&one.rows[at]]).await;
            if let Err(error) = &result
                && error.fault() == Fault::Value
            {
                error!(tenant = %one.submission.tenant, %error, "the database will never take this; it is kept as a dead letter");
                let Some(kept) = one.origin().refused(&one.rows[at], &error.to_string()) else { continue };
                one.rows[at] = kept;
                result = self.commit(connection, [&one.rows[at]]).await;
            }
            match result {
                Ok(flushed) => {
                    all.jobs.extend(flushed.jobs);
                    all.duplicates += flushed.duplicates;
                }
                Err(error) => return one.refuse(&error),
            }
        }
        self.answer(vec![one], &all);
    }

    /// Commits rows, once more where two replicas met.
    async fn commit(
        &self,
        connection: &mut Option<PgConnection>,
        rows: impl IntoIterator<Item = &Row>,
    ) -> Result<Flushed, Error> {
        let flush = batch::flush(rows);
        let begun = Instant::now();
        let mut result = self.attempt(connection, &flush).await;
        if result.as_ref().is_err_and(|error| error.fault() == Fault::Conflict) {
            result = self.attempt(connection, &flush).await;
        }
        if let Ok(flushed) = &result {
            let items = flush.messages.len() + flush.receipts.len() + flush.dead.len();
            self.metrics.flushed(items, flushed.identity_conflicts, begun.elapsed().as_secs_f64());
            for changed in &flushed.changed {
                self.metrics.receipt(&changed.tenant);
            }
            for (_, letter) in flush.dead.iter().take(usize::try_from(flushed.dead).unwrap_or(usize::MAX)) {
                self.metrics.dead_letter(&letter.tenant, letter.reason);
            }
        }
        result
    }

    async fn attempt(&self, connection: &mut Option<PgConnection>, flush: &flush::Flush) -> Result<Flushed, Error> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => self.database.connect(FLUSH_PATIENCE, Some(FLUSH_PATIENCE)).await?,
        };
        let result = within(FLUSH_PATIENCE, flush::commit(&mut open, flush)).await;
        // A connection that failed is in a state that nobody knows; the next flush begins with a new one.
        if result.as_ref().map_or_else(|error| error.fault() != Fault::Ours, |_| true) {
            *connection = Some(open);
        }
        result
    }

    /// The rows are durable: whoever waits is told, and so are the lanes.
    fn answer(&self, waiting: Vec<Waiting>, flushed: &Flushed) {
        let jobs: HashMap<JobId, &ReadyJob> = flushed.jobs.iter().map(|job| (job.job, job)).collect();
        let mut payloads = HashMap::new();
        for one in waiting {
            let mut stored = Stored::default();
            for row in one.rows {
                match row {
                    Row::Message(message) => match jobs.get(&JobId(message.id.0)) {
                        Some(job) => {
                            stored.jobs.push((message.id, job.contact));
                            payloads.insert(job.job, message.payload);
                        }
                        None => stored.duplicates += 1,
                    },
                    Row::Dead(..) => stored.dead += 1,
                    Row::Receipt(..) => {}
                }
            }
            let messages = u32::try_from(stored.jobs.len()).unwrap_or(u32::MAX);
            self.traffic.received(&one.submission.tenant, &one.submission.provider, messages);
            let seconds = one.submission.received.elapsed().as_secs_f64();
            self.metrics.ingested(&one.submission.tenant, stored.jobs.len() as u64, stored.duplicates, seconds);
            // The waiter may have given up; its provider delivers again, and that is a duplicate then.
            let _ = one.submission.done.send(Ok(stored));
        }
        if !flushed.jobs.is_empty() {
            self.hints.new_jobs(flushed.jobs.clone(), payloads);
        }
    }
}

/// How many webhooks make one transaction.
fn fitting(waiting: &[Waiting]) -> usize {
    let mut rows = 0;
    let fitting = waiting.iter().take_while(|one| {
        let first = rows == 0;
        rows += one.rows.len();
        first || rows <= ROWS
    });
    fitting.count().max(1)
}

// === impl Waiting ===

impl Waiting {
    fn new(mut submission: Submission) -> Self {
        let items = std::mem::take(&mut submission.items);
        let origin = Origin { tenant: &submission.tenant, provider: &submission.provider, adapter: submission.adapter };
        let mut seen = HashSet::new();
        let rows = items
            .into_iter()
            .map(|item| origin.row(item))
            // Of equal dead letters of one webhook one is enough; messages are told apart by the database.
            .filter(|row| if let Row::Dead(key, _) = row { seen.insert(*key) } else { true })
            .collect();
        Self { submission, rows }
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            tenant: &self.submission.tenant,
            provider: &self.submission.provider,
            adapter: self.submission.adapter,
        }
    }

    fn refuse(self, error: &Error) {
        let _ = self.submission.done.send(Err(NotStored(error.to_string())));
    }
}
