//! A real Kubernetes control plane as three plain processes: etcd, kube-apiserver, kube-controller-manager.
//!
//! It has RBAC, service accounts, admission and an audit log as a cluster has. It has no scheduler and no kubelet:
//! `node` binds and runs Pods. The EndpointSlice controller is left out, because the API server refuses slices with the
//! loopback addresses that our Pods have ("may not be in the loopback range"): `edge` finds Pods by itself.

mod audit;
mod credentials;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::{HeaderMap, Request};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

use crate::binaries::Tool;
use crate::process::{Process, Program};
use crate::{http_get, port};
pub use audit::{AuditEntry, AuditLog};
use credentials::Credentials;

/// A cold machine that builds something else beside may need this long.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a part may take to end in order. An API server waits for open watches, for ever: it is killed then.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// How often a start is repeated when its port was taken meanwhile.
const STARTS: usize = 5;

/// What turns a Deployment into Pods, deletes what is orphaned, empties namespaces, and lets Pods have a token.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,garbage-collector-controller,\
    namespace-controller,serviceaccount-controller,root-ca-certificate-publisher-controller";

const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"], "rules": [{"level": "Metadata"}]}"#;

/// A control plane that runs; its processes end with it.
#[derive(Debug)]
pub struct ControlPlane {
    // In the order in which they end.
    controller_manager: Process,
    apiserver: Process,
    etcd: Process,
    credentials: Credentials,
    folder: PathBuf,
    port: AtomicU16,
    audit: AuditLog,
}

impl ControlPlane {
    /// Starts all three, with their files in `folder` and their logs in `logs`; about 3 s.
    ///
    /// # Errors
    /// When a program is missing and cannot be built (the message names the ways out), or does not become ready.
    pub async fn start(folder: &Path, logs: &Path) -> Result<Self> {
        let (etcd, apiserver) = (Tool::Etcd.path().await?, Tool::ApiServer.path().await?);
        let controller_manager = Tool::ControllerManager.path().await?;
        let credentials = Credentials::generate(folder)?;
        fs::write(folder.join("audit-policy.json"), AUDIT_POLICY)?;
        let process = |name: &str, path| Process::new(Program::new(name, path, Vec::new()), logs);
        let control_plane = Self {
            controller_manager: process("kube-controller-manager", controller_manager),
            apiserver: process("kube-apiserver", apiserver),
            etcd: process("etcd", etcd),
            credentials,
            port: AtomicU16::new(0),
            audit: AuditLog::at(folder.join("audit.jsonl")),
            folder: folder.to_owned(),
        };
        let etcd_port = control_plane.start_etcd().await?;
        control_plane.start_apiserver(etcd_port).await?;
        control_plane.start_controller_manager()?;
        control_plane.service_account_made("default").await?;
        Ok(control_plane)
    }

    async fn start_etcd(&self) -> Result<u16> {
        let data = self.folder.join("etcd");
        for _ in 0..STARTS {
            let port = port::free()?;
            let url = format!("http://127.0.0.1:{port}");
            self.etcd.start_as(|program| {
                program.args = flags(&[
                    ("data-dir", &data.display().to_string()),
                    ("listen-client-urls", &url),
                    ("advertise-client-urls", &url),
                    ("listen-peer-urls", "http://127.0.0.1:0"),
                    ("unsafe-no-fsync", "true"),
                    ("log-level", "warn"),
                ]);
            })?;
            match self.etcd.ready(READY_WITHIN, async || etcd_answers(port).await).await {
                Ok(()) => return Ok(port),
                Err(error) if self.etcd.exit_status().is_none() || !port::is_taken(port) => return Err(error),
                Err(_) => {}
            }
        }
        bail!("found no free port for etcd in {STARTS} attempts")
    }

    async fn start_apiserver(&self, etcd: u16) -> Result<()> {
        for _ in 0..STARTS {
            let port = port::free()?;
            self.port.store(port, Ordering::Relaxed);
            self.kubeconfig_for("admin", &self.credentials.admin_token)?;
            self.kubeconfig_for("controller-manager", &self.credentials.controller_manager_token)?;
            self.apiserver.start_as(|program| program.args = self.apiserver_flags(etcd, port))?;
            match self.apiserver_ready().await {
                Ok(()) => return Ok(()),
                Err(error) if self.apiserver.exit_status().is_none() || !port::is_taken(port) => return Err(error),
                Err(_) => {}
            }
        }
        bail!("found no free port for kube-apiserver in {STARTS} attempts")
    }

