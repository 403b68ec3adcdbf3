//! `serve`: every part is made, joined to its neighbours, and in the end taken down in order.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wigwag_store::connection::Database;

use crate::{
    activation::Activation,
    admin::{self, Admin},
    api::{self, Api, standing::Census},
    args::Serve,
    calls::{
        Calls,
        caller::Caller,
        runner::{Policies, Runner},
        under_way::UnderWay,
    },
    channels::Channels,
    config::Config,
    dispatch::{
        Dispatch, dispatcher::Dispatcher, in_flight::InFlight, sender::Sender, settler::Settler, traffic::Traffic,
    },
    health::Health,
    ingest::{
        Intake,
        flusher::Flusher,
        webhook::{self, Ingest},
    },
    lanes::{fence::Fence, hint::Hints, lease::Lease, ownership::Ownership, worker::Worker},
    metrics::Metrics,
    parts::Parts,
    programs::Programs,
    server,
    tls::NoTls,
    upkeep::Upkeep,
};

/// Connections for reading. The writers have one each of their own.
const POOL: u32 = 6;
/// Connections for who asks the API: what it costs, conversations must not pay.
const API_POOL: u32 = 2;
const POOL_PATIENCE: Duration = Duration::from_secs(5);
/// For a step and a send that have begun when the process is told to go.
const FINISH: Duration = Duration::from_secs(1);
/// For providers and the edge to learn that they must go elsewhere; what still comes is stored.
const LINGER: Duration = Duration::from_secs(5);

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's URL does not read.
    #[error("--database-url: {0}: write postgres://user:password@host:5432/name")]
    DatabaseUrl(wigwag_store::Error),
    /// An address could not be listened on.
    #[error("{flag} {address}: {source}")]
    Listen {
        /// The option.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] NoTls),
    /// Signals could not be listened for.
    #[error("signals: {0}")]
    Signals(io::Error),
    /// A part panicked; its panic stands in the log.
    #[error("the {0} failed: this is a bug; start the process anew, what was received is in the database")]
    Part(&'static str),
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start. A database that is not there is no error: webhooks are answered 503 until it is.
pub async fn serve(args: Serve) -> Result<(), Error> {
    let database = Database::new(&args.database_url).map_err(Error::DatabaseUrl)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let listener = bind("--listen", args.listen).await?;
    let admin_listener = bind("--admin-listen", args.admin_listen).await?;

    // What several parts share.
    let replica = args.replica.clone().unwrap_or_else(random_name);
    let pool = database.pool(POOL, POOL_PATIENCE);
    let api_pool = database.pool(API_POOL, POOL_PATIENCE);
    let config = Arc::new(ArcSwap::from_pointee(Config::default()));
    let metrics = Arc::new(Metrics::default());
    let health = Arc::new(Health::default());
    let ownership = Arc::new(Ownership::default());
    let fence = Arc::new(Fence::new(database.clone(), args.lane_lease));
    let in_flight = Arc::new(InFlight::default());
    let traffic = Arc::new(Traffic::default());
    let programs = Arc::new(Programs::default());
    let channels = Channels::new(config.clone(), pool.clone());
    let sender = Sender::new(ownership.clone(), args.send_timeout)?;

    // The ways between the stages.
    let (intake, submissions) = Intake::new();
    let (hints, new_jobs) = Hints::new(ownership.clone());
    let (dispatch, committed) = Dispatch::new();
    let (calls, new_calls) = Calls::new();
    let under_way = Arc::new(UnderWay::default());
    let (finished, finished_sends) = mpsc::unbounded_channel();
    let (settled, settled_sends) = mpsc::unbounded_channel();

    let (parts, mut failed) = Parts::new();
    // Stopped in this order: the work, the listeners; the flusher ends when nobody can submit any more.
    let (work, listen, all) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());

    let flusher = Flusher {
        database: database.clone(),
        hints: hints.clone(),
        traffic: traffic.clone(),
        metrics: metrics.clone(),
    };
    let flusher = parts.start("flusher", flusher.run(submissions));
    let settler = Settler { database: database.clone(), settled, hints: hints.clone(), metrics: metrics.clone() };
    parts.start("settler", settler.run(finished_sends));
    let worker = Worker {
        config: config.clone(),
        pool: pool.clone(),
        fence: fence.clone(),
        ownership: ownership.clone(),
        hints: hints.clone(),
        programs: programs.clone(),
        dispatch: dispatch.clone(),
        calls: calls.clone(),
        metrics: metrics.clone(),
    };
    let worker = worker.run(new_jobs, work.clone());
    let worker = parts.start("worker", health.clone().once_configured(worker, work.clone()));
    let dispatcher = Dispatcher {
        config: config.clone(),
        pool: pool.clone(),
        fence: fence.clone(),
        ownership: ownership.clone(),
        channels: channels.clone(),
        traffic,
        sender,
        finished,
        in_flight: in_flight.clone(),
        unknown_hold: args.unknown_hold,
        parts: parts.clone(),
        metrics: metrics.clone(),
    };
    let dispatcher = dispatcher.run(dispatch, committed, settled_sends, work.clone());
    let dispatcher = parts.start("dispatcher", health.clone().once_configured(dispatcher, work.clone()));
    let caller = Runner {
        pool: pool.clone(),
        fence: fence.clone(),
        database: database.clone(),
        ownership: ownership.clone(),
        hints: hints.clone(),
        policies: policies(config.clone()),
        caller: Caller::new()?,
        under_way: under_way.clone(),
        parts: parts.clone(),
        metrics: metrics.clone(),
    };
    let caller = caller.run(calls, new_calls, work.clone());
    parts.start("caller", health.clone().once_configured(caller, work.clone()));
    let lease = Lease {
        pool: pool.clone(),
        replica: replica.clone(),
        lease: args.lane_lease,
        unknown_hold: args.unknown_hold,
        max_attempts: args.max_attempts,
        ownership: ownership.clone(),
        fence,
        in_flight,
    };
    let (give_back, tenants) = (CancellationToken::new(), config.clone());
    let tenants = move || tenants.load().tenants.keys().cloned().collect();
    let lease = lease.run(tenants, give_back.clone());
    let lease = parts.start("lease", health.clone().once_configured(lease, give_back.clone()));
    let upkeep = Upkeep {
        config: config.clone(),
        pool: pool.clone(),
        ownership,
        hints: hints.clone(),
        metrics: metrics.clone(),
    };
    parts.start("upkeep", health.clone().once_configured(upkeep.run(work.clone()), work.clone()));
    let (last, last_hints) = (pool.clone(), hints.clone());
    let api = Api { config: config.clone(), pool: api_pool.clone(), hints: hints.clone(), programs };
    parts.start("speaker", hints.clone().speak(pool.clone(), replica.clone(), all.clone()));
    parts.start("listener", hints.listen(database.clone(), replica.clone(), all.clone()));
    parts.start("health", health.clone().watch(database, !args.no_migrate, all.clone()));
    let activation = Activation {
        config_dir: args.config_dir,
        secrets_dir: args.secrets_dir,
        config: config.clone(),
        pool,
        health: health.clone(),
    };
    parts.start("activation", health.clone().once_migrated(activation.run(all.clone()), all.clone()));

    let routes = webhook::routes(Ingest { config: config.clone(), intake, metrics: metrics.clone() });
    let routes = routes.merge(api::routes(api));
    let server = parts.start("server", server::serve(listener, routes, listen.clone()));
    let census = Census::new(config.clone(), api_pool);
    let admin = Admin { replica: replica.clone(), config, channels, health: health.clone(), census, metrics };
    let routes = admin::routes(admin);
    parts.start("admin server", server::serve(admin_listener, routes, all.clone()));
    info!(replica, listen = %args.listen, admin_listen = %args.admin_listen, "serving");

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        Some(part) = failed.recv() => return Err(Error::Part(part)),
    }
    info!("going down");
    health.draining();
    work.cancel();
    let finish = async { tokio::join!(worker, dispatcher) };
    let _ = timeout(FINISH, finish).await;
    give_back.cancel();
    let _ = lease.await;
    // Whoever owns the lanes now runs what still comes in here.
    sleep(LINGER).await;
    match under_way.give_up(&last).await {
        Ok(jobs) => last_hints.new_jobs(jobs, HashMap::new()),
        Err(error) => warn!(%error, "calls that were cut short end at their deadlines"),
    }
    listen.cancel();
    join(server).await;
    join(flusher).await;
    all.cancel();
    info!("down");
    Ok(())
}

/// What the calls of each tenant's Flows may do, as it is configured now.
fn policies(config: Arc<ArcSwap<Config>>) -> Policies {
    Arc::new(move |tenant| Some(config.load().tenants.get(tenant)?.policy.clone()))
}

async fn bind(flag: &'static str, address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { flag, address, source })
}

/// A part that ended by a panic has told so already.
async fn join(part: JoinHandle<()>) {
    let _ = part.await;
}

fn random_name() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "replica".to_owned());
    format!("{host}-{:08x}", rand::random::<u32>())
}
