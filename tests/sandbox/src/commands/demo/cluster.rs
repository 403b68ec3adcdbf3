//! What a platform team does, with the real helm and kubectl, as steps.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use wigwag_crds::{Flow, WhatsAppTenant, labels};
use wigwag_simulator::Simulator;

use crate::binaries::Tool;
use crate::commands::manifests::Account;
use crate::commands::parts;
use crate::commands::steps::{say, say_indented, step, step_titled};
use crate::node::Images;
use crate::postgres::Database;
use crate::{Sandbox, eventually, executable, helm, kubectl};

/// The Flow that is edited.
pub(super) const FLOW: &str = "welcome";
/// What it asks then.
pub(super) const NEW_QUESTION: &str = "¿Qué te llevas hoy?";
/// The release, and its namespace.
const RELEASE: &str = "wigwag";
/// Where tenants live.
const NAMESPACE: &str = "default";
/// How long a change may take to come to life; it takes a second or two.
const SOON: Duration = Duration::from_secs(30);

/// A Kubernetes that runs our images.
pub(super) struct Cluster {
    kubeconfig: PathBuf,
    client: Client,
}

impl Cluster {
    /// Starts control plane, node and edge.
    pub(super) async fn start(sandbox: &mut Sandbox, images: Images) -> Result<Self> {
        let work = async {
            let control_plane = sandbox.start_control_plane().await?;
            let (client, kubeconfig) = (control_plane.client().await?, control_plane.kubeconfig());
            let version = client.apiserver_version().await?.git_version;
            Ok((version, Self { kubeconfig, client }))
        };
        let title = |(version, _): &(String, Self)| {
            format!("Kubernetes {}: etcd, apiserver, controller-manager", version.trim_start_matches('v'))
        };
        let (_, cluster) = step_titled("Kubernetes", work, title).await?;
        let work = async {
            sandbox.start_node(images).await?;
            sandbox.start_edge(0).await?;
            Ok(())
        };
        step("A node for its Pods, an edge for its Ingresses", work).await?;
        Ok(cluster)
    }

    /// Installs the chart and waits until the operator is ready.
    pub(super) async fn install(&self, sandbox: &Sandbox, chart: &Path) -> Result<()> {
        let work = async {
            helm::install(&self.kubeconfig, chart, RELEASE, RELEASE, &json!({})).await?;
            // The garbage collector looks for new kinds every 30 s only: whoever deletes a tenant would wait that long.
            sandbox.control_plane()?.restart_controller_manager().await
        };
        step(&format!("helm install {RELEASE} {}", super::CHART), work).await
    }

    /// Tells the tenant where its database is.
    pub(super) async fn create_database_secret(
        &self,
        sandbox: &Sandbox,
        account: &Account,
        database: &Database,
    ) -> Result<()> {
        let secret = &account.spec.database.secret_ref;
        // By a file: arguments are read by everybody, and the URL may hold a password.
        let file = sandbox.folder().join("database-url");
        fs::write(&file, database.url())?;
        let from_file = format!("--from-file={}={}", secret.key, file.display());
        let create = ["create", "secret", "generic", &secret.name, &from_file];
        let title = format!("kubectl create secret generic {} --from-file={}=...", secret.name, secret.key);
        step(&title, kubectl::run(&self.kubeconfig, &create)).await.map(drop)
    }

    /// Applies the manifests in `folder`, which people know as `name`.
    pub(super) async fn apply(&self, folder: &Path, name: &str) -> Result<()> {
        let folder = folder.display().to_string();
        let apply = ["apply", "-f", folder.as_str()];
        let title = format!("kubectl apply -f {name}");
        let applied = step(&title, kubectl::run(&self.kubeconfig, &apply)).await?;
        say_indented(&applied)
    }

    /// Waits for the condition Ready, and shows what people see.
    pub(super) async fn wait_until_ready(&self) -> Result<()> {
        let wait = ["wait", "--for=condition=Ready", "wat,waf", "--all", "--timeout=60s"];
        let work = async {
            let ready = kubectl::run(&self.kubeconfig, &wait).await;
            let Err(error) = ready else { return Ok(()) };
            // What an SRE would look at next.
            let wide = kubectl::run(&self.kubeconfig, &["get", "wat,waf", "-o", "wide"]).await?;
            Err(error.context(wide))
        };
        step("kubectl wait --for=condition=Ready wat,waf --all", work).await?;
        self.show().await
    }

