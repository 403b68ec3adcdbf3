//! The binaries under test: those that cargo built beside the test.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, ensure};

/// Where `name` lies.
///
/// # Errors
/// When it was not built: `make test` builds the binaries before it runs the tests.
pub fn binary(name: &str) -> Result<PathBuf> {
    let test = env::current_exe()?;
    let folder = test.parent().and_then(|deps| deps.parent()).context("a test that lies nowhere")?;
    let path = folder.join(name);
    ensure!(path.is_file(), "{} is not there: `cargo build --workspace --bins` makes it", path.display());
    Ok(path)
}
