//! Installing charts with the real helm.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::binaries::Tool;

/// Installs the chart in the folder `chart`, or upgrades it, and waits until what it made is ready (at most 60 s).
///
/// The namespace is made where it is missing. `values` are laid over the chart's own.
///
/// # Errors
/// What helm said.
pub async fn install(kubeconfig: &Path, chart: &Path, release: &str, namespace: &str, values: &Value) -> Result<()> {
    let file = tempfile::Builder::new().suffix(".json").tempfile()?;
    serde_json::to_writer(&file, values)?;
    let mut arguments = vec!["upgrade", "--install", release, "--namespace", namespace, "--create-namespace"];
    arguments.extend(["--wait", "--timeout", "60s", "--values"]);
    run(kubeconfig, &arguments, &[file.path(), chart]).await
}

/// Removes a release and waits until what it made is gone.
///
/// # Errors
/// What helm said.
pub async fn uninstall(kubeconfig: &Path, release: &str, namespace: &str) -> Result<()> {
    let arguments = ["uninstall", release, "--namespace", namespace, "--wait", "--timeout", "60s"];
    run(kubeconfig, &arguments, &[]).await
}

async fn run(kubeconfig: &Path, arguments: &[&str], paths: &[&Path]) -> Result<()> {
    // What it would make under HOME otherwise.
    let home = tempfile::tempdir()?;
    let mut helm = Command::new(Tool::Helm.path().await?);
    helm.args(arguments).args(paths).env("KUBECONFIG", kubeconfig);
    for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "KUBECACHEDIR"] {
        helm.env(folder, home.path().join(folder));
    }
    let output = helm.stdin(Stdio::null()).kill_on_drop(true).output().await.context("cannot run helm")?;
    if !output.status.success() {
        bail!("helm {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
