//! Calls against real sockets: a server that answers what a test says, byte by byte, and keeps what it was sent.

#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod connections;
mod redirects;

use std::{
    sync::{Arc, Mutex, Once},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;
use wigwag_domain::{CallBody, CallFailure, CallHeader, CallHeaderValue, CallResult, EffectId, HttpCall};

use super::{
    address::Allow,
    caller::{Caller, NotSent},
    policy::CallPolicy,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// What the server does with a request.
enum Reply {
    /// Writes this, and closes.
    Bytes(Vec<u8>),
    /// Writes the first, then the second again and again, for as long as somebody reads.
    Endless(&'static str, &'static str),
    /// Writes this, and then nothing.
    Hang(&'static str),
    /// Closes.
    Close,
}

/// A server on a port of its own.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the n-th request, from 0.
    async fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, reply).await
    }

    async fn start_with(tls: Option<TlsAcceptor>, reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(vec![]));
        let requests = seen.clone();
        let reply = Arc::new(reply);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, requests, reply) = (tls.clone(), requests.clone(), reply.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &requests, reply.as_ref()).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &requests, reply.as_ref()).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The requests that came, head and body.
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<String>>,
    reply: &(impl Fn(usize) -> Reply + Sync),
) {
    let Some(request) = read_request(&mut stream).await else { return };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request);
        seen.len() - 1
    };
    match reply(number) {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Endless(first, again) => {
            let _ = stream.write_all(first.as_bytes()).await;
            while stream.write_all(again.as_bytes()).await.is_ok() {}
        }
        Reply::Hang(first) => {
            let _ = stream.write_all(first.as_bytes()).await;
            std::future::pending::<()>().await;
        }
        Reply::Close => {}
    }
}

/// Head and body as they came; `None` where nothing came.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.ok()?;
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |value| value.parse::<usize>().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        // Nothing more, or nothing of HTTP.
        if read == 0 || !text.starts_with(char::is_alphabetic) {
            return None;
        }
    }
}

/// A header of a request as the server saw it.
fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|h| h.1)
}

fn answer(status: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}

fn redirect(status: u16, to: &str) -> Reply {
    Reply::Bytes(format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes())
}

fn post(url: impl Into<String>) -> HttpCall {
    HttpCall {
        method: "POST".to_owned(),
        url: url.into(),
        headers: vec![],
        body: Some(CallBody { content_type: "application/json".to_owned(), text: "{\"a\":1}".to_owned() }),
        timeout_ms: 10_000,
        repeatable: false,
    }
}

fn plain(name: &str, value: &str) -> CallHeader {
    CallHeader { name: name.to_owned(), value: CallHeaderValue::Plain(value.to_owned()) }
}

/// Opens these places.
fn policy(allow: &[&str]) -> CallPolicy {
    CallPolicy { allow: Allow::parse(allow.iter().copied()).unwrap(), ..CallPolicy::default() }
}

/// Opens this machine.
fn local() -> CallPolicy {
    policy(&["127.0.0.0/8", "::1"])
}

fn caller() -> Caller {
    install_ring();
    let roots = rustls::RootCertStore::empty();
    Caller::with_tls(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

fn install_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

async fn make(call: &HttpCall, policy: &CallPolicy) -> CallResult {
    make_within(call, policy, PATIENCE).await
}

async fn make_within(call: &HttpCall, policy: &CallPolicy, patience: Duration) -> CallResult {
    caller().call(EffectId(Uuid::from_u128(7)), call, policy, patience, || true).await.unwrap()
}

/// Why it failed.
fn class(result: &CallResult) -> CallFailure {
    match result {
        CallResult::Failed { class, .. } => *class,
        CallResult::Answered { .. } => panic!("answered: {result:?}"),
    }
}

fn message(result: &CallResult) -> &str {
    match result {
        CallResult::Failed { message, .. } => message,
        CallResult::Answered { .. } => panic!("answered: {result:?}"),
    }
}

/// Asks whether it may send, and hears no.
async fn make_without_lease(call: &HttpCall) -> Result<CallResult, NotSent> {
    caller().call(EffectId(Uuid::from_u128(7)), call, &local(), PATIENCE, || false).await
}
