//! etcd, kube-apiserver, kube-controller-manager, kubectl and helm: found, or built once from pinned Go modules.
//!
//! Each is looked for by itself in `KUBEBUILDER_ASSETS` (what `setup-envtest use -p path` prints; it has no
//! kube-controller-manager), then in PATH, then in the cache as `bin/NAME-VERSION`. What is found first may be another
//! version than ours and is taken as it is.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::cache::{self, Turn, progress};
use crate::executable;

/// Version of `go.etcd.io/etcd/server/v3` in `tests/controlplane/go.mod`.
pub const ETCD_VERSION: &str = "v3.6.8";
/// Version of `k8s.io/kubernetes` in `tests/controlplane/go.mod`.
pub const KUBERNETES_VERSION: &str = "v1.36.3";
/// Version of `helm.sh/helm/v3` in `tests/helm/go.mod`.
pub const HELM_VERSION: &str = "v3.21.4";

/// How often a build that runs says so.
const PULSE: Duration = Duration::from_secs(15);

/// A program of the control plane, or one that talks to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The store of the API server.
    Etcd,
    /// The API server.
    ApiServer,
    /// The controllers that turn Deployments into Pods and delete what is orphaned.
    ControllerManager,
    /// The client that people use.
    Kubectl,
    /// Installs charts.
    Helm,
}

impl Tool {
    /// All of them, for a machine that is to have them before anything else is built.
    pub const ALL: [Self; 5] = [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Kubectl, Self::Helm];

    /// The file's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }

    /// The version that we build.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Etcd => ETCD_VERSION,
            Self::Helm => HELM_VERSION,
            Self::ApiServer | Self::ControllerManager | Self::Kubectl => KUBERNETES_VERSION,
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::ApiServer => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::ControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Self::Helm => "helm.sh/helm/v3/cmd/helm",
        }
    }

    /// Minutes that a first build takes on two cores, for the person who waits.
    fn minutes(self) -> u32 {
        if self == Self::ApiServer { 4 } else { 1 }
    }

    /// The folder of the Go module that pins it; it lies in the source tree.
    fn module(self) -> PathBuf {
        let folder = if self == Self::Helm { "../helm" } else { "../controlplane" };
        Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
    }

    /// Without the stamped version `/version` is odd, and clients complain.
    fn link_flags(self) -> String {
        let version = self.version();
        match self {
            Self::Etcd => "-s -w".into(),
            Self::Helm => format!("-s -w -X helm.sh/helm/v3/internal/version.version={version}"),
            Self::ApiServer | Self::ControllerManager | Self::Kubectl => {
                let mut numbers = version.trim_start_matches('v').split('.');
                let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
                let package = "k8s.io/component-base/version";
                format!(
                    "-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
                )
            }
        }
    }

    /// The program, found or built.
    ///
    /// # Errors
    /// When it is nowhere and cannot be built; the message has the ways out.
    pub async fn path(self) -> Result<PathBuf> {
        let assets = env::var_os("KUBEBUILDER_ASSETS").map(|folder| PathBuf::from(folder).join(self.name()));
        if let Some(found) = assets.filter(|path| path.is_file()).or_else(|| executable::on_path(self.name())) {
            return Ok(found);
        }
        let cached = cache::folder()?.join("bin").join(format!("{}-{}", self.name(), self.version()));
        if !cached.is_file() {
            self.build(&cached).await.with_context(|| self.ways_out())?;
        }
        Ok(cached)
    }

    fn ways_out(self) -> String {
        let name = self.name();
        format!(
            "{name} is neither in KUBEBUILDER_ASSETS nor in PATH nor in the cache, and building it failed. One of these \
             helps: install Go 1.26 or newer (https://go.dev/dl) and have a way to proxy.golang.org; set \
             KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kube-controller-manager; or do without \
             Kubernetes: make dev"
        )
    }

    async fn build(self, target: &Path) -> Result<()> {
        let _turn = Turn::wait_for(target).await?;
        if target.is_file() {
            return Ok(());
        }
        let Some(go) = executable::on_path("go") else { bail!("there is no go in PATH") };
        let (name, version, minutes) = (self.name(), self.version(), self.minutes());
        progress(&format!("building {name} {version}, once; about {minutes} min on two cores"));
        let begin = Instant::now();
        let part = target.with_added_extension("part");
        let mut build = Command::new(go);
        build.args(["build", "-v", "-trimpath", "-ldflags", &self.link_flags(), "-o"]).arg(&part).arg(self.package());
        build.env("CGO_ENABLED", "0").current_dir(self.module()).stdout(Stdio::null()).stderr(Stdio::piped());
        run(build.kill_on_drop(true), name).await?;
        std::fs::rename(&part, target)?;
        progress(&format!("built {name} {version} in {} s", begin.elapsed().as_secs()));
        Ok(())
    }
}

/// Runs `go build -v`, which names each package as it compiles it: their count is the progress.
async fn run(build: &mut Command, name: &str) -> Result<()> {
    let mut child = build.spawn().context("cannot run go")?;
    let output = child.stderr.take().context("go has no stderr")?;
    let mut lines = BufReader::new(output).lines();
    let mut pulse = tokio::time::interval_at(tokio::time::Instant::now() + PULSE, PULSE);
    let (mut packages, mut last) = (0, Vec::new());
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => { packages += 1; last.push(line); }
                None => break,
            },
            _ = pulse.tick() => progress(&format!("building {name}: {packages} packages so far")),
        }
    }
    if !child.wait().await?.success() {
        bail!("go build said:\n{}", last[last.len().saturating_sub(20)..].join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_versions_are_those_of_the_go_modules() {
        for tool in Tool::ALL {
            let module = std::fs::read_to_string(tool.module().join("go.mod")).unwrap();
            let required = module.lines().filter_map(|line| line.trim().split_once(" v"));
            let required: Vec<_> = required.filter(|(name, _)| tool.package().starts_with(name)).collect();
            let (_, version) = required.iter().max_by_key(|(name, _)| name.len()).unwrap();
            let version = format!("v{}", version.split_whitespace().next().unwrap());
            assert_eq!(version, tool.version(), "{}", tool.name());
        }
    }

    #[test]
    fn every_program_is_a_tool_of_its_go_module() {
        for tool in Tool::ALL {
            let module = std::fs::read_to_string(tool.module().join("go.mod")).unwrap();
            let is_tool = |line: &str| line.trim().trim_start_matches("tool ") == tool.package();
            assert!(module.lines().any(is_tool), "{} is no tool in {}", tool.package(), tool.module().display());
        }
    }
}
