//! The command line. Every option can be set by its `WIGWAG_` variable too.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use wigwag_crds::common::Span;

use crate::{
    flow_command::{graph::Graph, replay::Replay, simulate::Simulate},
    session_command::Session,
};

/// Wigwag's data plane: receives WhatsApp webhooks, runs conversations, sends replies.
#[derive(Debug, Parser)]
#[command(name = "wigwag-dataplane", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the tenants of a folder.
    Serve(Box<Serve>),
    /// Bring the database to this version's tables, and end.
    Migrate(Migrate),
    /// Work with Flows.
    #[command(subcommand)]
    Flow(Flow),
    /// Look at conversations, and steer them.
    Session(Box<Session>),
}

/// Options of `serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Folder with the manifests of tenants and Flows.
    #[arg(long, env = "WIGWAG_CONFIG_DIR")]
    pub config_dir: PathBuf,
    /// Folder with Secrets: each a folder of its own, each key a file in it.
    #[arg(long, env = "WIGWAG_SECRETS_DIR")]
    pub secrets_dir: PathBuf,
    /// `postgres://user:password@host:5432/name`; better given by its variable, which `ps` does not show.
    #[arg(long, env = "WIGWAG_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Address for webhooks.
    #[arg(long, env = "WIGWAG_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address for probes, metrics and `/configz`.
    #[arg(long, env = "WIGWAG_ADMIN_LISTEN", default_value = "127.0.0.1:9090")]
    pub admin_listen: SocketAddr,
    /// Name under which this process owns lanes; its own, and the same after a restart (the Pod's name).
    #[arg(long, env = "WIGWAG_REPLICA")]
    pub replica: Option<String>,
    /// How long a replica owns its lanes after its last word.
    #[arg(long, env = "WIGWAG_LANE_LEASE", default_value = "10s", value_parser = span)]
    pub lane_lease: Duration,
    /// How long a provider may take to answer a send.
    #[arg(long, env = "WIGWAG_SEND_TIMEOUT", default_value = "10s", value_parser = span)]
    pub send_timeout: Duration,
    /// How long a send without an answer holds its contact's next message.
    #[arg(long, env = "WIGWAG_UNKNOWN_HOLD", default_value = "30s", value_parser = span)]
    pub unknown_hold: Duration,
    /// How often a job may take its process down before it becomes a dead letter.
    #[arg(long, env = "WIGWAG_MAX_ATTEMPTS", default_value_t = 5)]
    pub max_attempts: i16,
    /// Leave the tables as they are; somebody else runs `migrate`.
    #[arg(long, env = "WIGWAG_NO_MIGRATE")]
    pub no_migrate: bool,
    /// How to write the log.
    #[command(flatten)]
    pub log: Log,
}

/// Options of `migrate`.
#[derive(Clone, Debug, Args)]
pub struct Migrate {
    /// `postgres://user:password@host:5432/name`
    #[arg(long, env = "WIGWAG_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// How to write the log.
    #[command(flatten)]
    pub log: Log,
}

/// Commands about Flows.
#[derive(Debug, Subcommand)]
pub enum Flow {
    /// Check Flows in files; ends with 1 where one cannot run, with 2 where a file cannot be read.
    Check {
        /// How to tell what was found.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
        /// Files with manifests.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Talk with Flows in the terminal, offline; or play a script, and end with 1 where the conversation goes otherwise.
    Simulate(Simulate),
    /// Draw Flows as a Mermaid diagram.
    Graph(Graph),
    /// Step a session of the past again; ends with 1 where it says something else now.
    Replay(Replay),
}

/// Forms of what a command finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A line for each finding: file, line, what is wrong, and what to write instead.
    Text,
    /// One JSON object.
    Json,
}

/// How to write the log.
#[derive(Clone, Debug, Args)]
pub struct Log {
    /// One JSON object a line, or text for people.
    #[arg(long, env = "WIGWAG_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What to log: a level, or `target=level` pairs joined by commas.
    #[arg(long, env = "WIGWAG_LOG", default_value = "info")]
    pub log: String,
}

/// Forms of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

fn span(text: &str) -> Result<Duration, String> {
    // Parts of a second are for tests; people write spans as manifests do.
    if let Some(millis) = text.strip_suffix("ms") {
        return millis.parse().map(Duration::from_millis).map_err(|_| format!("{text:?} is no number of milliseconds"));
    }
    Span::from_str(text).map(Span::duration).map_err(|bad| bad.to_string())
}
