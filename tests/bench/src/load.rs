//! The load: so many keep-alive connections, each with one signed webhook in flight, as fast as the answers come
//! (closed loop). It runs on a thread of its own, so that its CPU time can be told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::timeout;
use wigwag_providers::cloud_api::SIGNATURE_HEADER;

use crate::message::{Messages, Signed};
use crate::process::thread_cpu;
use crate::tenant::{HOST, WEBHOOK};

/// How long an answer may take; a provider would not wait longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to do.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Where to.
    pub address: SocketAddr,
    /// Connections, each with one webhook in flight.
    pub connections: usize,
    /// For how long webhooks are posted.
    pub span: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From each POST that was answered 200 to its answer.
    pub latencies: Vec<Duration>,
    /// Everything else that happened to a POST, and how often.
    pub failures: BTreeMap<String, u64>,
    /// From the first POST to the last answer.
    pub took: Duration,
    /// CPU time of the generator.
    pub cpu: Duration,
}

/// A connection that webhooks are posted over.
#[derive(Debug)]
pub struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Posts a webhook and waits for its answer.
    ///
    /// # Errors
    /// When the connection breaks, or there is no answer within 10 s.
    pub async fn post(&mut self, webhook: Signed) -> Result<StatusCode> {
        let request = Request::post(WEBHOOK)
            .header(header::HOST, HOST)
            .header(header::CONTENT_TYPE, "application/json")
            .header(SIGNATURE_HEADER, webhook.signature)
            .body(Full::new(webhook.body))?;
        let answered = timeout(PATIENCE, async {
            self.0.ready().await?;
            let answer = self.0.send_request(request).await?;
            let status = answer.status();
            answer.into_body().collect().await?;
            anyhow::Ok(status)
        });
        answered.await.context("no answer within 10 s")?
    }
}

/// Posts `messages` as planned, and gives them back: the next load goes on where this one ended.
///
/// # Errors
/// When nobody listens at the address.
pub async fn run(plan: Plan, messages: Messages) -> Result<(Outcome, Messages)> {
    let thread = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, generate(plan, messages))
    });
    thread.await?
}

async fn generate(plan: Plan, messages: Messages) -> Result<(Outcome, Messages)> {
    let messages = Rc::new(messages);
    let mut connections = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        connections.push(Connection::open(plan.address).await?);
    }
    let (begun, cpu) = (Instant::now(), thread_cpu()?);
    let until = begun + plan.span;
    let posters: Vec<_> = connections
        .into_iter()
        .map(|connection| tokio::task::spawn_local(post_until(until, plan.address, connection, messages.clone())))
        .collect();
    let mut all = Outcome::default();
    for poster in posters {
        let outcome = poster.await??;
        all.latencies.extend(outcome.latencies);
        for (failure, times) in outcome.failures {
            *all.failures.entry(failure).or_default() += times;
        }
    }
    all.took = begun.elapsed();
    all.cpu = thread_cpu()?.saturating_sub(cpu);
    let messages = Rc::into_inner(messages).context("a connection still posts")?;
    Ok((all, messages))
}

async fn post_until(
    until: Instant,
    address: SocketAddr,
    mut connection: Connection,
    messages: Rc<Messages>,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    while Instant::now() < until {
        let webhook = messages.next()?;
        let begun = Instant::now();
        let failure = match connection.post(webhook).await {
            Ok(StatusCode::OK) => {
                outcome.latencies.push(begun.elapsed());
                continue;
            }
            Ok(status) => status.to_string(),
            Err(error) => {
                connection = Connection::open(address).await?;
                format!("{error:#}")
            }
        };
        *outcome.failures.entry(failure).or_default() += 1;
    }
    Ok(outcome)
}
