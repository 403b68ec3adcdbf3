//! From a URL to a connection: the name is looked up, its addresses are checked, and one of those that passed is
//! connected to, all in one go. There is no pool and no proxy in between, so what was checked is what is called.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::{Duration, Instant},
};

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Semaphore,
    task::spawn_blocking,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};
use wigwag_domain::CallFailure;

use super::{policy::CallPolicy, request::Failure};

/// Addresses of one name that are tried.
const TRIES: usize = 4;

/// Names of one tenant that are looked up at once. A look-up holds a thread until DNS answers or gives up, also when the
/// call that wanted it is over: names that nobody answers for must not take all of them.
const LOOK_UPS: usize = 16;

/// A tenant's turns at DNS.
#[derive(Clone, Debug)]
pub struct LookUps(Arc<Semaphore>);

impl Default for LookUps {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOK_UPS)))
    }
}

/// A connection, with or without TLS.
pub(super) type Connection = TokioIo<Box<dyn Stream>>;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to where the URL points.
///
/// # Errors
/// `refused` when all addresses are closed to calls, `network` when nobody is there or TLS does not come about. Nothing
/// of the request was sent then.
pub(super) async fn connect(
    url: &Url,
    CallPolicy { allow, look_ups, .. }: &CallPolicy,
    tls: &TlsConnector,
    deadline: Instant,
) -> Result<Connection, Failure> {
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(Failure { class: CallFailure::Invalid, message: "the URL names no host".to_owned() });
    };
    let found = look_up(&host, port, look_ups).await?;
    let addresses: Vec<SocketAddr> =
        found.into_iter().filter(|address| allow.permits(&host, *address)).take(TRIES).collect();
    if addresses.is_empty() {
        let message = format!(
            "{host} is at an address that is closed to calls (private, loopback or link-local): if Flows should \
             reach it, the tenant opens it in spec.http.allow"
        );
        return Err(Failure { class: CallFailure::Refused, message });
    }
    let tcp = open(&addresses, deadline).await.map_err(|error| network(&host, "does not take connections", &error))?;
    if url.scheme() != "https" {
        return Ok(TokioIo::new(Box::new(tcp)));
    }
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|error| network(&host, "has no name for TLS", &error))?,
        Host::Ipv4(ip) => ServerName::IpAddress(ip.into()),
        Host::Ipv6(ip) => ServerName::IpAddress(ip.into()),
    };
    let tls =
        tls.connect(name, tcp).await.map_err(|error| network(&host, "does not speak TLS that we trust", &error))?;
    Ok(TokioIo::new(Box::new(tls)))
}

async fn look_up(host: &Host<&str>, port: u16, turns: &LookUps) -> Result<Vec<SocketAddr>, Failure> {
    let found = match host {
        Host::Domain(name) => {
            let unknown = |error: &dyn std::error::Error| network(host, "is not known to DNS", error);
            let turn = turns.0.clone().acquire_owned().await.map_err(|error| unknown(&error))?;
            let name = (*name).to_owned();
            let found = spawn_blocking(move || {
                let found = (name.as_str(), port).to_socket_addrs();
                drop(turn);
                found
            });
            found.await.map_err(|error| unknown(&error))?.map_err(|error| unknown(&error))?.collect()
        }
        Host::Ipv4(ip) => vec![SocketAddr::from((*ip, port))],
        Host::Ipv6(ip) => vec![SocketAddr::from((*ip, port))],
    };
    Ok(found.into_iter().map(|address| SocketAddr::new(address.ip().to_canonical(), port)).collect())
}

/// The first address that answers. Each has its part of the time, so that one that is silent does not use up all; the
/// last has what the whole call has.
async fn open(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (tried, address) in addresses.iter().enumerate() {
        let patience = match u32::try_from(addresses.len() - tried) {
            Ok(left) if left > 1 => deadline.saturating_duration_since(Instant::now()) / left,
            _ => Duration::MAX,
        };
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

fn network(host: &Host<&str>, what: &str, error: &dyn std::error::Error) -> Failure {
    Failure { class: CallFailure::Network, message: format!("{host} {what}: {error}") }
}
