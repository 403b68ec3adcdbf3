//! The operator: turns `WhatsAppTenant`s and `Flow`s into a running data plane, and tells in their status how it fares.
//!
//! ```text
//! watches --> wake --> observe --> build --> apply --> status        (tenant)
//!                        check --> what runs of it --> status        (flow)
//!               ^                                |
//!               +---- replicas: /configz <-------+ what they should run
//! ```
//!
//! Level-based: each reconcile reads everything fresh, compares it with what should be, and writes only what differs. So
//! the process may be killed anywhere, and two of them never fight: one leads, by a Lease.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod apply;
pub mod args;
pub mod backoff;
pub mod context;
pub mod discovery;
pub mod election;
pub mod error;
pub mod flow;
pub mod health;
pub mod metrics;
pub mod publish;
pub mod raw;
pub mod replicas;
pub mod report;
pub mod tenant;
pub mod wake;
pub mod watch;

mod controllers;
mod words;

use std::time::Duration;

use kube::{Client, Config};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    args::Args,
    election::{Candidate, KubeLease},
    error::Error,
    health::Readiness,
    metrics::Metrics,
};

/// Triggers of one object that come this close together are one reconcile.
pub const SETTLE: Duration = Duration::from_millis(50);
/// Running reconciles are given so long after a TERM.
const GRACE: Duration = Duration::from_secs(10);

/// What a replica waits for before anything else.
const CUSTOM_RESOURCES: &str = "the custom resources";

/// Runs until a TERM or an INT; then finishes what runs and releases the lease.
///
/// # Errors
/// When the API server cannot be found, the address is taken, or the lease is lost: the process must end.
pub async fn run(args: Args) -> Result<(), Error> {
    let stop = stop_on_signals()?;
    let (metrics, readiness) = (Metrics::default(), Readiness::default());
    readiness.waits_for(CUSTOM_RESOURCES);
    health::serve(&args.listen, readiness.clone(), metrics.clone()).await?;

    let mut config = Config::infer().await.map_err(|error| Error::NoCluster(error.to_string()))?;
    // A retry inside the client would hold a reconcile for minutes; reconciles are tried again by themselves.
    config.default_retry = false;
    let client = Client::try_from(config.clone()).map_err(|error| Error::NoCluster(error.to_string()))?;
    tokio::select! {
        () = discovery::custom_resources(&client) => readiness.has(CUSTOM_RESOURCES),
        () = stop.cancelled() => return Ok(()),
    }

    let lease = args.lease_duration.duration();
    let store = KubeLease::new(config, &args.namespace, lease / 3)?;
    let candidate = Candidate::new(store, args.identity.clone(), lease);
    let Some(since) = candidate.win(&stop).await else { return Ok(()) };
    tracing::info!(identity = args.identity, "leading");
    metrics.set_leader(true);

    let work = async {
        tokio::select! {
            () = controllers::run(&args, client, metrics, readiness, stop.clone()) => {}
            () = async { stop.cancelled().await; sleep(GRACE).await } => {
                tracing::warn!("reconciles were cut short; the next leader finishes them");
            }
        }
    };
    tokio::select! {
        // Held until the last reconcile has ended, not only until we are told to stop.
        lost = candidate.hold(since) => return Err(lost),
        () = work => {}
    }
    candidate.release().await;
    if stop.is_cancelled() { Ok(()) } else { Err(Error::ControllerStopped) }
}

fn stop_on_signals() -> Result<CancellationToken, Error> {
    let failed = |source| Error::Listen { address: "signals".to_owned(), source };
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut int = signal(SignalKind::interrupt()).map_err(failed)?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("told to stop");
        told.cancel();
    });
    Ok(stop)
}
