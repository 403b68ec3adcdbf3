//! HTTP listeners: hyper with the limits that a listener on the internet needs.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// For a request's headers, and for the next request on a connection that is kept.
const HEADERS: Duration = Duration::from_secs(30);
/// For requests that run when the listener closes.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until told to stop, then finishes what has begun.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let server = server.http1_only();
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = async {
                // The semaphore is never closed.
                let place = places.clone().acquire_owned().await.ok()?;
                Some((place, listener.accept().await))
            } => accepted,
        };
        let Some((place, accepted)) = accepted else { break };
        let (stream, _) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                // Out of file descriptors, most likely: some connections must end first.
                warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(routes.clone());
        let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                debug!(error = %error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        warn!("requests did not end within {DRAIN:?}; they are cut off");
    }
}