    /// `kubectl get wat,waf`
    pub(super) async fn show(&self) -> Result<()> {
        let shown = kubectl::run(&self.kubeconfig, &["get", "wat,waf"]).await?;
        say("\n  $ kubectl get wat,waf")?;
        say_indented(&shown)
    }

    /// Enters the tenant's webhook URL at the provider, whose way to the host is the edge.
    pub(super) async fn route(&self, sandbox: &Sandbox, simulator: &Simulator, account: &Account) -> Result<()> {
        let tenants: Api<WhatsAppTenant> = Api::namespaced(self.client.clone(), NAMESPACE);
        let status = tenants.get(&account.tenant).await?.status.unwrap_or_default();
        let webhook = status.webhooks.into_iter().find(|webhook| webhook.provider == account.provider);
        let url = webhook.context("the tenant's status names no webhook of its provider")?.url;
        let route = account.spec.route.as_ref().context("the tenant has no route")?;
        simulator.connect(&route.host, &[sandbox.edge()?.address()]);
        let accounts = std::slice::from_ref(account);
        let work = parts::register(simulator, accounts, |_| url.clone());
        say("")?;
        step(&format!("{url} verified by the provider"), work).await
    }

    /// Changes what the Flow asks, and waits until each replica runs it.
    pub(super) async fn edit_flow(&self) -> Result<()> {
        let flows: Api<Flow> = Api::namespaced(self.client.clone(), NAMESPACE);
        let before = flows.get(FLOW).await?;
        let place =
            before.spec.nodes.iter().position(|node| node.name == before.spec.start).context("no start node")?;
        let text = format!("Hola de nuevo, {{{{ contact.name }}}}. {NEW_QUESTION}");
        let path = format!("/spec/nodes/{place}/options/text");
        let patch = json!([{"op": "replace", "path": path, "value": text}]).to_string();
        let work = async {
            kubectl::run(&self.kubeconfig, &["patch", "waf", FLOW, "--type=json", "-p", &patch]).await?;
            eventually::until(SOON, "the edited Flow Ready", async || is_ready(&flows.get(FLOW).await?)).await
        };
        step(&format!("kubectl patch waf {FLOW} ... \"{NEW_QUESTION}\""), work).await
    }

    /// The kubeconfig of somebody with all rights.
    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// How to call kubectl.
    pub(super) async fn kubectl(&self) -> Result<String> {
        let name = Tool::Kubectl.name();
        match executable::on_path(name) {
            Some(_) => Ok(name.to_owned()),
            None => Ok(Tool::Kubectl.path().await?.display().to_string()),
        }
    }

    /// The operator's port with metrics.
    pub(super) async fn operator(&self) -> Result<SocketAddr> {
        self.pod(RELEASE, "app.kubernetes.io/name=wigwag-operator", 8080).await
    }

    /// The data plane's admin port.
    pub(super) async fn dataplane(&self, account: &Account) -> Result<SocketAddr> {
        self.pod(NAMESPACE, &format!("{}={}", labels::TENANT, account.tenant), 9090).await
    }

    async fn pod(&self, namespace: &str, labels: &str, port: u16) -> Result<SocketAddr> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let pods = pods.list(&ListParams::default().labels(labels)).await?;
        let running = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_none());
        let ip = running.and_then(|pod| pod.status.as_ref()?.pod_ip.as_deref());
        let ip = ip.with_context(|| format!("no Pod {labels} in namespace {namespace}"))?;
        Ok(SocketAddr::new(ip.parse()?, port))
    }
}

/// Ready, as this generation is.
fn is_ready(flow: &Flow) -> Result<()> {
    let status = flow.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    let (told, why) = ready.map_or(("Unknown", ""), |ready| (ready.status.as_str(), ready.message.as_str()));
    let is_current = status.observed_generation == flow.metadata.generation;
    ensure!(is_current && told == "True", "flow {}: Ready {told}: {why}", flow.name_any());
    Ok(())
}
