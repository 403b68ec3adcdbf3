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

/// Exit code where nobody reads on (`| head`): that of programs which SIGPIPE ends. What was not written may have said
/// that something is wrong.
const UNREAD: u8 = 128 + 13;

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
        Command::Session(session) => match session_command::run(&session, &mut std::io::stdout()).await {
            Err(session_command::Error::Output(error)) if is_unread(&error) => return ExitCode::from(UNREAD),
            done => done.map_err(|error| error.to_string()),
        },
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
    let done = match flow {
        Flow::Check { output, files } => flow_check::run(&files, output, out),
        Flow::Simulate(args) => simulate::run(&args, &mut Terminal::standard()),
        Flow::Graph(args) => graph::run(&args, out).await,
        Flow::Replay(args) => match replay::run(&args, out).await {
            Ok(code) => Ok(code),
            Err(replay::Error::Output(error)) => Err(error),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "wigwag-dataplane: {error}");
                Ok(UNREADABLE)
            }
        },
    };
    match done {
        Err(error) if is_unread(&error) => Ok(UNREAD),
        done => done.map_err(|error| format!("standard output: {error}")),
    }
}

/// Whether whoever read the output has gone.
fn is_unread(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::BrokenPipe
}

async fn migrate_database(args: Migrate) -> Result<(), String> {
    telemetry::start(&args.log).map_err(|error| format!("--log: {error}"))?;
    let database = Database::new(&args.database_url).map_err(|error| format!("--database-url: {error}"))?;
    let mut connection = database.connect_patiently().await.map_err(|error| error.to_string())?;
    migrate::run(&mut connection).await.map_err(|error| error.to_string())
}
