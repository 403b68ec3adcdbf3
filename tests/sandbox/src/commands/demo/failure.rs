//! What a person needs to see why a step did not hold: the ends of all logs, and all of the logs.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::Sandbox;
use crate::commands::steps::say;
use crate::logs::tail;

/// How much of each log is printed.
const LINES: usize = 15;

/// Prints the ends of the sandbox's logs, and keeps the whole of them, which would go with the sandbox.
///
/// # Errors
/// When they cannot be read or kept.
pub(super) fn report(sandbox: &Sandbox) -> Result<()> {
    let mut logs: Vec<PathBuf> = fs::read_dir(sandbox.logs())?.flatten().map(|entry| entry.path()).collect();
    if logs.is_empty() {
        return Ok(());
    }
    logs.sort();
    let kept = tempfile::Builder::new().prefix("wigwag-demo-logs-").tempdir()?.keep();
    for log in logs {
        let Some(name) = log.file_name() else { continue };
        fs::copy(&log, kept.join(name))?;
        say(format!("\n==> {} <==\n{}", name.display(), tail(&log, LINES)))?;
    }
    say(format!("\nA step did not hold; it is named below. The whole logs are in {}", kept.display()))
}
