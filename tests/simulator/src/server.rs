//! The listening side: an accept loop with a gate, so that a test can make the simulator listen without accepting, and
//! connections that can end without an answer.

use std::{
    io,
    net::TcpListener as StdListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::{server::conn::http1, service::Service as _, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

use crate::Platform;

/// Put into a response's extensions: close the connection instead of answering.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hangup;

/// What becomes of connections that came while nothing was accepted. Their senders may be long gone, with a whole
/// request in the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// They are served now.
    Serve,
    /// They are reset unread.
    Discard,
}

#[derive(Debug)]
pub(crate) struct Gate {
    open: watch::Sender<bool>,
    /// Connections, and those among them with a request in work.
    connections: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
    listener: std::sync::OnceLock<StdListener>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(true),
            connections: Arc::default(),
            busy: Arc::default(),
            listener: std::sync::OnceLock::new(),
        }
    }
}

impl Platform {
    /// Listens without accepting from now on: the kernel completes connections, nobody reads them. Idle connections are
    /// closed before this returns; requests in work are answered, and their connections closed then. `/sim/*` is on the
    /// same port and shares the fate.
    pub async fn pause_accepting(&self) {
        self.gate.open.send_replace(false);
        while self.gate.connections.load(Ordering::SeqCst) > self.gate.busy.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Accepts again.
    pub fn resume_accepting(&self, backlog: Backlog) {
        if backlog == Backlog::Discard
            && let Some(listener) = self.gate.listener.get()
        {
            // Non-blocking: ends with WouldBlock when the backlog is empty.
            while listener.accept().is_ok() {}
        }
        self.gate.open.send_replace(true);
    }
}

/// Serves until the simulator stops.
pub(crate) fn start(platform: &Arc<Platform>, listener: TcpListener, router: Router) -> io::Result<()> {
    let listener = listener.into_std()?;
    // Cannot be set already: a platform is started once.
    let _ = platform.gate.listener.set(listener.try_clone()?);
    let listener = TcpListener::from_std(listener)?;
    platform.spawn(accept(platform.clone(), listener, router));
    Ok(())
}

async fn accept(platform: Arc<Platform>, listener: TcpListener, router: Router) {
    let mut gate = platform.gate.open.subscribe();
    loop {
        if gate.wait_for(|open| *open).await.is_err() {
            return;
        }
        let stream = tokio::select! {
            biased;
            _ = gate.changed() => continue,
            accepted = listener.accept() => accepted.map(|(stream, _)| stream),
        };
        match stream {
            Ok(stream) => {
                platform.spawn(serve(platform.clone(), stream, router.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(platform: Arc<Platform>, stream: TcpStream, router: Router) {
    let mut gate = platform.gate.open.subscribe();
    // The gate may have closed between accept and here: then nobody reads before it opens.
    if gate.wait_for(|open| *open).await.is_err() {
        return;
    }
    let _connected = Count::up(&platform.gate.connections);
    let in_work = Arc::new(AtomicUsize::new(0));
    let (busy, requests) = (platform.gate.busy.clone(), in_work.clone());
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let counted = (Count::up(&busy), Count::up(&requests));
        let answer = router.call(request);
        async move {
            let _counted = counted;
            match answer.await {
                Ok(response) if response.extensions().get::<Hangup>().is_some() => {
                    Err(io::Error::other("hung up as a rule says"))
                }
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            Ok(()) = gate.changed() => {
                let closed = !*gate.borrow_and_update();
                if closed && in_work.load(Ordering::SeqCst) == 0 {
                    return;
                }
                if closed {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Counts while it lives, so that a dropped future counts down too.
struct Count(Arc<AtomicUsize>);

impl Count {
    fn up(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter.clone())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
