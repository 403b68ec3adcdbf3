//! `wigwag-dataplane flow replay`: a conversation of the past, stepped again with the results that it got then; on the
//! revision that it ran, to see what happened, or against another, to see what an edit would have changed.
//!
//! | module | what |
//! | --- | --- |
//! | `past` | what the database keeps of a session |
//! | `steps` | its events, stepped again: pure |

mod past;
mod steps;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use uuid::Uuid;
use wigwag_crds::FlowSpec;
use wigwag_domain::SessionId;
use wigwag_flow::{Linked, Program, ResumeKey, Tenant, compile};
use wigwag_store::{PgPool, connection::Database, flow_revision, session_event::Begun, tenant_key};

use super::{
    DIFFERENT, GOOD,
    manifests::{self, Manifests},
};
use past::Past;
use steps::Replayed;

/// For an answer of the database.
const PATIENCE: Duration = Duration::from_secs(30);

/// Said with differences that may be none. Zone and languages act on texts, dates and answers without being named, so
/// that it cannot be told from the Flow.
const NO_TENANT: &str = "· no tenant was given: UTC, Spanish and no variables stood in for its own. Where the Flow uses \
                         them, give --tenant FILE: its manifest";

/// Options of `flow replay`.
#[derive(Clone, Debug, Args)]
pub struct Replay {
    /// Id of the session.
    pub session: Uuid,
    /// Run the Flows of this file instead of the revisions that the session ran: the one of its name, or the only one.
    #[arg(long)]
    pub against: Option<PathBuf>,
    /// The tenant's manifest: its time zone, languages and variables, which no revision keeps. Without it UTC, Spanish
    /// and none; one in the file of `--against` does as well.
    #[arg(long)]
    pub tenant: Option<PathBuf>,
    /// `postgres://user:password@host:5432/name`; better given by its variable, which `ps` does not show.
    #[arg(long, env = "WIGWAG_DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
}

