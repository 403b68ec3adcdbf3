//! The folder for what takes long to get and never changes: `$XDG_CACHE_HOME/wigwag`, else `~/.cache/wigwag`.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

/// The cache folder; it need not exist.
///
/// # Errors
/// When the environment has neither `XDG_CACHE_HOME` nor a home folder.
pub fn folder() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| Some(env::home_dir()?.join(".cache")));
    Ok(base.context("no folder for the cache: set HOME or XDG_CACHE_HOME")?.join("wigwag"))
}

/// The right to make one thing in the cache, held by one process at a time until it is dropped or ends.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits for the turn to make `target`.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub(crate) async fn wait_for(target: &Path) -> Result<Self> {
        let path = target.with_added_extension("lock");
        let folder = path.parent().context("a folder for the lock")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot write the cache {}", folder.display()))?;
        let lock = File::create(&path).with_context(|| format!("cannot write the cache {}", path.display()))?;
        let mut said = false;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { _lock: lock }),
                Err(TryLockError::WouldBlock) if !said => {
                    progress(&format!("waiting for another process that makes {}", target.display()));
                    said = true;
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the cache"),
            }
        }
    }
}

/// Tells the person before the screen what takes so long, past any capture of a test's output.
pub(crate) fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "wigwag-sandbox: {line}");
}
