//! The programs that are measured: built by cargo, in the profile that the bench itself was built in, so that what is
//! measured is the source as it stands.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Builds the binary of package `name` and says where it lies. Where the bench was not started by cargo, it takes what
/// lies beside the bench.
///
/// # Errors
/// When it does not build, or is not there.
pub async fn build(name: &str) -> Result<PathBuf> {
    let bench = env::current_exe()?;
    let folder = bench.parent().context("a program that lies nowhere")?;
    if let Some(cargo) = env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--package", name, "--bin", name]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        ensure!(build.status().await?.success(), "{name} does not build");
    }
    let path = folder.join(name);
    ensure!(path.is_file(), "{} is not there: `cargo build --release -p {name}` makes it", path.display());
    Ok(path)
}

/// Whether figures of this build mean anything.
#[must_use]
pub fn is_release() -> bool {
    !cfg!(debug_assertions)
}
