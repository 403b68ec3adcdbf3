//! One Pod on the node: bound, given an address and volumes, run until it is deleted, and then really gone.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, select_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Binding, ObjectReference, Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Error, ResourceExt};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep};

use super::addresses::Lease;
use super::container::{self, Container};
use super::events::Events;
use super::status::{self, Observed};
use super::volumes::Volumes;
use super::{Host, NODE_NAME, admission};

/// Volumes are brought up to date this often, and whenever the Pod itself changes.
const VOLUME_SYNC: Duration = Duration::from_secs(60);
/// A Pod that waits for a ConfigMap or Secret looks again after this.
const REMOUNT: Duration = Duration::from_secs(1);
/// After an API server that did not answer.
const RETRY: Duration = Duration::from_millis(250);

/// One Pod, as long as it is here.
pub(super) struct PodWorker {
    host: Arc<Host>,
    events: Events,
    api: Api<Pod>,
    /// The Pod as the API server last told it. Closed when it is gone from there.
    pod: watch::Receiver<Arc<Pod>>,
}

/// The Pod is no longer here, or never was: nothing is left to be told about it.
struct Gone;

impl PodWorker {
    pub(super) fn new(host: Arc<Host>, pod: watch::Receiver<Arc<Pod>>) -> Self {
        let namespace = pod.borrow().namespace().unwrap_or_default();
        let api = Api::namespaced(host.client.clone(), &namespace);
        Self { events: host.events.clone(), api, pod, host }
    }

    /// From the first sight of the Pod to its end.
    pub(super) async fn run(mut self) {
        let refusals = admission::refusals(&self.seen(), &self.host.images);
        if !refusals.is_empty() {
            let note = format!("This node does not run Pods with: {}", refusals.join("; "));
            self.events.warning(&self.seen(), "Refused", &note).await;
            return;
        }
        let Some(address) = Lease::of(&self.host.addresses) else {
            self.events.warning(&self.seen(), "Refused", "This node has no free address").await;
            return;
        };
        if self.bind().await.is_err() {
            return;
        }
        let folder = self.host.folder.join(self.seen().uid().unwrap_or_default());
        let ran = self.run_at(address.address(), &folder).await;
        let _ = fs::remove_dir_all(folder);
        if ran.is_ok() {
            self.delete().await;
        }
    }

    async fn run_at(&mut self, address: Ipv4Addr, folder: &Path) -> Result<(), Gone> {
        let began = Timestamp::now();
        let mut volumes = Volumes::new(self.host.client.clone(), folder.join("volumes"), address);
        let pod = self.seen();
        let specs = pod.spec.iter().flat_map(|spec| spec.containers.clone());
        let containers = specs.map(|spec| Container::new(&self.host, &pod, spec, address, volumes.folder()));
        let containers: Vec<_> = containers.collect();
        let mut written = None;
        let ended = tokio::select! {
            ended = self.serve(&mut volumes, &containers, began, address, &mut written) => ended,
            // When the node ends, its processes end with their owners.
            () = self.host.ending.cancelled() => Err(Gone),
        };
        if ended.is_ok() {
            let grace = container::grace(&self.seen());
            join_all(containers.iter().map(|container| container.terminate(grace))).await;
            self.write_status(&containers, began, address, &mut written).await;
        }
        for container in &containers {
            container.process.close();
            self.host.forget(&container.process);
        }
        ended
    }