    fn apiserver_flags(&self, etcd: u16, port: u16) -> Vec<String> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        flags(&[
            ("etcd-servers", &format!("http://127.0.0.1:{etcd}")),
            ("bind-address", "127.0.0.1"),
            ("secure-port", &port.to_string()),
            // Without a default route it would refuse to start for want of an address to advertise.
            ("advertise-address", "127.0.0.1"),
            ("endpoint-reconciler-type", "none"),
            ("service-cluster-ip-range", "10.0.0.0/16"),
            ("allow-privileged", "true"),
            ("authorization-mode", "RBAC"),
            ("tls-cert-file", &file(credentials::SERVER_CERTIFICATE)),
            ("tls-private-key-file", &file(credentials::SERVER_KEY)),
            ("service-account-issuer", &format!("https://127.0.0.1:{port}/")),
            ("service-account-key-file", &file(credentials::SERVICE_ACCOUNT_PUBLIC_KEY)),
            ("service-account-signing-key-file", &file(credentials::SERVICE_ACCOUNT_KEY)),
            ("token-auth-file", &file(credentials::TOKENS)),
            ("audit-policy-file", &file("audit-policy.json")),
            ("audit-log-path", &self.audit.path().display().to_string()),
            // It is read from its beginning, so it is not rotated.
            ("audit-log-maxsize", "0"),
        ])
    }

    fn start_controller_manager(&self) -> Result<()> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        self.controller_manager.start_as(|program| {
            program.args = flags(&[
                ("kubeconfig", &file("kubeconfig-controller-manager")),
                ("controllers", CONTROLLERS),
                ("leader-elect", "false"),
                ("secure-port", "0"),
                ("root-ca-file", &file(credentials::AUTHORITY)),
                ("service-account-private-key-file", &file(credentials::SERVICE_ACCOUNT_KEY)),
            ]);
        })
    }

    /// A client with all rights. Each call makes a new one, because a client lives in the runtime of its caller. It
    /// repeats nothing: an API server that is down is an error at once.
    ///
    /// # Errors
    /// When the control plane never became ready.
    pub async fn client(&self) -> Result<Client> {
        client_of(&self.kubeconfig()).await
    }

    /// The kubeconfig file of a user with all rights.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig-admin")
    }

    /// Writes a kubeconfig for the bearer `token` and gives its path; `user` names the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn kubeconfig_for(&self, user: &str, token: &str) -> Result<PathBuf> {
        let path = self.folder.join(format!("kubeconfig-{user}"));
        let kubeconfig = self.credentials.kubeconfig(&self.url(), user, token);
        fs::write(&path, serde_json::to_string_pretty(&kubeconfig)?)?;
        Ok(path)
    }

    /// The API server, as `https://127.0.0.1:PORT`; the port stays over restarts.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port.load(Ordering::Relaxed))
    }

    /// A new namespace for one test, ready for Pods; its name begins with `purpose`.
    ///
    /// # Errors
    /// When the API server refuses, or the controllers do not serve it.
    pub async fn namespace(&self, purpose: &str) -> Result<String> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let mut namespace = Namespace::default();
        let name = format!("{purpose}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        namespace.metadata.name = Some(name.clone());
        Api::all(self.client().await?).create(&PostParams::default(), &namespace).await?;
        self.service_account_made(&name).await?;
        Ok(name)
    }

    /// Pods are refused until the controllers have given their namespace an account; so this shows that they run.
    async fn service_account_made(&self, namespace: &str) -> Result<()> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let made = async || anyhow::Ok(accounts.get("default").await?);
        self.controller_manager.ready(READY_WITHIN, made).await.map(drop)
    }

    async fn apiserver_ready(&self) -> Result<()> {
        let client = self.client().await?;
        let ready = async || anyhow::Ok(client.request_text(Request::get("/readyz").body(Vec::new())?).await?);
        self.apiserver.ready(READY_WITHIN, ready).await.map(drop)
    }

    /// etcd, to be killed or frozen.
    #[must_use]
    pub fn etcd(&self) -> &Process {
        &self.etcd
    }

    /// The API server, to be killed or frozen.
    #[must_use]
    pub fn apiserver(&self) -> &Process {
        &self.apiserver
    }

    /// The controllers, to be killed or frozen.
    #[must_use]
    pub fn controller_manager(&self) -> &Process {
        &self.controller_manager
    }

    /// Ends etcd in order, if it runs, and starts it again with what it stored.
    ///
    /// # Errors
    /// When the API server does not become ready on it.
    pub async fn restart_etcd(&self) -> Result<()> {
        restart(&self.etcd).await?;
        self.apiserver_ready().await
    }

    /// Ends the API server in order, if it runs, and starts it again under the same address.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart_apiserver(&self) -> Result<()> {
        restart(&self.apiserver).await?;
        self.apiserver_ready().await
    }

    /// Ends the controllers in order, if they run, and starts them again. To be done once after CRDs were installed: the
    /// garbage collector looks for new kinds every 30 s only, and until then does not delete what their objects own.
    ///
    /// # Errors
    /// When they cannot be started.
    pub async fn restart_controller_manager(&self) -> Result<()> {
        restart(&self.controller_manager).await
    }

    /// Every request that the API server answered.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.audit
    }
}

/// A client of the user that a kubeconfig file names.
///
/// # Errors
/// When the file is none.
pub async fn client_of(kubeconfig: &Path) -> Result<Client> {
    let read = Kubeconfig::read_from(kubeconfig).with_context(|| format!("cannot read {}", kubeconfig.display()))?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    // By default a request to a server that is down is repeated for minutes.
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

async fn restart(process: &Process) -> Result<()> {
    process.stop(STOP_WITHIN).await?;
    process.start()
}

async fn etcd_answers(port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let status = http_get::status(address, "/health", &HeaderMap::new(), Duration::from_secs(5)).await?;
    if !status.is_success() {
        bail!("/health answers {status}");
    }
    Ok(())
}

fn flags(flags: &[(&str, &str)]) -> Vec<String> {
    flags.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}
