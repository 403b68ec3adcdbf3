//! What the node tells of a Pod: a pure function of what its containers do.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    HostIP, PodCondition, PodIP, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::HOST_ADDRESS;

/// What one container does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observed {
    pub(super) phase: Phase,
    /// Whether its readiness probe, if it has one, says yes.
    pub(super) ready: bool,
    /// How often it was started again.
    pub(super) restarts: i32,
    /// How its last run ended.
    pub(super) last: Option<Ended>,
}

/// Where a container is in its life.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// Not running, and why, in the kubelet's words.
    Waiting { reason: &'static str, message: String },
    /// Running, as a local process.
    Running { since: Timestamp, pid: i32 },
    /// Ended, and not to be started again.
    Terminated(Ended),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) signal: Option<i32>,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
}

impl Observed {
    /// Before its first start.
    pub(super) fn creating() -> Self {
        let phase = Phase::Waiting { reason: "ContainerCreating", message: String::new() };
        Self { phase, ready: false, restarts: 0, last: None }
    }
}

/// The status of a Pod at `address` that began at `began`. A condition keeps the time of its last change, which
/// `before`, the status that was written last, tells.
pub(super) fn status(
    containers: &[(&Container, Observed)],
    address: Ipv4Addr,
    began: Timestamp,
    before: Option<&PodStatus>,
) -> PodStatus {
    let unready: Vec<_> =
        containers.iter().filter(|(_, observed)| !observed.ready).map(|(spec, _)| spec.name.as_str()).collect();
    let message = (!unready.is_empty()).then(|| format!("containers with unready status: [{}]", unready.join(" ")));
    let has_begun = |observed: &Observed| !matches!(observed.phase, Phase::Waiting { .. }) || observed.last.is_some();
    let conditions = [("Initialized", None), ("ContainersReady", message.clone()), ("Ready", message)];
    PodStatus {
        phase: Some(
            if containers.iter().all(|(_, observed)| has_begun(observed)) { "Running" } else { "Pending" }.into(),
        ),
        conditions: Some(conditions.map(|(type_, message)| condition(type_, message, before)).into()),
        container_statuses: Some(containers.iter().map(|(spec, observed)| container(spec, observed)).collect()),
        host_ip: Some(HOST_ADDRESS.into()),
        host_ips: Some(vec![HostIP { ip: HOST_ADDRESS.into() }]),
        pod_ip: Some(address.to_string()),
        pod_ips: Some(vec![PodIP { ip: address.to_string() }]),
        start_time: Some(Time(began)),
        ..PodStatus::default()
    }
}

/// True unless there is a message that says why not.
fn condition(type_: &str, message: Option<String>, before: Option<&PodStatus>) -> PodCondition {
    let status = if message.is_none() { "True" } else { "False" };
    let mut conditions = before.into_iter().flat_map(|status| status.conditions.iter().flatten());
    let unchanged = conditions.find(|condition| condition.type_ == type_ && condition.status == status);
    let since = unchanged.and_then(|condition| condition.last_transition_time.clone());
    PodCondition {
        type_: type_.into(),
        status: status.into(),
        reason: message.is_some().then(|| "ContainersNotReady".into()),
        message,
        last_transition_time: Some(since.unwrap_or_else(|| Time(Timestamp::now()))),
        ..PodCondition::default()
    }
}

fn container(spec: &Container, observed: &Observed) -> ContainerStatus {
    let mut state = ContainerState::default();
    let mut container_id = None;
    match &observed.phase {
        Phase::Waiting { reason, message } => {
            let message = (!message.is_empty()).then(|| message.clone());
            state.waiting = Some(ContainerStateWaiting { reason: Some((*reason).into()), message });
        }
        Phase::Running { since, pid } => {
            state.running = Some(ContainerStateRunning { started_at: Some(Time(*since)) });
            container_id = Some(format!("process://{pid}"));
        }
        Phase::Terminated(ended) => state.terminated = Some(terminated(ended)),
    }
    let last_state = ContainerState { terminated: observed.last.as_ref().map(terminated), ..ContainerState::default() };
    ContainerStatus {
        name: spec.name.clone(),
        image: spec.image.clone().unwrap_or_default(),
        image_id: format!("local://{}", spec.image.as_deref().unwrap_or_default()),
        container_id,
        ready: observed.ready,
        restart_count: observed.restarts,
        started: Some(state.running.is_some()),
        state: Some(state),
        last_state: Some(last_state),
        ..ContainerStatus::default()
    }
}

fn terminated(ended: &Ended) -> ContainerStateTerminated {
    ContainerStateTerminated {
        exit_code: ended.code,
        signal: ended.signal,
        reason: Some(if ended.code == 0 { "Completed" } else { "Error" }.into()),
        started_at: Some(Time(ended.began)),
        finished_at: Some(Time(ended.ended)),
        ..ContainerStateTerminated::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 30, 1, 2);

    fn running(ready: bool) -> Observed {
        let phase = Phase::Running { since: Timestamp::UNIX_EPOCH, pid: 42 };
        Observed { phase, ready, ..Observed::creating() }
    }

    fn of(observed: &[Observed], before: Option<&PodStatus>) -> PodStatus {
        let spec = Container { name: "c".into(), image: Some("op:1".into()), ..Container::default() };
        let containers: Vec<_> = observed.iter().map(|observed| (&spec, observed.clone())).collect();
        status(&containers, ADDRESS, Timestamp::UNIX_EPOCH, before)
    }

    fn ready(status: &PodStatus) -> PodCondition {
        status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready").unwrap().clone()
    }

    #[test]
    fn a_pod_is_ready_when_all_of_its_containers_are() {
        assert_eq!(ready(&of(&[running(true), running(true)], None)).status, "True");
        let one_is_not = ready(&of(&[running(true), running(false)], None));
        assert_eq!(one_is_not.status, "False");
        assert_eq!(one_is_not.message.as_deref(), Some("containers with unready status: [c]"));
    }

    #[test]
    fn a_pod_is_pending_until_each_container_has_run() {
        assert_eq!(of(&[running(true), Observed::creating()], None).phase.as_deref(), Some("Pending"));
        let began = Timestamp::UNIX_EPOCH;
        let crashed =
            Observed { last: Some(Ended { code: 1, signal: None, began, ended: began }), ..Observed::creating() };
        let status = of(&[running(true), crashed], None);
        assert_eq!(status.phase.as_deref(), Some("Running"));
        let last = status.container_statuses.unwrap()[1].last_state.clone().unwrap().terminated.unwrap();
        assert_eq!((last.exit_code, last.reason.as_deref()), (1, Some("Error")));
    }

    #[test]
    fn a_condition_keeps_its_time_while_it_does_not_change() {
        let mut before = of(&[running(true)], None);
        let long_ago = Some(Time(Timestamp::UNIX_EPOCH));
        for condition in before.conditions.iter_mut().flatten() {
            condition.last_transition_time.clone_from(&long_ago);
        }
        assert_eq!(ready(&of(&[running(true)], Some(&before))).last_transition_time, long_ago);
        assert_ne!(ready(&of(&[running(false)], Some(&before))).last_transition_time, long_ago);
    }

    #[test]
    fn a_pod_has_its_address_and_a_running_container_its_process() {
        let status = of(&[running(true)], None);
        assert_eq!(status.pod_ip.as_deref(), Some("127.30.1.2"));
        let container = &status.container_statuses.unwrap()[0];
        assert_eq!(container.container_id.as_deref(), Some("process://42"));
        assert_eq!(container.started, Some(true));
    }
}
