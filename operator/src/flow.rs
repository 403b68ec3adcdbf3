//! The Flow controller. It writes nothing but the Flow's status: the ConfigMap that carries a Flow to the data plane is
//! the tenant's.

pub mod check;
pub mod reconcile;
pub mod sessions;
pub mod status;

use std::sync::Arc;

use futures::{Stream, StreamExt};
use kube::{
    ResourceExt,
    runtime::{
        Controller, WatchStreamExt,
        controller::Config,
        reflector::{ObjectRef, store::Writer},
        watcher,
    },
};
use tokio_util::sync::CancellationToken;
use wigwag_crds::Flow;

use crate::{
    SETTLE,
    context::Context,
    raw::Raw,
    report,
    watch::{Changes, Watched, api, events},
};

/// Name in logs and metrics.
pub const NAME: &str = "flow";

/// The tenant that a Flow names.
#[must_use]
pub fn tenant_of(flow: &Raw<Flow>) -> Option<&str> {
    flow.spec["tenantRef"]["name"].as_str()
}

/// Runs the controller until told to stop; running reconciles are finished.
pub async fn run(
    context: Arc<Context>,
    watched: Watched<Raw<Flow>>,
    woken: impl Stream<Item = ObjectRef<Raw<Flow>>> + Send + 'static,
    stop: CancellationToken,
) {
    let flows = watched.writer.as_reader();
    let own = own_events(Arc::clone(&context), watched.writer, watched.scope.as_deref());
    Controller::for_stream(own, flows)
        .reconcile_on(woken)
        .with_config(Config::default().debounce(SETTLE))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconcile::reconcile, report::policy(NAME), context)
        .for_each(async |result| report::log(result))
        .await;
}

/// The Flows themselves. One that came, went, changed or moved to another tenant wakes the tenants that it is about.
fn own_events(
    context: Arc<Context>,
    mut writer: Writer<Raw<Flow>>,
    scope: Option<&str>,
) -> impl Stream<Item = Result<Raw<Flow>, watcher::Error>> + Send + use<> {
    let mut changes = Changes::default();
    let events = events(api::<Raw<Flow>>(&context.client, scope), watcher::Config::default()).modify(|flow| {
        flow.managed_fields_mut().clear();
    });
    let events = events.inspect(move |event| {
        let Ok(event) = event else { return };
        writer.apply_watcher_event(event);
        let fact = |flow: &Raw<Flow>| {
            let version = (flow.uid(), flow.metadata.generation, flow.is_going());
            (version, tenant_of(flow).unwrap_or_default().to_owned())
        };
        for change in changes.follow(event, fact) {
            for (_, tenant) in change.old.iter().chain(&change.new) {
                context.tenants.wake(&change.namespace, tenant);
            }
        }
    });
    events.applied_objects()
}
