//! The comparison: the same webhooks to both contestants in turn, each time on a new database, until every message is
//! received, stored and routed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, PgConnection};

use crate::bed::{Bed, Side};
use crate::latency::Latencies;
use crate::load::{self, Plan};
use crate::machine;
use crate::message::Messages;
use crate::meter::{Cost, Meter};
use crate::tenant;

/// Before the measured stretch: connections are opened, statements are prepared, the contacts become known.
const WARM_UP: Duration = Duration::from_secs(1);
/// For what was answered to be routed.
const ROUTED_WITHIN: Duration = Duration::from_secs(60);

/// Not of `job_ready`: both find it empty now, and plans that were made for an empty table scan it later.
const STATISTICS: &str = "ANALYZE contact, contact_identity, inbound, dedupe";

/// What the contestants get.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Connections, each with one webhook in flight.
    pub connections: usize,
    /// Contacts that write in turn; 0: each message is of a new one.
    pub contacts: u64,
    /// For how long they write.
    pub span: Duration,
}

/// What one contestant did with it, once.
#[derive(Debug)]
pub struct Round {
    /// Who.
    pub side: Side,
    /// Webhooks that were answered 200, in the measured stretch.
    pub answered: usize,
    /// Whatever else became of a webhook, and how often.
    pub failures: BTreeMap<String, u64>,
    /// From the first webhook until the last message was routed.
    pub took: Duration,
    /// Of that, what came after the last answer.
    pub routed_after: Duration,
    /// Half of the answers came within this.
    pub p50: Duration,
    /// 99 of 100 did.
    pub p99: Duration,
    /// What it cost.
    pub cost: Cost,
    /// CPU time of the generator.
    pub generator: Duration,
    /// Median time of an fdatasync just before.
    pub fdatasync: Duration,
    /// Rows for the webhooks that were answered 200, warm-up included.
    pub stored: Stored,
    /// Lines of the contestant's log that warn of something.
    pub warnings: Vec<String>,
}

/// Rows in the tables, held against what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Webhooks answered 200.
    pub answered: i64,
    /// Rows of `inbound`.
    pub inbound: i64,
    /// Rows of `dedupe`.
    pub dedupe: i64,
    /// Contacts that have the name that their messages told.
    pub contacts: i64,
    /// Contacts that wrote.
    pub contacts_written: i64,
    /// Rows of `job_ready`, `job_outcome`, `outbound` and `dead_letter`: there should be none.
    pub odd: i64,
}

impl Round {
    /// Messages that were received, stored and routed, a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }

    /// CPU time of contestant and PostgreSQL for a message, in microseconds.
    #[must_use]
    pub fn cpu_micros(&self) -> f64 {
        self.cost.each(self.answered).as_secs_f64() * 1e6
    }
}

impl Stored {
    /// Why the rows are not what they should be. A webhook without an answer may have been stored.
    ///
    /// # Errors
    /// When something is missing, or there is too much of it.
    pub fn check(&self, failures: u64) -> Result<()> {
        let at_most = self.answered + i64::try_from(failures)?;
        let whole = self.answered <= self.inbound && self.inbound <= at_most;
        let routed = self.contacts == self.contacts_written || failures > 0;
        ensure!(whole && self.inbound == self.dedupe && routed && self.odd == 0, "answered is not stored: {self:?}");
        Ok(())
    }
}

/// Lets one contestant do it.
///
/// # Errors
/// When it ends, does not route, or did not store what it answered.
pub async fn round(bed: &Bed, side: Side, workload: Workload) -> Result<Round> {
    let folder = bed.folder().join("ingest");
    tenant::write(&folder, "http://127.0.0.1:9", tenant::SILENT_FLOW)?;
    let fdatasync = machine::fdatasync(bed.folder())?;
    let database = bed.database().await?;
    let contestant = bed.start(side, &database, &folder).await?;
    let mut connection = PgConnection::connect(&database.url()).await?;

    let plan = Plan { address: contestant.address, connections: workload.connections, span: WARM_UP };
    let (warm_up, messages) = load::run(plan, Messages::new(workload.contacts)?).await?;
    wait_until_routed(&mut connection).await?;
    // A database that has been in use for a while has statistics.
    sqlx::query(STATISTICS).execute(&mut connection).await?;

    let (meter, begun) = (Meter::begin(bed, &contestant)?, Instant::now());
    let (load, messages) = load::run(Plan { span: workload.span, ..plan }, messages).await?;
    wait_until_routed(&mut connection).await?;
    let (took, cost) = (begun.elapsed(), meter.end()?);

    let answered = load.latencies.len();
    let stored = stored(&mut connection, warm_up.latencies.len() + answered, messages.contacts_so_far()).await?;
    let failed = warm_up.failures.values().chain(load.failures.values()).sum();
    let mut latencies = Latencies::from(load.latencies);
    connection.close().await?;
    let warnings = contestant.end().await?;
    let checked = stored.check(failed);
    checked.with_context(|| format!("{}\n{}", side.name(), warnings.join("\n")))?;
    Ok(Round {
        side,
        answered,
        failures: load.failures,
        took,
        routed_after: took.saturating_sub(load.took),
        p50: latencies.percentile(50.0),
        p99: latencies.percentile(99.0),
        cost,
        generator: load.cpu,
        fdatasync,
        stored,
        warnings,
    })
}

async fn wait_until_routed(connection: &mut PgConnection) -> Result<()> {
    let begun = Instant::now();
    while sqlx::query_scalar("SELECT EXISTS (SELECT FROM job_ready)").fetch_one(&mut *connection).await? {
        ensure!(begun.elapsed() < ROUTED_WITHIN, "what was answered is not routed within {ROUTED_WITHIN:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn stored(connection: &mut PgConnection, answered: usize, contacts_written: u64) -> Result<Stored> {
    let (inbound, dedupe, contacts, odd) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM inbound), (SELECT count(*) FROM dedupe),
                (SELECT count(*) FROM contact WHERE name IS NOT NULL),
                (SELECT count(*) FROM job_ready) + (SELECT count(*) FROM job_outcome)
                + (SELECT count(*) FROM outbound) + (SELECT count(*) FROM dead_letter)",
    )
    .fetch_one(connection)
    .await?;
    let (answered, contacts_written) = (i64::try_from(answered)?, i64::try_from(contacts_written)?);
    Ok(Stored { answered, inbound, dedupe, contacts, contacts_written, odd })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_was_answered_and_not_stored_fails_the_run() {
        let good = Stored { answered: 10, inbound: 10, dedupe: 10, contacts: 3, contacts_written: 3, odd: 0 };
        assert!(good.check(0).is_ok());
        assert!(Stored { inbound: 9, dedupe: 9, ..good }.check(0).is_err(), "lost");
        assert!(Stored { inbound: 11, dedupe: 11, ..good }.check(0).is_err(), "stored twice");
        assert!(Stored { inbound: 11, dedupe: 11, ..good }.check(1).is_ok(), "its answer was lost");
        assert!(Stored { odd: 1, ..good }.check(0).is_err(), "not routed, or a dead letter");
        assert!(Stored { contacts: 2, ..good }.check(0).is_err(), "not routed: nobody wrote the name");
    }
}
