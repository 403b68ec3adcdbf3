//! The binary `wigwag-dataplane`.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use wigwag_dataplane::{
    args::{Cli, Command, Flow, Migrate},
    flow_check, serve, telemetry,
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
        Command::Flow(Flow::Check { files }) => match flow_check::run(&files, &mut std::io::stdout()) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(format!("standard output: {error}")),
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

async fn migrate_database(args: Migrate) -> Result<(), String> {
    telemetry::start(&args.log).map_err(|error| format!("--log: {error}"))?;
    let database = Database::new(&args.database_url).map_err(|error| format!("--database-url: {error}"))?;
    let mut connection = database.connect_patiently().await.map_err(|error| error.to_string())?;
    migrate::run(&mut connection).await.map_err(|error| error.to_string())
}
