//! `wigwag-dataplane session …`: conversations looked at and steered from a terminal, over the same API as programs use.

mod advice;
mod client;
mod print;

use std::io::{self, Write};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use url::Url;

use crate::tls::NoTls;
use client::Client;

/// Options of `session`.
#[derive(Debug, Args)]
pub struct Session {
    /// Where the data plane listens; `https://HOST` of the tenant from outside.
    #[arg(long, env = "WIGWAG_URL", default_value = "http://127.0.0.1:8080", global = true)]
    pub url: Url,
    /// A token of the tenant's API; better given by its variable, which `ps` does not show.
    #[arg(long, env = "WIGWAG_TOKEN", hide_env_values = true, global = true)]
    pub token: Option<String>,
    /// The tenant, where neither the URL's host nor being alone says which one.
    #[arg(long, env = "WIGWAG_TENANT", global = true)]
    pub tenant: Option<String>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Output::Text, global = true)]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// The answer as it came.
    Json,
    /// Text for people.
    Text,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum What {
    /// List sessions, newest first.
    List {
        /// Of this contact: id, phone or business-scoped user id.
        #[arg(long)]
        contact: Option<String>,
        /// Of this Flow.
        #[arg(long)]
        flow: Option<String>,
        /// Of this revision.
        #[arg(long)]
        revision: Option<String>,
        /// Active, Paused, Completed or Errored.
        #[arg(long)]
        status: Option<String>,
        /// At most so many; up to 200.
        #[arg(long, default_value_t = 50)]
        limit: u8,
        /// Older than this session.
        #[arg(long)]
        before: Option<String>,
    },
    /// Show a session: where it stands, its variables, what was said.
    Show {
        /// Its id.
        session: String,
    },
    /// End a session, or all open sessions of a Flow.
    #[command(group = ArgGroup::new("which").args(["session", "flow"]).required(true))]
    End {
        /// Its id.
        session: Option<String>,
        /// All open sessions of this Flow.
        #[arg(long)]
        flow: Option<String>,
        /// Only those of this revision.
        #[arg(long, requires = "flow", conflicts_with = "session")]
        revision: Option<String>,
    },
    /// Begin a session anew, on the newest revision of its Flow.
    Restart {
        /// Its id.
        session: String,
    },
    /// Move a session to another node.
    Move {
        /// Its id.
        session: String,
        /// The node's name.
        node: String,
    },
    /// Release a session that is with people.
    Release {
        /// Its id.
        session: String,
        /// Where it goes on: `next`, `end`, or the name of a node.
        #[arg(long, default_value = "next")]
        to: String,
        /// Variables that it gets; each value is JSON, and text where it is none.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = variable)]
        variables: Vec<(String, Value)>,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody said who asks.
    #[error("there is no token: put one of the tenant's API into WIGWAG_TOKEN")]
    NoToken,
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] NoTls),
    /// Nobody answered.
    #[error("{url}: {why}: is it the data plane's address? Give it by --url")]
    Unreachable {
        /// Where.
        url: Url,
        /// Why.
        why: String,
    },
    /// The data plane refused.
    #[error("{message} ({code}, request {request})")]
    Refused {
        /// What was wrong.
        message: String,
        /// The word for it.
        code: String,
        /// The id under which its log knows the request.
        request: String,
        /// Facts for programs.
        details: Box<Value>,
    },
    /// The data plane refused, and there is another way.
    #[error("{refused}\n{advice}")]
    Advised {
        /// How it refused.
        refused: Box<Self>,
        /// What to do next.
        advice: String,
    },
    /// Somebody answered who is not the data plane.
    #[error("{url} answered {status} and no JSON: is it the data plane's address? Give it by --url")]
    Foreign {
        /// Where.
        url: Url,
        /// With which status.
        status: http::StatusCode,
    },
    /// Standard output is closed.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// Asks the data plane and prints its answer.
///
/// # Errors
/// See [`Error`].
pub async fn run(session: &Session, out: &mut impl Write) -> Result<(), Error> {
    let client = Client::new(session)?;
    let answer = ask(&client, &session.what).await.map_err(|error| advice::with(&session.what, error))?;
    match session.output {
        Output::Json => writeln!(out, "{answer:#}")?,
        Output::Text => out.write_all(text(&session.what, &answer).as_bytes())?,
    }
    Ok(())
}

async fn ask(client: &Client, what: &What) -> Result<Value, Error> {
    let one = |session: &str, verb: &str| vec!["sessions".to_owned(), session.to_owned(), verb.to_owned()];
    match what {
        What::List { contact, flow, revision, status, limit, before } => {
            let limit = Some(limit.to_string());
            let query = [
                ("contact", contact),
                ("flow", flow),
                ("revision", revision),
                ("status", status),
                ("limit", &limit),
                ("before", before),
            ];
            client.get(&["sessions".to_owned()], &query).await
        }
        What::Show { session } => client.get(&["sessions".to_owned(), session.clone()], &[]).await,
        What::End { flow: Some(flow), revision, .. } => {
            let path = ["flows".to_owned(), flow.clone(), "sessions".to_owned(), "end".to_owned()];
            client.post(&path, &[("revision", revision)], &Value::Null).await
        }
        What::End { session, .. } => {
            client.post(&one(session.as_deref().unwrap_or_default(), "end"), &[], &Value::Null).await
        }
        What::Restart { session } => client.post(&one(session, "restart"), &[], &Value::Null).await,
        What::Move { session, node } => client.post(&one(session, "move"), &[], &json!({"node": node})).await,
        What::Release { session, to, variables } => {
            let variables: Map<String, Value> = variables.iter().cloned().collect();
            client.post(&one(session, "release"), &[], &json!({"to": to, "variables": variables})).await
        }
    }
}

fn text(what: &What, answer: &Value) -> String {
    match what {
        What::List { .. } => print::list(answer),
        What::Show { .. } => print::show(answer),
        What::End { flow: Some(_), .. } => format!("accepted: {} sessions end\n", answer["sessions"]),
        What::End { .. } => "accepted: it ends\n".to_owned(),
        What::Restart { .. } => "accepted: it begins anew\n".to_owned(),
        What::Move { node, .. } => format!("accepted: it goes to {node}\n"),
        What::Release { to, .. } if to == "end" => "accepted: it ends\n".to_owned(),
        What::Release { to, .. } if to == "next" => "accepted: it goes on\n".to_owned(),
        What::Release { to, .. } => format!("accepted: it goes on at {to}\n"),
    }
}

fn variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;

    #[test]
    fn a_variables_value_is_json_and_text_where_it_is_none() {
        assert_eq!(variable("total=12.5").unwrap(), ("total".to_owned(), json!(12.5)));
        assert_eq!(variable("plan=gold").unwrap(), ("plan".to_owned(), json!("gold")));
        assert_eq!(variable("note=a=b").unwrap(), ("note".to_owned(), json!("a=b")));
        assert!(variable("total").is_err());
    }
    #[test]
    fn what_is_to_end_is_a_session_or_a_flow() {
        #[derive(Debug, Parser)]
        struct Cli {
            #[command(subcommand)]
            what: What,
        }
        let read = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.what);
        assert!(matches!(read("session end s-1"), Ok(What::End { session: Some(_), flow: None, .. })));
        assert!(matches!(
            read("session end --flow f --revision r"),
            Ok(What::End { session: None, revision: Some(_), .. })
        ));
        let refused = read("session end").unwrap_err().to_string();
        assert!(refused.contains("--flow <FLOW>"), "{refused}");
        assert!(read("session end s-1 --flow f").is_err());
        assert!(read("session end s-1 --revision r").is_err());
    }
}
