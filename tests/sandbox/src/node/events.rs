//! What `kubectl describe pod` shows of the node's troubles.

use k8s_openapi::api::core::v1::Pod;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};

/// An event's longest note, in bytes.
const NOTE: usize = 1024;

/// Writes events about Pods.
#[derive(Clone)]
pub(super) struct Events {
    recorder: Recorder,
}

impl Events {
    /// In the name of the sandbox's node.
    pub(super) fn new(client: Client, node: &str) -> Self {
        let reporter = Reporter { controller: "wigwag-sandbox-node".into(), instance: Some(node.into()) };
        Self { recorder: Recorder::new(client, reporter) }
    }

    /// One that could not be written is logged: it must not hold the Pod up.
    pub(super) async fn warning(&self, pod: &Pod, reason: &str, note: &str) {
        let mut note = note.to_owned();
        note.truncate(note.floor_char_boundary(NOTE));
        let event = Event {
            type_: EventType::Warning,
            reason: reason.into(),
            note: Some(note),
            action: "Run".into(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &pod.object_ref(&())).await {
            tracing::debug!(reason, %error, "event not written");
        }
    }
}
