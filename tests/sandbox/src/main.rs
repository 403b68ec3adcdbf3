//! The binary `wigwag-sandbox`: what `make dev` and `make demo` run.

use std::io::{Write, stderr};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use wigwag_sandbox::commands::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Before anything speaks TLS: the libraries are built without a provider of their own choosing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error,kube_client=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).init();

    match commands::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "wigwag-sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}
