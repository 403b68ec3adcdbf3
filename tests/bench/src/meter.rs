//! What a stretch of work cost: CPU time of the contestant and of PostgreSQL, and what else the machine did.

use std::time::Duration;

use anyhow::Result;

use crate::bed::{Bed, Contestant};
use crate::machine::{self, CpuTimes};
use crate::process;

/// Reads the counters at the beginning of the stretch.
#[derive(Debug)]
pub struct Meter {
    contestant: i32,
    postgres: i32,
    begun: Counters,
}

/// What the stretch cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// CPU time of the contestant.
    pub contestant: Duration,
    /// CPU time of all of PostgreSQL's processes.
    pub postgres: Duration,
    /// Share of the machine's CPUs that anybody but the contestant, PostgreSQL and this process had, the host beneath
    /// us included; 0 to 1.
    pub others: f64,
}

#[derive(Debug, Clone, Copy)]
struct Counters {
    contestant: Duration,
    postgres: Duration,
    bench: Duration,
    machine: CpuTimes,
    at: std::time::Instant,
}

impl Meter {
    /// Begins.
    ///
    /// # Errors
    /// When one of them has ended.
    pub fn begin(bed: &Bed, contestant: &Contestant) -> Result<Self> {
        let (contestant, postgres) = (contestant.pid()?, bed.postgres_pid()?);
        Ok(Self { contestant, postgres, begun: Counters::read(contestant, postgres)? })
    }

    /// Ends.
    ///
    /// # Errors
    /// When one of them has ended.
    pub fn end(self) -> Result<Cost> {
        let (before, now) = (self.begun, Counters::read(self.contestant, self.postgres)?);
        let contestant = now.contestant.saturating_sub(before.contestant);
        let postgres = now.postgres.saturating_sub(before.postgres);
        let ours = contestant + postgres + now.bench.saturating_sub(before.bench);
        let available = (now.at - before.at).as_secs_f64() * machine::cpus() as f64;
        let shares = now.machine.since(before.machine);
        let others = (shares.busy + shares.stolen - ours.as_secs_f64() / available).max(0.0);
        Ok(Cost { contestant, postgres, others })
    }
}

impl Cost {
    /// CPU time of contestant and PostgreSQL for each of so many.
    #[must_use]
    pub fn each(&self, of: usize) -> Duration {
        (self.contestant + self.postgres) / u32::try_from(of.max(1)).unwrap_or(u32::MAX)
    }
}

impl Counters {
    fn read(contestant: i32, postgres: i32) -> Result<Self> {
        Ok(Self {
            contestant: process::cpu(contestant)?,
            postgres: process::cpu(postgres)?,
            bench: process::own_cpu()?,
            machine: CpuTimes::now()?,
            at: std::time::Instant::now(),
        })
    }
}
