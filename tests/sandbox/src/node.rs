//! The node: a kubelet without containers. It runs the Pods that the real controllers made as local processes.
//!
//! It binds Pods (there is no scheduler), gives each an address of 127.0.0.0/8, lays their volumes out as folders, runs
//! and probes their containers, and tells the API server the truth about them. `translate` has every difference
//! between a container and a process; `admission` what is refused. Linux only: macOS has no 127.0.0.2.

mod addresses;
mod admission;
mod container;
mod environment;
mod events;
mod payload;
mod pod;
mod probe;
mod status;
mod translate;
mod volumes;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_all};
use kube::{Api, Client, Config, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::background;
use crate::control_plane::client_of;
use crate::process::Process;
use addresses::Addresses;
use container::Container;
use events::Events;
use pod::PodWorker;
pub use translate::Images;

/// What Pods are bound to.
pub const NODE_NAME: &str = "sandbox";
/// What Pods are told that their node's address is.
const HOST_ADDRESS: &str = "127.0.0.1";

/// A node that runs; its Pods' processes end with it.
#[derive(Debug)]
pub struct Node {
    host: Arc<Host>,
}

/// What every Pod needs of its node.
struct Host {
    client: Client,
    /// The API server's real address.
    server: String,
    events: Events,
    images: Images,
    folder: PathBuf,
    logs: PathBuf,
    addresses: Arc<Addresses>,
    running: Mutex<Vec<Running>>,
    ending: CancellationToken,
}

/// A container that a test may want to kill.
#[derive(Debug, Clone)]
struct Running {
    namespace: String,
    pod: String,
    container: String,
    process: Arc<Process>,
}

impl Node {
    /// Starts a node with all rights of `kubeconfig`. It keeps Pods' files in `folder` and the logs of their containers
    /// as `NAMESPACE.POD.CONTAINER.log` in `logs`.
    ///
    /// # Errors
    /// When the kubeconfig is none.
    pub async fn start(kubeconfig: &Path, images: Images, folder: &Path, logs: &Path) -> Result<Self> {
        let read = Kubeconfig::read_from(kubeconfig)?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        let server = config.cluster_url.to_string();
        let kubeconfig = kubeconfig.to_owned();
        // A client belongs to the runtime that it was made in.
        let client = background::spawn(async move { client_of(&kubeconfig).await })?.await??;
        let host = Arc::new(Host {
            events: Events::new(client.clone(), NODE_NAME),
            client,
            server,
            images,
            folder: folder.to_owned(),
            logs: logs.to_owned(),
            addresses: Addresses::new(),
            running: Mutex::default(),
            ending: CancellationToken::new(),
        });
        let watching = host.clone();
        background::spawn(async move { watching.watch().await })?;
        Ok(Self { host })
    }

    /// The process of a container, to be killed, frozen or looked at. It stays the same one over restarts.
    ///
    /// # Errors
    /// When the node does not run it.
    pub fn process(&self, namespace: &str, pod: &str, container: &str) -> Result<Arc<Process>> {
        let running = self.host.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |it: &&Running| it.namespace == namespace && it.pod == pod && it.container == container;
        let found = running.iter().find(is_it).map(|it| it.process.clone());
        found.with_context(|| format!("no container {container} of Pod {namespace}/{pod} runs on the node"))
    }

    /// The folder of one of a Pod's volumes.
    #[must_use]
    pub fn volume(&self, pod: &Pod, volume: &str) -> PathBuf {
        self.host.folder.join(pod.uid().unwrap_or_default()).join("volumes").join(volume)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.host.ending.cancel();
        // Not left to the workers, which end a moment later: what the node ran is gone when it is.
        let running = std::mem::take(&mut *self.host.running.lock().unwrap_or_else(PoisonError::into_inner));
        for it in running {
            it.process.close();
        }
    }
}

impl Host {
    /// Keeps one worker for each Pod of the cluster.
    async fn watch(self: Arc<Self>) {
        let pods: Api<Pod> = Api::all(self.client.clone());
        let mut stream = Box::pin(watch_all(pods, watcher::Config::default()).default_backoff());
        let mut known: HashMap<String, watch::Sender<Arc<Pod>>> = HashMap::new();
        let mut listed: Vec<String> = Vec::new();
        let mut workers = JoinSet::new();
        loop {
            let event = tokio::select! {
                event = stream.try_next() => event,
                Some(_) = workers.join_next() => continue,
                () = self.ending.cancelled() => return,
            };
            match event {
                Ok(Some(Event::Init)) => listed.clear(),
                Ok(Some(Event::InitApply(pod))) => {
                    listed.extend(pod.uid());
                    self.saw(pod, &mut known, &mut workers);
                }
                // What is not in a new list was deleted while we were not watching.
                Ok(Some(Event::InitDone)) => known.retain(|uid, _| listed.contains(uid)),
                Ok(Some(Event::Apply(pod))) => self.saw(pod, &mut known, &mut workers),
                Ok(Some(Event::Delete(pod))) => drop(pod.uid().and_then(|uid| known.remove(&uid))),
                Ok(None) => return,
                // The stream goes on by itself, with back-off.
                Err(error) => tracing::debug!(%error, "watching Pods"),
            }
        }
    }

    fn saw(
        self: &Arc<Self>,
        pod: Pod,
        known: &mut HashMap<String, watch::Sender<Arc<Pod>>>,
        workers: &mut JoinSet<()>,
    ) {
        let (Some(uid), pod) = (pod.uid(), Arc::new(pod)) else { return };
        if let Some(worker) = known.get(&uid) {
            worker.send_replace(pod);
            return;
        }
        let (tell, seen) = watch::channel(pod);
        known.insert(uid, tell);
        workers.spawn(PodWorker::new(self.clone(), seen).run());
    }

    fn remember(&self, pod: &Pod, container: &Container) {
        let running = Running {
            namespace: pod.namespace().unwrap_or_default(),
            pod: pod.name_any(),
            container: container.spec.name.clone(),
            process: container.process.clone(),
        };
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(running);
    }

    fn forget(&self, process: &Arc<Process>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|it| !Arc::ptr_eq(&it.process, process));
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("server", &self.server).field("images", &self.images).finish_non_exhaustive()
    }
}
