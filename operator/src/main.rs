//! The operator's process: TLS provider, arguments, log, run. Everything else is in the library.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use wigwag_operator::{args::Args, run};

#[tokio::main]
async fn main() -> ExitCode {
    // reqwest, kube and rustls all look for the process-wide provider; the first to ask without one panics.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return fail("another TLS provider is installed already");
    }
    let args = Args::parse();
    args.log.install();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

fn fail(error: impl std::fmt::Display) -> ExitCode {
    tracing::error!(%error, "the operator ends");
    // The log may be filtered away; the cause of an exit must not be. Nothing is left to do where stderr is closed.
    let _ = writeln!(std::io::stderr(), "wigwag-operator: {error}");
    ExitCode::FAILURE
}
