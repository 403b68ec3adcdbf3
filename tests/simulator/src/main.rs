//! The simulator as a process: numbers and faults from the command line, everything else over `/sim/*`.
//! Prints its Graph URL as the first line, then one line for each message, receipt and refused call.

use std::{
    collections::HashMap,
    io::{Write as _, stdout},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;
use tokio::sync::broadcast::error::RecvError;
use tracing_subscriber::EnvFilter;
use wigwag_simulator::{Event, Number, Receipts, Rule, SendFault, Settings, Simulator, WebhookFault};

/// Meta's WhatsApp Cloud API on this machine, for tests and development.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 lets the operating system choose.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A number: phone_number_id=ID,token=TOKEN,secret=APP_SECRET,verify=VERIFY_TOKEN,webhook=URL[,display=DIGITS][,waba=ID].
    #[arg(long)]
    number: Vec<Number>,
    /// Posts webhooks for HOST to this address, whatever DNS says; repeat it for several replicas.
    #[arg(long, value_name = "HOST=ADDRESS:PORT", value_parser = host_and_address)]
    connect: Vec<(String, SocketAddr)>,
    /// Which receipts follow a send: none, sent or all.
    #[arg(long, default_value = "all", value_parser = receipts)]
    receipts: Receipts,
    /// Seed of the fault probabilities below.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Probability that a webhook is posted twice at once.
    #[arg(long, default_value_t = 0.0)]
    duplicate: f64,
    /// Probability that a webhook is overtaken by a later one.
    #[arg(long, default_value_t = 0.0)]
    reorder: f64,
    /// Probability that a webhook comes half a second late.
    #[arg(long, default_value_t = 0.0)]
    delay: f64,
    /// Probability that a webhook waits 100 ms for others to be batched with.
    #[arg(long, default_value_t = 0.0)]
    batch: f64,
    /// Probability that a webhook is never posted.
    #[arg(long, default_value_t = 0.0)]
    drop: f64,
    /// Probability that a send is answered 429 with Retry-After: 1.
    #[arg(long, default_value_t = 0.0)]
    throttle: f64,
    /// Probability that a send is answered 500 without a Graph error.
    #[arg(long, default_value_t = 0.0)]
    server_error: f64,
    /// Probability that a send is never answered, and not accepted.
    #[arg(long, default_value_t = 0.0)]
    hang: f64,
    /// Probability that a send is accepted and its connection closed without an answer.
    #[arg(long, default_value_t = 0.0)]
    accept_and_close: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();

    let mut connect: HashMap<_, Vec<_>> = HashMap::new();
    for (host, address) in &args.connect {
        connect.entry(host.clone()).or_default().push(*address);
    }
    let settings = Settings {
        listen: args.listen,
        numbers: args.number.clone(),
        connect,
        receipts: args.receipts,
        seed: args.seed,
        ..Settings::default()
    };
    let simulator = Simulator::start(settings).await?;
    add_faults(&simulator, &args);

    let mut events = simulator.events();
    let stop = asked_to_stop();
    tokio::pin!(stop);
    writeln!(stdout(), "{}", simulator.graph_url())?;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => writeln!(stdout(), "{}", line(&event))?,
                Err(RecvError::Lagged(missed)) => writeln!(stdout(), "({missed} lines left out)")?,
                Err(RecvError::Closed) => break,
            },
            () = &mut stop => break,
        }
    }
    // A held answer or a webhook in retry must not keep the process.
    let _ = tokio::time::timeout(Duration::from_secs(2), simulator.stop()).await;
    Ok(())
}

fn add_faults(simulator: &Simulator, args: &Args) {
    let webhook_faults = [
        (args.duplicate, WebhookFault::Duplicate { copies: 2 }),
        (args.reorder, WebhookFault::Reorder),
        (args.delay, WebhookFault::Delay { ms: 500 }),
        (args.batch, WebhookFault::Batch { window_ms: 100, entries: 2 }),
        (args.drop, WebhookFault::Drop),
    ];
    for (probability, fault) in webhook_faults.into_iter().filter(|(p, _)| *p > 0.0) {
        simulator.disturb_messages(Rule::sometimes(probability, fault.clone()));
        simulator.disturb_statuses(Rule::sometimes(probability, fault));
    }
    let send_faults = [
        (args.throttle, SendFault::throttle(1)),
        (args.server_error, SendFault::server_error()),
        (args.hang, SendFault::Hang),
        (args.accept_and_close, SendFault::AcceptAndClose),
    ];
    for (probability, fault) in send_faults.into_iter().filter(|(p, _)| *p > 0.0) {
        simulator.fail_sends(Rule::sometimes(probability, fault));
    }
}

fn line(event: &Event) -> String {
    match event {
        Event::CustomerMessage { name, customer, text, .. } => format!("{name} ({customer}): {text}"),
        Event::BotMessage { customer, text, .. } => format!("-> {customer}: {text}"),
        Event::Receipt { customer, status, answered, .. } => match answered {
            Some(200) => format!("   {customer}: {status}"),
            Some(other) => format!("   {customer}: {status} (webhook answered {other})"),
            None => format!("   {customer}: {status} (webhook did not answer)"),
        },
        Event::Refused { phone_number_id, reason } => format!("refused a send through {phone_number_id}: {reason}"),
    }
}

async fn asked_to_stop() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn host_and_address(text: &str) -> anyhow::Result<(String, SocketAddr)> {
    let (host, address) = text.split_once('=').context("write HOST=ADDRESS:PORT")?;
    Ok((host.to_owned(), address.parse().with_context(|| format!("{address:?} is not ADDRESS:PORT"))?))
}

fn receipts(text: &str) -> anyhow::Result<Receipts> {
    serde_json::from_value(text.into()).context("write none, sent or all")
}
