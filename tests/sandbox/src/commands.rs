//! The commands of `wigwag-sandbox`, for people: `dev` and `demo`, and `fetch`, which gets beforehand what they need.
//!
//! [`dev`] and [`demo`] start their parts one after the other, a `step` with its time each, and then let a person
//! `talk`: a `screen` shows what customers and businesses write while a prompt waits below. `manifests` has what they
//! read from the folder, `scene` what an example has around it, `news` what the data plane tells when that changes.

pub mod demo;
pub mod dev;
mod fetch;
mod manifests;
mod news;
mod parts;
mod scene;
mod screen;
mod steps;
mod talk;
mod transcript;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

/// How long a command may take to heed a signal.
const HEED: Duration = Duration::from_millis(300);

/// Wigwag on this machine: for development, and to see what it does.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a folder of manifests without Kubernetes, and write to it as a customer.
    Dev(dev::Args),
    /// Run all of Wigwag on a Kubernetes of its own, and watch a conversation.
    Demo(demo::Args),
    /// Get what `demo` and the tests need, once: PostgreSQL, etcd, the Kubernetes binaries, helm.
    Fetch,
}

/// Runs a command to its end, or until SIGINT or SIGTERM. Whatever it started ends with it.
///
/// # Errors
/// When a step fails, or when it was stopped before it had done what it is for.
pub async fn run(cli: Cli) -> Result<()> {
    let command = async {
        match cli.command {
            Command::Dev(args) => dev::run(args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Fetch => fetch::run().await,
        }
    };
    tokio::pin!(command);
    tokio::select! {
        done = &mut command => done,
        stopped = asked_to_stop() => {
            stopped?;
            // One that is done with what it is for heeds the signal itself.
            let heeded = timeout(HEED, command).await;
            heeded.unwrap_or_else(|_| bail!("stopped before it was done"))
        }
    }
}

/// Waits for SIGINT or SIGTERM.
async fn asked_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
