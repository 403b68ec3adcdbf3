//! What a person at a terminal does: the real kubectl.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::binaries::Tool;

/// Runs `kubectl ARGUMENTS` as the user of `kubeconfig` and gives what it printed.
///
/// # Errors
/// What it said when it failed.
pub async fn run(kubeconfig: &Path, arguments: &[&str]) -> Result<String> {
    // What it would make under HOME otherwise.
    let cache = tempfile::tempdir()?;
    let mut kubectl = Command::new(Tool::Kubectl.path().await?);
    kubectl.args(arguments).env("KUBECONFIG", kubeconfig).env("KUBECACHEDIR", cache.path());
    let output = kubectl.stdin(Stdio::null()).kill_on_drop(true).output().await.context("cannot run kubectl")?;
    if !output.status.success() {
        bail!("kubectl {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}
