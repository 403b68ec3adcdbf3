//! From a webhook to the answer that the provider took: customers of the quickstart's Flow, each in a conversation of
//! three turns, one after the other. A turn is a message in, a message out, and its three receipts.
//!
//! The provider is the simulator, inside this process. A number carries 1,000 messages a second at the most, in and out
//! together, so there are never more than 500 turns a second; and one person gets 45 messages at once, so every
//! conversation is a new person's.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::StatusCode;
use sqlx::{Connection, PgConnection};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use wigwag_sandbox::eventually;
use wigwag_simulator::{Event, Number, Settings, Simulator};

use crate::bed::{Bed, Side};
use crate::latency::Latencies;
use crate::load;
use crate::message::{Signer, body, phone};
use crate::meter::{Cost, Meter};
use crate::tenant::{self, ACCESS_TOKEN, APP_SECRET, HOST, NUMBER, VERIFY_TOKEN, WEBHOOK};
use crate::timers::{self, Fired};

/// What a customer writes; the Flow answers each with one message.
const TURNS: [&str; 3] = ["hola", "Comprar", "Novela"];
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// Of what grows, not of the queues.
const STATISTICS: &str = "ANALYZE contact, contact_identity, inbound, dedupe, session, outbound";

/// What came of it.
#[derive(Debug)]
pub struct Conversations {
    /// Conversations at once.
    pub at_once: usize,
    /// Turns that were answered.
    pub turns: usize,
    /// From the first message to the last answer.
    pub took: Duration,
    /// Half of the answers were accepted within this after the webhook was posted.
    pub p50: Duration,
    /// 99 of 100 were.
    pub p99: Duration,
    /// What it cost, receipts included.
    pub cost: Cost,
    /// Messages of ours whose last receipt (`read`) is in the database.
    pub read: i64,
    /// Lines of the data plane's log that warn of something.
    pub warnings: Vec<String>,
    /// The timers that went off meanwhile, if there were any.
    pub timers: Option<Fired>,
}

/// Who waits for an answer to which phone.
#[derive(Debug, Default, Clone)]
struct Waiting(Arc<Mutex<HashMap<String, oneshot::Sender<Instant>>>>);

/// Holds so many conversations at once for `span`; `with_timers`: while ten thousand timers go off in the middle of it.
///
/// # Errors
/// When a message is not answered within 10 s, or not all is settled in the end.
pub async fn run(bed: &Bed, at_once: usize, span: Duration, with_timers: bool) -> Result<Conversations> {
    let simulator = simulator().await?;
    let folder = bed.folder().join("conversations");
    let flow = fs::read_to_string(quickstart().join("flow.yaml")).context("the quickstart's Flow")?;
    tenant::write(&folder, &simulator.graph_url(), &flow)?;
    timers::write_flow(&folder)?;
    let database = bed.database().await?;
    let dataplane = bed.start(Side::Wigwag, &database, &folder).await?;
    simulator.connect(HOST, &[dataplane.address]);
    let mut connection = PgConnection::connect(&database.url()).await?;

    let waiting = Waiting::default();
    let listener = tokio::spawn(waiting.clone().listen(simulator.events()));
    let people = Arc::new(AtomicU64::new(0));
    // Connections are opened, statements are prepared.
    converse(dataplane.address, at_once, Duration::from_secs(1), &waiting, &people).await?;
    settled(&mut connection).await?;
    sqlx::query(STATISTICS).execute(&mut connection).await?;

    if with_timers {
        timers::plant(&mut connection, span.as_secs_f64() / 3.0).await?;
    }
    let (meter, begun) = (Meter::begin(bed, &dataplane)?, Instant::now());
    let mut latencies = converse(dataplane.address, at_once, span, &waiting, &people).await?;
    let took = begun.elapsed();
    let read = settled(&mut connection).await?;
    let timers = if with_timers { Some(timers::fired(&mut connection).await?) } else { None };
    let cost = meter.end()?;

    let sent = simulator.ledger().sends.len();
    ensure!(i64::try_from(sent)? == read, "{sent} messages were accepted, and {read} are read in the database");
    listener.abort();
    connection.close().await?;
    let warnings = dataplane.end().await?;
    let (p50, p99) = (latencies.percentile(50.0), latencies.percentile(99.0));
    Ok(Conversations { at_once, turns: latencies.len(), took, p50, p99, cost, read, warnings, timers })
}

/// The folder with the quickstart's manifests.
#[must_use]
pub fn quickstart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart")
}

async fn simulator() -> Result<Simulator> {
    let number = Number {
        access_tokens: vec![ACCESS_TOKEN.to_owned()],
        app_secret: APP_SECRET.to_owned(),
        verify_token: VERIFY_TOKEN.to_owned(),
        ..Number::new(NUMBER, format!("http://{HOST}{WEBHOOK}"))
    };
    Simulator::start(Settings { numbers: vec![number], ..Settings::default() }).await
}

async fn converse(
    address: std::net::SocketAddr,
    at_once: usize,
    span: Duration,
    waiting: &Waiting,
    people: &Arc<AtomicU64>,
) -> Result<Latencies> {
    let until = Instant::now() + span;
    let mut customers = JoinSet::new();
    for _ in 0..at_once {
        customers.spawn(customers_in_turn(address, until, waiting.clone(), people.clone()));
    }
    let mut all = Latencies::default();
    while let Some(customer) = customers.join_next().await {
        customer??.into_iter().for_each(|latency| all.push(latency));
    }
    Ok(all)
}

/// One customer after the other, each with a whole conversation.
async fn customers_in_turn(
    address: std::net::SocketAddr,
    until: Instant,
    waiting: Waiting,
    people: Arc<AtomicU64>,
) -> Result<Vec<Duration>> {
    let signer = Signer::new()?;
    let mut connection = load::Connection::open(address).await?;
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let person = people.fetch_add(1, Ordering::Relaxed);
        for (turn, text) in (0..).zip(TURNS) {
            let answer = waiting.answer_to(&phone(person));
            let begun = Instant::now();
            let status = connection.post(signer.sign(body(person * 10 + turn, person, text))?).await?;
            ensure!(status == StatusCode::OK, "a message was answered {status}");
            let accepted =
                timeout(ANSWERED_WITHIN, answer).await.context("no answer to the customer within 10 s")??;
            latencies.push(accepted - begun);
        }
    }
    Ok(latencies)
}

/// Waits until every message of ours has its last receipt, and counts them.
async fn settled(connection: &mut PgConnection) -> Result<i64> {
    eventually::until(SETTLED_WITHIN, "every message of ours is read", async || {
        let (read, all): (i64, i64) =
            sqlx::query_as("SELECT count(*) FILTER (WHERE status = 'read'), count(*) FROM outbound")
                .fetch_one(&mut *connection)
                .await?;
        ensure!(read == all, "{read} of {all}");
        Ok(read)
    })
    .await
}

impl Waiting {
    fn answer_to(&self, phone: &str) -> oneshot::Receiver<Instant> {
        let (tell, answer) = oneshot::channel();
        self.lock().insert(phone.to_owned(), tell);
        answer
    }

    /// Tells customers of the answers that the provider took.
    async fn listen(self, mut events: broadcast::Receiver<Event>) {
        // Events that were missed are answers that never come: their customers say so.
        while let Ok(event) = events.recv().await {
            let Event::BotMessage { customer, .. } = event else { continue };
            if let Some(tell) = self.lock().remove(&customer) {
                let _ = tell.send(Instant::now());
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
