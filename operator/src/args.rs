//! What the operator can be told: flags, each with its environment variable. The chart sets the variables.

use std::io::IsTerminal;

use clap::{Args as ClapArgs, Parser, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt};
use wigwag_crds::common::Span;

/// Reconciles WhatsAppTenants and Flows.
#[derive(Clone, Debug, Parser)]
#[command(name = "wigwag-operator", version)]
pub struct Args {
    /// Namespace of the operator itself; its Lease stands there.
    #[arg(long, env = "WIGWAG_NAMESPACE", default_value = "default")]
    pub namespace: String,

    /// Name under which this process holds the Lease, unique among the operator's replicas: the Pod's name.
    #[arg(long, env = "WIGWAG_IDENTITY", default_value_t = random_identity())]
    pub identity: String,

    /// Namespaces whose tenants and Flows are looked after, separated by commas; empty means all.
    #[arg(long, env = "WIGWAG_WATCH_NAMESPACES", value_delimiter = ',', num_args = 0..)]
    pub watch_namespaces: Vec<String>,

    /// Image of the data plane.
    #[arg(long, env = "WIGWAG_DATAPLANE_IMAGE")]
    pub dataplane_image: String,

    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "WIGWAG_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: String,

    /// How long another replica waits after the leader's last sign of life before it takes over. Whole seconds, at
    /// least 2s. The leader itself gives up after two thirds of it.
    #[arg(long, env = "WIGWAG_LEASE_DURATION", default_value = "15s", value_parser = lease_duration)]
    pub lease_duration: Span,

    /// How the log is written.
    #[command(flatten)]
    pub log: Log,
}

/// How the log is written.
#[derive(Clone, Debug, ClapArgs)]
pub struct Log {
    /// Form of the log's lines.
    #[arg(long, env = "WIGWAG_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What is logged: a level, or levels by module (`info,wigwag_operator=debug`).
    #[arg(long, env = "WIGWAG_LOG", default_value = "info,kube_runtime=warn,kube_client=off")]
    pub log: String,
}

/// Form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Args {
    /// The namespaces to watch; one `None` stands for all of them.
    #[must_use]
    pub fn scopes(&self) -> Vec<Option<String>> {
        let mut named: Vec<_> =
            self.watch_namespaces.iter().map(|name| name.trim()).filter(|n| !n.is_empty()).collect();
        named.sort_unstable();
        named.dedup();
        if named.is_empty() { vec![None] } else { named.into_iter().map(|name| Some(name.to_owned())).collect() }
    }
}

impl Log {
    /// Starts the log on stderr; a filter that does not parse falls back to `info`.
    pub fn install(&self) {
        let filter = EnvFilter::try_new(&self.log).unwrap_or_else(|_| EnvFilter::new("info"));
        let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
        match self.log_format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
    }
}

fn lease_duration(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error| format!("{error}"))?;
    if (2..=3_600).contains(&span.duration().as_secs()) {
        Ok(span)
    } else {
        Err("a lease lasts from 2s to 1h: write for example \"15s\"".to_owned())
    }
}

fn random_identity() -> String {
    format!("wigwag-operator-{:08x}", rand::random::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from(["wigwag-operator", "--dataplane-image", "image"].iter().chain(args))
    }

    #[test]
    fn no_namespace_means_all_and_repeated_ones_count_once() {
        assert_eq!(parse(&[]).expect("args").scopes(), [None]);
        assert_eq!(parse(&["--watch-namespaces", ""]).expect("args").scopes(), [None]);
        let scopes = parse(&["--watch-namespaces", "b, a,b"]).expect("args").scopes();
        assert_eq!(scopes, [Some("a".to_owned()), Some("b".to_owned())]);
    }

    #[test]
    fn a_lease_that_is_too_short_to_be_renewed_is_refused() {
        assert!(parse(&["--lease-duration", "1s"]).is_err());
        assert!(parse(&["--lease-duration", "2s"]).is_ok());
    }
}
