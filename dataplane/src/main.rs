//! The binary `wigwag-dataplane`.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use wigwag_dataplane::{
    args::{Cli, Command, Flow, Migrate},
    flow_check,
    flow_command::{
        UNREADABLE, graph, replay,
        simulate::{self, Terminal},
    },
    serve, session_command, telemetry,
};
use wigwag_store::{connection::Database, migrate};

#[tokio::main]
async fn main() -> ExitCode {
    // Before anything speaks TLS: the libraries are built without a provider of their own choosing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = match Cli::parse().command {
        Command::Serve(args) => match telemetry::start(&args.log) {
            Ok(()) => serve::serve(*args).await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("--log: {error}")),
        },
        Command::Migrate(args) => migrate_database(args).await,
        Command::Flow(flow) => match work_with_flows(flow).await {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Session(session) => {
            session_command::run(&session, &mut std::io::stdout()).await.map_err(|error| error.to_string())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "wigwag-dataplane: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command about Flows; what it finds is its exit code.
async fn work_with_flows(flow: Flow) -> Result<u8, String> {
    let out = &mut std::io::stdout();
    let closed = |error: std::io::Error| format!("standard output: {error}");
    match flow {
        Flow::Check { output, files } => flow_check::run(&files, output, out).map_err(closed),
        Flow::Simulate(args) => simulate::run(&args, &mut Terminal::standard()).map_err(|error| error.to_string()),
        Flow::Graph(args) => graph::run(&args, out).await.map_err(closed),
        Flow::Replay(args) => match replay::run(&args, out).await {
            Ok(code) => Ok(code),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "wigwag-dataplane: {error}");
                Ok(UNREADABLE)
            }
        },
    }
}

async fn migrate_database(args: Migrate) -> Result<(), String> {
    telemetry::start(&args.log).map_err(|error| format!("--log: {error}"))?;
    let database = Database::new(&args.database_url).map_err(|error| format!("--database-url: {error}"))?;
    let mut connection = database.connect_patiently().await.map_err(|error| error.to_string())?;
    migrate::run(&mut connection).await.map_err(|error| error.to_string())
}