    /// Until the Pod is to end.
    async fn serve(
        &self,
        volumes: &mut Volumes,
        containers: &[Container],
        began: Timestamp,
        address: Ipv4Addr,
        written: &mut Option<PodStatus>,
    ) -> Result<(), Gone> {
        let mut pod = self.pod.clone();
        self.write_status(containers, began, address, written).await;
        let mut synced = loop {
            let seen = pod.borrow_and_update().clone();
            if is_ending(&seen) {
                return Ok(());
            }
            let Err(error) = volumes.sync(&seen).await else { break seen };
            self.events.warning(&seen, "FailedMount", &format!("{error:#}")).await;
            tokio::select! {
                changed = pod.changed() => changed.map_err(|_| Gone)?,
                () = sleep(REMOUNT) => {}
            }
        };
        for container in containers {
            self.host.remember(&self.seen(), container);
        }
        let supervised = join_all(containers.iter().map(|it| it.supervise(&self.host, &self.pod, &self.events)));
        let told = async {
            let mut changes: Vec<_> = containers.iter().map(Container::changes).collect();
            loop {
                let written = self.write_status(containers, began, address, written).await;
                if !written {
                    sleep(RETRY).await;
                } else if !changes.is_empty() {
                    select_all(changes.iter_mut().map(|change| Box::pin(change.changed()))).await.0.ok();
                } else {
                    std::future::pending::<()>().await;
                }
            }
        };
        let kept = async {
            let mut due = interval_at(Instant::now() + VOLUME_SYNC, VOLUME_SYNC);
            loop {
                let is_due = tokio::select! {
                    changed = pod.changed() => changed.map(|()| false).map_err(|_| Gone)?,
                    _ = due.tick() => true,
                };
                let seen = pod.borrow_and_update().clone();
                if is_ending(&seen) {
                    return Ok(());
                }
                // A new status, which is our own work, changes no volume.
                if !is_due && seen.annotations() == synced.annotations() && seen.labels() == synced.labels() {
                    continue;
                }
                if let Err(error) = volumes.sync(&seen).await {
                    self.events.warning(&seen, "FailedMount", &format!("{error:#}")).await;
                    due.reset_after(REMOUNT);
                }
                synced = seen;
            }
        };
        tokio::select! {
            _ = supervised => Ok(()),
            () = told => Ok(()),
            ended = kept => ended,
        }
    }

    /// There is no scheduler: a Pod without a node is ours. (A patch of `spec.nodeName` would be refused.)
    async fn bind(&mut self) -> Result<(), Gone> {
        loop {
            let pod = self.seen();
            match pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) {
                Some(NODE_NAME) => return Ok(()),
                Some(_) => return Err(Gone),
                None if is_ending(&pod) => return Err(Gone),
                None => {}
            }
            let target =
                ObjectReference { kind: Some("Node".into()), name: Some(NODE_NAME.into()), ..Default::default() };
            let mut binding = Binding { target, ..Default::default() };
            binding.metadata.name = pod.metadata.name.clone();
            let name = pod.name_any();
            let params = PostParams::default();
            match self.api.create_subresource::<_, Status>("binding", &name, &params, &binding).await {
                Ok(_) => return Ok(()),
                Err(Error::Api(status)) if status.is_not_found() => return Err(Gone),
                Err(error) => tracing::debug!(pod = name, %error, "not bound"),
            }
            tokio::select! {
                changed = self.pod.changed() => changed.map_err(|_| Gone)?,
                () = sleep(RETRY) => {}
            }
        }
    }

    /// Writes the status if it changed; whether it stands there now.
    async fn write_status(
        &self,
        containers: &[Container],
        began: Timestamp,
        address: Ipv4Addr,
        written: &mut Option<PodStatus>,
    ) -> bool {
        let observed: Vec<(_, Observed)> = containers.iter().map(|it| (&it.spec, it.observed())).collect();
        let status = status::status(&observed, address, began, written.as_ref());
        if written.as_ref() == Some(&status) {
            return true;
        }
        let pod = self.seen();
        // The UID is in the patch, so that it cannot hit a successor of the same name.
        let patch = json!({"metadata": {"uid": pod.uid()}, "status": status});
        let name = pod.name_any();
        match self.api.patch_status(&name, &PatchParams::default(), &Patch::Strategic(patch)).await {
            Ok(_) => *written = Some(status),
            Err(Error::Api(refused)) if refused.is_not_found() || refused.is_conflict() => *written = Some(status),
            Err(error) => {
                tracing::debug!(pod = name, %error, "status not written");
                return false;
            }
        }
        true
    }

    /// Its process has ended: the object may go. Until then it, and its namespace, stay `Terminating`.
    async fn delete(&self) {
        let pod = self.seen();
        let preconditions = Preconditions { uid: pod.uid(), resource_version: None };
        let delete =
            DeleteParams { grace_period_seconds: Some(0), preconditions: Some(preconditions), ..Default::default() };
        loop {
            match self.api.delete(&pod.name_any(), &delete).await {
                Ok(_) => return,
                Err(Error::Api(status)) if status.is_not_found() || status.is_conflict() => return,
                Err(error) => tracing::debug!(pod = pod.name_any(), %error, "not deleted"),
            }
            sleep(RETRY).await;
        }
    }

    fn seen(&self) -> Arc<Pod> {
        self.pod.borrow().clone()
    }
}

fn is_ending(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}
