//! The Pods of a tenant's data plane, as far as the operator cares.

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};
use kube::ResourceExt;
use wigwag_crds::labels::CONFIG_SYNC;

use super::build::ADMIN_PORT;
use crate::replicas::Target;

/// A Pod of the data plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its name, its address if it has one, and whether it takes traffic.
    pub target: Target,
    /// The configuration to which its kubelet was last told to sync.
    pub synced_to: Option<String>,
    /// Why it does not run, in the kubelet's or the scheduler's words.
    pub trouble: Option<String>,
}

// === impl Replica ===

impl Replica {
    /// Reads a Pod; `None` for one that is on its way out or over.
    #[must_use]
    pub fn of(pod: &Pod) -> Option<Self> {
        let status = pod.status.clone().unwrap_or_default();
        let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        if over || pod.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let target = Target { pod: pod.name_any(), address: address(pod, &status), ready: is_ready(&status) };
        Some(Self { target, synced_to: pod.annotations().get(CONFIG_SYNC).cloned(), trouble: trouble(&status) })
    }
}

fn is_ready(status: &PodStatus) -> bool {
    status.conditions.iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn address(pod: &Pod, status: &PodStatus) -> Option<SocketAddr> {
    let ip = status.pod_ip.as_deref()?.parse().ok()?;
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let port = ports.find(|port| port.name.as_deref() == Some(ADMIN_PORT))?.container_port;
    Some(SocketAddr::new(ip, u16::try_from(port).ok()?))
}

fn trouble(status: &PodStatus) -> Option<String> {
    let unscheduled = status.conditions.iter().flatten().find(|c| c.type_ == "PodScheduled" && c.status == "False");
    if let Some(condition) = unscheduled {
        return Some(words(condition.reason.as_deref(), condition.message.as_deref()));
    }
    status.container_statuses.iter().flatten().find_map(container_trouble)
}

fn container_trouble(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    // The first seconds of every Pod.
    if matches!(waiting.reason.as_deref(), None | Some("ContainerCreating" | "PodInitializing")) {
        return None;
    }
    let mut trouble = words(waiting.reason.as_deref(), waiting.message.as_deref());
    if let Some(last) = container.last_state.as_ref().and_then(|state| state.terminated.as_ref()) {
        trouble.push_str(&format!(", last exit code {}", last.exit_code));
    }
    Some(trouble)
}

fn words(reason: Option<&str>, message: Option<&str>) -> String {
    match (reason, message) {
        (Some(reason), Some(message)) => format!("{reason}: {message}"),
        (reason, message) => reason.or(message).unwrap_or("for no stated reason").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn replica(status: Value, metadata: Value) -> Option<Replica> {
        let pod = json!({
            "metadata": metadata,
            "spec": {"containers": [{"name": "dataplane", "ports": [
                {"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}]}]},
            "status": status,
        });
        Replica::of(&serde_json::from_value(pod).expect("a Pod"))
    }

    #[test]
    fn a_replica_is_asked_at_its_named_admin_port() {
        let metadata = json!({"name": "p", "annotations": {"wigwag.dev/config-sync": "abc"}});
        let running = replica(
            json!({"phase": "Running", "podIP": "10.0.0.7", "conditions": [{"type": "Ready", "status": "True"}]}),
            metadata,
        )
        .expect("a replica");
        assert_eq!(running.target.address, Some("10.0.0.7:9090".parse().expect("address")));
        assert!(running.target.ready);
        assert_eq!((running.synced_to.as_deref(), running.trouble), (Some("abc"), None));
    }

    #[test]
    fn a_pod_that_ends_or_has_ended_is_no_replica() {
        assert_eq!(replica(json!({"phase": "Failed"}), json!({"name": "p"})), None);
        let going = json!({"name": "p", "deletionTimestamp": "2026-11-21T00:00:00Z"});
        assert_eq!(replica(json!({"phase": "Running"}), going), None);
    }

    #[test]
    fn what_keeps_a_pod_from_running_is_told_in_the_words_of_who_knows() {
        let trouble = |status: Value| replica(status, json!({"name": "p"})).expect("a replica").trouble;
        let waiting = |reason: &str, message: &str| {
            json!({"containerStatuses": [{"name": "dataplane", "image": "", "imageID": "", "ready": false,
                   "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}},
                   "lastState": {"terminated": {"exitCode": 2}}}]})
        };
        assert_eq!(
            trouble(waiting("CrashLoopBackOff", "back-off 10s")).as_deref(),
            Some("CrashLoopBackOff: back-off 10s, last exit code 2")
        );
        assert_eq!(trouble(waiting("ContainerCreating", "")), None);
        let unscheduled = json!({"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]});
        assert_eq!(trouble(unscheduled).as_deref(), Some("Unschedulable: 0/3 nodes"));
    }
}
