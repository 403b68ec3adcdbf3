//! The logs of a sandbox: one folder, one file for each process, shown when a test fails.

use std::fs;
use std::path::{Path, PathBuf};

use crate::janitor::{self, Charge};

/// How much of each log is shown.
const LINES: usize = 200;

/// Prints the end of every log in a folder when the test that holds it panics, and keeps what it belongs to.
#[derive(Debug)]
#[must_use = "hold it for as long as the test runs: let _logs = ..."]
pub struct LogsOnFailure {
    logs: PathBuf,
    kept: PathBuf,
}

impl LogsOnFailure {
    /// Watches over the folder `logs`, and over `kept`, the [`Folder`](crate::folder::Folder) that it lies in.
    pub fn new(logs: impl Into<PathBuf>, kept: impl Into<PathBuf>) -> Self {
        Self { logs: logs.into(), kept: kept.into() }
    }
}

impl Drop for LogsOnFailure {
    #[allow(clippy::print_stderr, reason = "the test harness captures eprint!, and shows it for failed tests alone")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            janitor::remove(&Charge::Folder(&self.kept));
            eprint!("{}", report(&self.logs));
        }
    }
}

/// The last lines of all `*.log` in `folder`, each under its name.
#[must_use]
pub fn report(folder: &Path) -> String {
    let Ok(entries) = fs::read_dir(folder) else { return format!("no logs in {}\n", folder.display()) };
    let mut logs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.sort();
    logs.iter().map(|log| format!("\n==> {} <==\n{}\n", log.display(), tail(log, LINES))).collect()
}

/// The last `lines` of a file; nothing of one that cannot be read.
#[must_use]
pub fn tail(log: &Path, lines: usize) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let skipped = text.lines().count().saturating_sub(lines);
    text.lines().skip(skipped).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_report_shows_the_end_of_each_log_under_its_name_and_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let long: String = (1..=1000).map(|line| format!("line {line}\n")).collect();
        fs::write(folder.path().join("etcd.log"), long).unwrap();
        fs::write(folder.path().join("node.log"), "only\n").unwrap();
        fs::write(folder.path().join("token"), "secret").unwrap();
        let report = report(folder.path());
        assert!(report.contains("etcd.log <==\nline 801\n") && report.contains("line 1000"), "{report}");
        assert!(report.contains("node.log <==\nonly\n"), "{report}");
        assert!(!report.contains("line 800\n") && !report.contains("secret"), "{report}");
    }
}
