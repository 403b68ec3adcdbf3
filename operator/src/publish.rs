//! Tells the world: the status subresource, and events for what changed in it. Nothing is written that stands there.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
    core::NamespaceResourceScope,
    runtime::events::{Event, EventType},
};
use serde::Serialize;
use serde_json::json;
use wigwag_crds::{
    condition::{Reason, flow, tenant},
    labels::STATUS_MANAGER,
};

use crate::{context::Context, error::Error, raw::Raw};

/// An event holds no longer note.
const LONGEST_NOTE: usize = 1_000;

/// Writes the status where it differs from the one that stands, then these events of what changed in it.
///
/// # Errors
/// When the API server does not take the status. A lost event is only logged.
pub async fn publish<K>(
    context: &Context,
    object: &Raw<K>,
    status: &impl Serialize,
    events: impl IntoIterator<Item = Event>,
) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug,
{
    let (kind, name) = (K::kind(&()), object.name_any());
    let what = || format!("the status of {kind} {name:?}");
    let status = serde_json::to_value(status).map_err(|e| Error::Manifest { what: what(), cause: e.to_string() })?;
    if status == object.status {
        return Ok(());
    }
    let api: Api<Raw<K>> = Api::namespaced(context.client.clone(), &object.namespace().unwrap_or_default());
    // With its UID: the status is of this object, not of the next one with its name.
    let body = json!({
        "apiVersion": K::api_version(&()),
        "kind": kind,
        "metadata": {"name": name, "uid": object.uid()},
        "status": status,
    });
    match api.patch_status(&name, &PatchParams::apply(STATUS_MANAGER).force(), &Patch::Apply(&body)).await {
        Ok(_) => {}
        // Deleted in the meantime.
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(()),
        Err(error) => return Err(Error::api(format!("writing {}", what()))(error)),
    }
    for event in events {
        if let Err(error) = context.recorder.publish(&event, &object.object_ref(&())).await {
            tracing::warn!(%error, object = name, reason = event.reason, "an event was lost");
        }
    }
    Ok(())
}

/// The time of conditions: whole seconds, as Kubernetes writes it.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Events for what changed: a Warning where something ceased to hold, Normal where it holds again. What is only not
/// known yet, or on its way, is no event.
#[must_use]
pub fn transitions(old: &[Condition], new: &[Condition]) -> Vec<Event> {
    let events = new.iter().filter_map(|condition| {
        let before = old.iter().find(|before| before.type_ == condition.type_);
        Some(event(condition, event_type(before, condition, new)?))
    });
    events.collect()
}

fn event_type(before: Option<&Condition>, condition: &Condition, all: &[Condition]) -> Option<EventType> {
    let status_before = before.map_or("", |before| &before.status);
    match condition.status.as_str() {
        "True" if status_before == "True" => None,
        "True" if condition.type_ == "Ready" => Some(EventType::Normal),
        "True" => before.filter(|before| before.status == "False" && !is_starting(before)).map(|_| EventType::Normal),
        "False" if before.is_some_and(|before| before.status == "False" && before.reason == condition.reason) => None,
        "False" if is_reloading(condition) || is_told_by_another(condition, all) => None,
        "False" if is_starting(condition) && status_before != "True" => None,
        "False" => Some(EventType::Warning),
        _ => None,
    }
}

/// What every edit goes through.
fn is_reloading(condition: &Condition) -> bool {
    [Reason::ConfigPending, Reason::ProgrammingPending].iter().any(|reason| reason.as_str() == condition.reason)
}

/// What every start goes through; a replica that was ready and is not any more is news.
fn is_starting(condition: &Condition) -> bool {
    let starts = [Reason::RoutePending, Reason::ReplicasUnready];
    is_reloading(condition) || starts.iter().any(|reason| reason.as_str() == condition.reason)
}

/// Whether the condition only follows from another, which tells the same.
fn is_told_by_another(condition: &Condition, all: &[Condition]) -> bool {
    match condition.type_.as_str() {
        tenant::READY => all
            .iter()
            .any(|other| other.type_ != "Ready" && other.status == "False" && other.reason == condition.reason),
        tenant::SEND_READY => condition.reason == Reason::SecretMissing.as_str(),
        flow::PROGRAMMED => condition.reason == Reason::FlowInvalid.as_str(),
        _ => false,
    }
}

