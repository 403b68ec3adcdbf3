//! Builds and runs the controllers: for each watched namespace (or for all at once) one of tenants and one of Flows,
//! over a context that they share.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use kube::{
    Client,
    runtime::{
        events::{Recorder, Reporter},
        reflector,
    },
};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;
use wigwag_crds::labels::FIELD_MANAGER;

use crate::{
    args::Args,
    backoff::Attempts,
    context::{Context, WakeUp},
    flow,
    health::Readiness,
    metrics::Metrics,
    replicas::Replicas,
    report::TURNS,
    tenant,
    wake::Waker,
    watch::Watched,
};

/// What a leader waits for.
const FIRST_LISTS: &str = "the first lists of tenants and Flows";
/// They take no longer, unless a namespace cannot be listed at all.
const FIRST_LISTS_TAKE: Duration = Duration::from_secs(10);

/// Runs all controllers until told to stop and running reconciles are done.
pub async fn run(args: &Args, client: Client, metrics: Metrics, readiness: Readiness, stop: CancellationToken) {
    let scopes = args.scopes();
    let (tenants, woken_tenants) = Waker::new(&scopes);
    let (flows, woken_flows) = Waker::new(&scopes);
    let (tenants, flows) = (Arc::new(tenants), Arc::new(flows));
    let wake_up = WakeUp { tenants: Arc::clone(&tenants), flows: Arc::clone(&flows) };
    let (tenant_stores, tenant_writers): (Vec<_>, Vec<_>) = scopes.iter().map(|_| reflector::store()).unzip();
    let (flow_stores, flow_writers): (Vec<_>, Vec<_>) = scopes.iter().map(|_| reflector::store()).unzip();

    let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(args.identity.clone()) };
    let context = Arc::new(Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        image: args.dataplane_image.clone(),
        replicas: Replicas::new(Box::new(wake_up)),
        tenants,
        flows,
        known_tenants: tenant_stores.clone(),
        all_seen_by: Instant::now() + FIRST_LISTS_TAKE,
        attempts: Attempts::default(),
        turns: Semaphore::new(TURNS),
        metrics: metrics.clone(),
    });

    readiness.waits_for(FIRST_LISTS);
    let seen = async {
        // A store fails only when its writer is gone, with the process.
        let _ = join_all(tenant_stores.iter().map(|store| store.wait_until_ready())).await;
        metrics.set_ready(tenant::NAME, true);
        let _ = join_all(flow_stores.iter().map(|store| store.wait_until_ready())).await;
        metrics.set_ready(flow::NAME, true);
        readiness.has(FIRST_LISTS);
    };

    let of_tenants = scopes.iter().zip(tenant_writers).zip(woken_tenants).zip(&flow_stores);
    let of_tenants = of_tenants.map(|(((scope, writer), woken), flows)| {
        let watched = Watched { scope: scope.clone(), writer };
        tenant::run(Arc::clone(&context), watched, flows.clone(), woken, stop.clone())
    });
    let of_flows = scopes.iter().zip(flow_writers).zip(woken_flows).map(|((scope, writer), woken)| {
        let watched = Watched { scope: scope.clone(), writer };
        flow::run(Arc::clone(&context), watched, woken, stop.clone())
    });
    let all = async { tokio::join!(join_all(of_tenants), join_all(of_flows)) };
    tokio::pin!(all);
    tokio::select! {
        _ = &mut all => return,
        () = seen => {}
    }
    all.await;
}
