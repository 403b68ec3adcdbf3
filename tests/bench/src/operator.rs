//! Memory of the operator with many tenants: a real control plane, the quickstart's manifests under many names, and the
//! operator as a process. There is no node: Pods stay pending, as they do while a cluster grows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use wigwag_sandbox::process::{Process, Program};
use wigwag_sandbox::{Options, Sandbox, eventually, kubectl};

use crate::binaries;
use crate::conversation::quickstart;
use crate::process::{Resident, resident};

const RECONCILED_WITHIN: Duration = Duration::from_secs(120);
/// Until a process that has caught up does nothing any more.
const SETTLE: Duration = Duration::from_secs(5);

/// How many tenants.
#[derive(Debug, Args)]
pub struct Plan {
    /// Tenants, each with the quickstart's Flow and its Secrets.
    #[arg(long, default_value_t = 100)]
    tenants: usize,
}

/// What was seen.
#[derive(Debug)]
pub struct Outcome {
    /// Tenants.
    pub tenants: usize,
    /// With the custom resources and no tenant.
    pub empty: Resident,
    /// With all tenants reconciled.
    pub full: Resident,
    /// From `kubectl apply`'s start to the last status.
    pub took: Duration,
}

/// Runs the operator with these tenants.
///
/// # Errors
/// When a part does not start, or the tenants are not all reconciled within two minutes.
pub async fn run(plan: Plan) -> Result<Outcome> {
    let path = binaries::build("wigwag-operator").await?;
    let sandbox = Sandbox::start(Options { control_plane: true, ..Options::default() }).await?;
    let kubeconfig = sandbox.control_plane()?.kubeconfig();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for file in ["crds/whatsapptenants.yaml", "crds/flows.yaml"] {
        apply(&kubeconfig, &root.join(file)).await?;
    }

    let args = ["--dataplane-image", "wigwag-dataplane", "--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
    let mut program = Program::new("wigwag-operator", path, args);
    program.env = BTreeMap::from([("KUBECONFIG".to_owned(), kubeconfig.display().to_string())]);
    let operator = Process::spawn(program, &sandbox.logs())?;
    let pid = || operator.pid().context("the operator has ended; its log says why");
    tokio::time::sleep(SETTLE).await;
    let empty = resident(pid()?)?;

    let manifests = sandbox.folder().join("tenants.yaml");
    fs::write(&manifests, tenants(plan.tenants)?)?;
    let begun = Instant::now();
    apply(&kubeconfig, &manifests).await?;
    let reconciled = eventually::until(RECONCILED_WITHIN, "every tenant and Flow has its status", async || {
        for (kind, field) in [
            ("whatsapptenants", "status.observedGeneration"),
            ("flows", "status.observedGeneration"),
            ("deployments", "metadata.name"),
        ] {
            let template = format!("jsonpath={{.items[*].{field}}}");
            let found = kubectl::run(&kubeconfig, &["get", kind, "--output", &template]).await?;
            let found = found.split_whitespace().count();
            ensure!(found == plan.tenants, "{found} of {} {kind}", plan.tenants);
        }
        Ok(())
    });
    if let Err(error) = reconciled.await {
        anyhow::bail!("{error:#}\n{}", wigwag_sandbox::logs::tail(operator.log(), 20));
    }
    let took = begun.elapsed();
    tokio::time::sleep(SETTLE).await;
    Ok(Outcome { tenants: plan.tenants, empty, full: resident(pid()?)?, took })
}

async fn apply(kubeconfig: &Path, file: &Path) -> Result<()> {
    let file = file.display().to_string();
    kubectl::run(kubeconfig, &["apply", "--server-side", "--filename", &file]).await.map(drop)
}

/// The quickstart's manifests, once for each tenant.
fn tenants(count: usize) -> Result<String> {
    let read = |file: &str| fs::read_to_string(quickstart().join(file)).context("the quickstart's manifests");
    let one = [read("tenant.yaml")?, read("secret.yaml")?, read("flow.yaml")?, DATABASE.to_owned()].join("\n---\n");
    let of = |n: usize| {
        one.replace("acme", &format!("shop-{n}")).replace("name: welcome\nspec", &format!("name: welcome-{n}\nspec"))
    };
    Ok((0..count).map(of).collect::<Vec<_>>().join("\n---\n"))
}

const DATABASE: &str = "
apiVersion: v1
kind: Secret
metadata: {name: acme-database}
stringData: {url: \"postgres://wigwag@database/wigwag\"}
";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_tenant_has_a_name_and_a_flow_of_its_own() {
        let two = tenants(2).unwrap();
        assert_eq!(two.matches("kind: WhatsAppTenant").count(), 2);
        for name in ["name: shop-0\n", "name: shop-1\n", "name: welcome-0\n", "name: welcome-1\n", "{name: shop-1}"] {
            assert!(two.contains(name), "{name:?} in {two}");
        }
        assert!(!two.contains("acme"));
    }
}