fn event(condition: &Condition, type_: EventType) -> Event {
    let mut note = format!("{}: {}", condition.type_, condition.message);
    if note.len() > LONGEST_NOTE {
        let cut = (0..=LONGEST_NOTE - 3).rev().find(|at| note.is_char_boundary(*at)).unwrap_or(0);
        note.truncate(cut);
        note.push('…');
    }
    // The action tells apart what has one reason: the recorder counts events of one reason and action together.
    Event {
        type_,
        reason: condition.reason.clone(),
        note: Some(note),
        action: condition.type_.clone(),
        secondary: None,
    }
}

#[cfg(test)]
mod tests {
    use wigwag_crds::condition::{Truth, Verdict, merge};

    use super::*;

    fn conditions(verdicts: &[(&'static str, Truth, Reason)]) -> Vec<Condition> {
        let verdicts: Vec<_> =
            verdicts.iter().map(|(type_, status, reason)| Verdict::new(type_, *status, *reason, "m")).collect();
        merge(&[], &verdicts, Some(1), Timestamp::UNIX_EPOCH)
    }

    fn told(old: &[Condition], new: &[Condition]) -> Vec<(EventType, String)> {
        transitions(old, new).into_iter().map(|event| (event.type_, event.reason)).collect()
    }

    use EventType::{Normal, Warning};
    use Truth::{False, True, Unknown};
    use tenant::{CREDENTIALS_VALID as CREDENTIALS, READY, WORKER_AVAILABLE as WORKER};

    #[test]
    fn an_event_is_told_once_and_only_by_the_part_that_it_is_about() {
        let fine = conditions(&[(CREDENTIALS, True, Reason::CredentialsFound), (READY, True, Reason::Ready)]);
        let broken = conditions(&[(CREDENTIALS, False, Reason::SecretMissing), (READY, False, Reason::SecretMissing)]);
        assert_eq!(told(&fine, &broken), [(Warning, "SecretMissing".to_owned())]);
        assert_eq!(told(&broken, &broken), []);
        let healed = [(Normal, "CredentialsFound".to_owned()), (Normal, "Ready".to_owned())];
        assert_eq!(told(&broken, &fine), healed);
    }

    #[test]
    fn the_first_visit_tells_what_is_wrong_and_not_what_is_only_not_there_yet() {
        let first = conditions(&[
            (CREDENTIALS, False, Reason::SecretMissing),
            (tenant::DATABASE_READY, Unknown, Reason::NoReplicaReports),
            (tenant::ROUTE_PROGRAMMED, False, Reason::RoutePending),
            (WORKER, False, Reason::ReplicasUnready),
            (READY, False, Reason::SecretMissing),
        ]);
        assert_eq!(told(&[], &first), [(Warning, "SecretMissing".to_owned())]);
    }

    #[test]
    fn a_replica_that_was_ready_and_a_cause_that_only_ready_knows_are_news() {
        let fine = conditions(&[(WORKER, True, Reason::ReplicasReady), (READY, True, Reason::Ready)]);
        let down = conditions(&[(WORKER, False, Reason::ReplicasUnready), (READY, False, Reason::ReplicasUnready)]);
        assert_eq!(told(&fine, &down), [(Warning, "ReplicasUnready".to_owned())]);
        let refused = conditions(&[(WORKER, True, Reason::ReplicasReady), (READY, False, Reason::ConfigRefused)]);
        assert_eq!(told(&fine, &refused), [(Warning, "ConfigRefused".to_owned())]);
        let loading = conditions(&[(WORKER, True, Reason::ReplicasReady), (READY, False, Reason::ConfigPending)]);
        assert_eq!(told(&fine, &loading), []);
    }

    #[test]
    fn what_only_follows_from_another_condition_is_not_told_again() {
        let broken = conditions(&[
            (CREDENTIALS, False, Reason::SecretMissing),
            (tenant::DATABASE_READY, False, Reason::SecretMissing),
            (tenant::SEND_READY, False, Reason::SecretMissing),
            (READY, False, Reason::SecretMissing),
        ]);
        let events = transitions(&[], &broken);
        let about: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(about, [CREDENTIALS, tenant::DATABASE_READY]);
        let flow = conditions(&[
            (flow::ACCEPTED, False, Reason::FlowInvalid),
            (flow::PROGRAMMED, False, Reason::FlowInvalid),
            (READY, False, Reason::FlowInvalid),
        ]);
        assert_eq!(told(&[], &flow), [(Warning, "FlowInvalid".to_owned())]);
    }

    #[test]
    fn a_long_message_is_cut_to_what_an_event_holds() {
        let mut long = conditions(&[(READY, False, Reason::SecretMissing)]);
        long[0].message = "ñ".repeat(2_000);
        let note = transitions(&[], &long).remove(0).note.unwrap();
        assert!(note.len() <= 1_024 && note.ends_with('…'));
    }
}