/// Why a session cannot be stepped again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error("--database-url: {0}")]
    Database(#[from] wigwag_store::Error),
    /// There is no such session.
    #[error("there is no session {0}: `wigwag-dataplane session list` shows those that there are")]
    NoSession(SessionId),
    /// A revision's text is gone.
    #[error("revision {revision} of Flow {flow:?} is not in the database any more: name a file by --against")]
    NoRevision {
        /// The Flow.
        flow: String,
        /// The revision.
        revision: String,
    },
    /// Something stored does not read, or is gone.
    #[error("event {number}: {why}")]
    Event {
        /// The event.
        number: i32,
        /// What is wrong.
        why: String,
    },
    /// What was named cannot be read, or cannot run.
    #[error("{}", .0.join("\n"))]
    Manifests(Vec<String>),
    /// Standard output is closed.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// Steps a session again, prints what it says now beside what it said then, and returns the exit code.
///
/// # Errors
/// See [`Error`].
pub async fn run(args: &Replay, out: &mut impl Write) -> Result<u8, Error> {
    let pool = Database::new(&args.database_url)?.pool(1, PATIENCE);
    let id = SessionId(args.session);
    let past = Past::read(&pool, id).await?;
    let against = match &args.against {
        Some(file) => Some(Manifests::read(std::slice::from_ref(file)).map_err(Error::Manifests)?),
        None => None,
    };
    let programs = programs(&pool, &past.begun, against.as_ref()).await?;
    let tenant = tenant(&pool, &past.begun, args, against).await?;
    let revision = programs.root().revision();
    writeln!(out, "session {id}, Flow {:?}, revision {revision}", programs.root().name())?;
    let has_tenant = tenant.is_some();
    let replayed = steps::replay(&past, &programs, &tenant.unwrap_or_default());
    for line in &replayed.lines {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", result(&replayed, has_tenant))?;
    Ok(if replayed.differences == 0 { GOOD } else { DIFFERENT })
}

/// What came of it, in words.
fn result(replayed: &Replayed, has_tenant: bool) -> String {
    let Replayed { messages, differences, .. } = replayed;
    match (differences, has_tenant) {
        (0, _) => format!("{messages} messages, all as they were sent"),
        (_, true) => format!("{messages} messages, {differences} differences"),
        (_, false) => format!("{NO_TENANT}\n{messages} messages, {differences} differences"),
    }
}

/// The programs to step with.
async fn programs(pool: &PgPool, begun: &Begun, against: Option<&Manifests>) -> Result<Linked, Error> {
    let mut known = BTreeMap::<String, Program>::new();
    let mut problems = Vec::new();
    let others: Vec<Program> = against
        .iter()
        .flat_map(|manifests| &manifests.flows)
        .filter_map(|flow| manifests::program(flow, &mut problems))
        .collect();
    let only = (others.len() == 1).then(|| others[0].clone());
    known.extend(others.into_iter().map(|program| (program.name().to_owned(), program)));
    let root = match (against, known.get(&begun.flow).cloned().or(only)) {
        _ if !problems.is_empty() => return Err(Error::Manifests(problems)),
        (Some(_), None) => {
            let why = format!("--against: there is no Flow {:?} in the file: the session runs that one", begun.flow);
            return Err(Error::Manifests(vec![why]));
        }
        (Some(_), Some(root)) => root,
        (None, _) => stored(pool, begun, &begun.flow, &begun.revision).await?,
    };
    for pinned in &begun.pinned {
        let Some((flow, revision)) = pinned.split_once('@').filter(|(flow, _)| !known.contains_key(*flow)) else {
            continue;
        };
        known.insert(flow.to_owned(), stored(pool, begun, flow, revision).await?);
    }
    Ok(Linked::new(root, |name| known.get(name).cloned()))
}

async fn stored(pool: &PgPool, begun: &Begun, flow: &str, revision: &str) -> Result<Program, Error> {
    let spec = flow_revision::spec(pool, &begun.tenant, flow, revision).await?;
    let spec = spec.and_then(|spec| serde_json::from_str::<FlowSpec>(&spec).ok());
    let program = spec.and_then(|spec| compile(flow, revision, &spec).program);
    program.ok_or_else(|| Error::NoRevision { flow: flow.to_owned(), revision: revision.to_owned() })
}

/// What the tenant gives its conversations, as its manifest says now; none where no file has it.
async fn tenant(
    pool: &PgPool,
    begun: &Begun,
    args: &Replay,
    against: Option<Manifests>,
) -> Result<Option<Tenant>, Error> {
    let mut tenants = against.map(|manifests| manifests.tenants).unwrap_or_default();
    if let Some(file) = &args.tenant {
        let named = Manifests::read(std::slice::from_ref(file)).map_err(Error::Manifests)?.tenants;
        if named.iter().all(|tenant| tenant.key != begun.tenant) {
            let why = format!("--tenant: tenant {} is not in the file: the session is of that one", begun.tenant);
            return Err(Error::Manifests(vec![why]));
        }
        tenants = named;
    }
    let Some(manifest) = tenants.iter().find(|tenant| tenant.key == begun.tenant) else { return Ok(None) };
    // The tenant has one, if a conversation of it was ever resumed; else it does not matter which.
    let key = ResumeKey::new(tenant_key::get(pool, &begun.tenant, rand::random()).await?);
    let mut problems = Vec::new();
    let (tenant, _) = manifests::tenant(Some(manifest), key, &mut problems);
    if problems.is_empty() { Ok(Some(tenant)) } else { Err(Error::Manifests(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_without_a_tenant_tell_that_they_may_be_none() {
        let of =
            |differences, has_tenant| result(&Replayed { messages: 3, differences, ..Replayed::default() }, has_tenant);
        assert_eq!(of(1, true), "3 messages, 1 differences");
        assert_eq!(of(0, false), "3 messages, all as they were sent");
        assert!(of(1, false).contains("give --tenant FILE"), "{}", of(1, false));
    }
}
