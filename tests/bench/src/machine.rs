//! What else the machine did meanwhile: other processes, the host beneath us, and how long the disk takes. A round is
//! only as good as these say.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::latency::Latencies;

/// Time of all CPUs since the machine began, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTimes {
    busy: u64,
    /// What the host gave to others while we wanted to run.
    stolen: u64,
    all: u64,
}

/// Shares of the machine's CPUs, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    /// What ran.
    pub busy: f64,
    /// What the host took away.
    pub stolen: f64,
}

impl CpuTimes {
    /// Now.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("the bench reads /proc, which only Linux has")?;
        Self::read(text.lines().next().unwrap_or_default())
    }

    /// `cpu user nice system idle iowait irq softirq steal guest guest_nice`; guests are counted in user already.
    fn read(line: &str) -> Result<Self> {
        let ticks: Vec<u64> = line.split_whitespace().skip(1).map_while(|field| field.parse().ok()).take(8).collect();
        let [user, nice, system, idle, iowait, irq, softirq, stolen] = ticks[..] else {
            anyhow::bail!("no cpu line of /proc/stat: {line:?}")
        };
        let busy = user + nice + system + irq + softirq;
        Ok(Self { busy, stolen, all: busy + idle + iowait + stolen })
    }

    /// Shares since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Shares {
        let all = (self.all - before.all).max(1) as f64;
        Shares { busy: (self.busy - before.busy) as f64 / all, stolen: (self.stolen - before.stolen) as f64 / all }
    }
}

/// The machine's CPUs.
#[must_use]
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The median time of an fdatasync of 8 kB in `folder`: what a commit waits for at least.
///
/// # Errors
/// When the file cannot be written.
pub fn fdatasync(folder: &Path) -> Result<Duration> {
    const TIMES: usize = 50;
    let path = folder.join("fdatasync");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let page = [7; 8192];
    let mut times = Latencies::default();
    for _ in 0..TIMES {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    fs::remove_file(path)?;
    Ok(times.percentile(50.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn shares_are_of_all_cpus_and_leave_out_waiting_for_the_disk() {
        let before = CpuTimes::read("cpu  100 0 100 800 0 0 0 0 0 0").unwrap();
        let after = CpuTimes::read("cpu  130 0 110 830 10 5 5 10 0 0").unwrap();
        let shares = after.since(before);
        assert!((shares.busy - 0.5).abs() < 1e-9, "{shares:?}");
        assert!((shares.stolen - 0.1).abs() < 1e-9, "{shares:?}");
    }
}
