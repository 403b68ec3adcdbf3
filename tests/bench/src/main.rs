//! `make bench`: the data plane beside the plain way, on one machine, in one run.
//!
//! | module | what |
//! | --- | --- |
//! | [`ingest`] | the comparison: rounds in turn |
//! | [`conversation`] | beside it: from a webhook to the answer that the provider took |
//! | [`engine`] | beside it: steps of conversations, without a database: `engine` |
//! | [`timers`] | beside it: the same while ten thousand timers go off |
//! | [`idle`] | beside it: memory of an idle data plane |
//! | [`operator`] | memory of the operator with many tenants: `operator-memory` |
//! | [`plain`] | the other contestant |
//! | [`bed`], [`binaries`], [`tenant`] | what a measurement begins with |
//! | [`load`], [`message`] | the generator, and what it posts |
//! | [`meter`], [`process`], [`machine`], [`latency`] | what is measured |
//! | [`report`] | what people read |
//!
//! Absolute figures belong to the machine and its disk; what can be compared is the ratio within one run.

mod bed;
mod binaries;
mod conversation;
mod engine;
mod idle;
mod ingest;
mod latency;
mod load;
mod machine;
mod message;
mod meter;
mod operator;
mod plain;
mod process;
mod report;
mod tenant;
mod timers;

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use bed::{Bed, Side};
use ingest::Workload;

/// Measures the data plane beside the plain way of doing the same.
#[derive(Debug, Parser)]
#[command(name = "wigwag-bench", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks the plain way: the run starts this itself.
    #[command(hide = true)]
    Plain(plain::Serve),
    /// Measure the flow engine alone.
    Engine,
    /// Measure the operator's memory with many tenants, on a control plane of its own.
    OperatorMemory(operator::Plan),
}

/// How much of it.
#[derive(Debug, Args)]
struct Run {
    /// Rounds of each contestant.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of a round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Connections, each with one webhook in flight.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Contacts that write in turn; 0: each message is of a new one.
    #[arg(long, default_value_t = 1000)]
    contacts: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    // Before anything speaks TLS: the libraries are built without a provider of their own choosing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Cli { command, run } = Cli::parse();
    match command {
        Some(Command::Plain(serve)) => plain::serve(serve).await,
        Some(Command::OperatorMemory(plan)) => say(&report::operator(&operator::run(plan).await?)),
        Some(Command::Engine) => say(&report::engine(&engine::run()?)),
        None => compare(run).await,
    }
}

async fn compare(run: Run) -> Result<()> {
    let span = Duration::from_secs(run.seconds);
    let workload = Workload { connections: run.connections, contacts: run.contacts, span };
    if !binaries::is_release() {
        say("A debug build: its figures mean nothing. `make bench` takes a release build.\n")?;
    }
    let bed = Bed::make().await?;
    say(&report::introduction(&workload, run.rounds))?;
    say(&report::round_heading())?;
    let mut rounds = Vec::new();
    for number in 1..=run.rounds {
        for side in [Side::Wigwag, Side::Plain] {
            let round = ingest::round(&bed, side, workload).await?;
            say(&report::round(number, &round))?;
            rounds.push(round);
        }
    }
    let of = |side| rounds.iter().filter(|round| round.side == side).collect::<Vec<_>>();
    say(&format!("\n{}", report::comparison(&of(Side::Wigwag), &of(Side::Plain))))?;

    say(&report::conversation_heading())?;
    for (at_once, with_timers) in [(1, false), (16, false), (16, true)] {
        say(&report::conversations(&conversation::run(&bed, at_once, span, with_timers).await?))?;
    }
    say(&format!("\nThe data plane when idle: {}", report::idle(&idle::dataplane(&bed).await?)))
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{line}")?)
}
