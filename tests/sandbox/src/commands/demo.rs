//! `wigwag-sandbox demo`: all of Wigwag on a Kubernetes of its own, from `helm install` to a read receipt.
//!
//! [`cluster`] does what a platform team does, with the real helm and kubectl; [`conversation`] what a customer does.
//! Each step is printed when it held. The first that does not ends the demo, with its cause and the ends of the logs.

mod cluster;
mod conversation;
mod failure;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use wigwag_simulator::Simulator;

use self::cluster::Cluster;
use super::manifests::{self, Account};
use super::news::News;
use super::parts;
use super::screen::{Notes, Screen};
use super::steps::{say, say_indented};
use super::talk::{NAME, curl, talk};
use crate::Sandbox;
use crate::postgres::Database;

/// What is applied.
const QUICKSTART: &str = "examples/quickstart";
/// What is installed.
const CHART: &str = "charts/wigwag";

/// Options of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with the quickstart's manifests, if they are not to be those of the source tree: say, with the simulator on
    /// another port.
    folder: Option<PathBuf>,
    /// End after the conversation: with 0 only if every step held.
    #[arg(long)]
    once: bool,
}

/// Plays the demo; unless it is to end then, stays up until SIGINT, SIGTERM or the end of the input.
///
/// # Errors
/// When a step does not hold.
pub(super) async fn run(args: Args) -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "the demo needs Linux: its Pods are processes, each with an address of 127.0.0.0/8. `make dev` runs here, and \
         does the same without Kubernetes"
    );
    let mut sandbox = Sandbox::empty()?;
    // Not in the play, with whose end it would go: the logs of a failed step are to end with the failure.
    let mut database = None;
    let played = play(&mut sandbox, &mut database, &args).await;
    if played.is_err() {
        // That it cannot be told is no news beside what is to be told.
        let _ = failure::report(&sandbox);
    }
    played
}

async fn play(sandbox: &mut Sandbox, database: &mut Option<Database>, args: &Args) -> Result<()> {
    let manifests = args.folder.clone().map_or_else(|| from_root(QUICKSTART), Ok)?;
    let folder = args.folder.as_ref().map_or_else(|| QUICKSTART.to_owned(), |folder| folder.display().to_string());
    let found = manifests::find(&manifests)?;
    let images = ["wigwag-operator", "wigwag-dataplane"].map(|name| Ok((name.to_owned(), parts::binary(name)?)));
    let images = images.into_iter().collect::<Result<_>>()?;

    let simulator = parts::start_simulator(&found, &folder).await?;
    let account = found.accounts.first().context("no account")?;
    parts::start_postgres(sandbox).await?;
    let cluster = Cluster::start(sandbox, images).await?;
    let database = database.insert(sandbox.postgres()?.databases().create("demo").await?);
    cluster.install(sandbox, &from_root(CHART)?).await?;
    cluster.create_database_secret(sandbox, account, database).await?;
    cluster.apply(&manifests, &folder).await?;
    cluster.wait_until_ready().await?;
    cluster.route(sandbox, &simulator, account).await?;

    let (mut screen, notes) = Screen::new(&simulator, &found.accounts, NAME);
    conversation::first(&simulator, account, &mut screen).await?;
    conversation::all_is_read(database).await?;
    cluster.edit_flow().await?;
    conversation::second(&simulator, account, &mut screen).await?;
    conversation::all_is_read(database).await?;
    cluster.show().await?;
    if args.once {
        return say("\n  Every step held.");
    }
    stay(sandbox, &cluster, &simulator, account, database, screen, notes).await
}

/// What can be done now, and a prompt to do it.
async fn stay(
    sandbox: &Sandbox,
    cluster: &Cluster,
    simulator: &Simulator,
    account: &Account,
    database: &Database,
    screen: Screen,
    notes: Notes,
) -> Result<()> {
    let (operator, dataplane) = (cluster.operator().await?, cluster.dataplane(account).await?);
    let kubectl = cluster.kubectl().await?;
    say_indented(&format!(
        "
It stays up. You are {NAME} and write to {}. 1, 2, ... taps an option; Ctrl-C ends all.
From another terminal:
  {}
  export KUBECONFIG={}
  {kubectl} get wat,waf -o wide
  {kubectl} edit waf {}          # the next conversation runs what you write
Metrics     curl -s http://{operator}/metrics      # of the operator
            curl -s http://{dataplane}/metrics     # of the data plane; /configz says what it runs
Tables      psql {} -c 'SELECT created_at, status, payload FROM jobs'
Logs        {}",
        account.business,
        curl(account, std::slice::from_ref(account)),
        cluster.kubeconfig().display(),
        cluster::FLOW,
        database.url(),
        sandbox.logs().display(),
    ))?;
    say("")?;
    let mut news = News::begin(dataplane).await?;
    let follow = async {
        loop {
            for line in news.next().await {
                notes.send(line)?;
            }
        }
    };
    tokio::select! {
        ended = talk(simulator, account, screen, notes.clone()) => ended,
        never = follow => never,
    }
}

/// A folder of the source tree.
fn from_root(folder: &str) -> Result<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(folder);
    path.canonicalize().with_context(|| format!("{} is not there: the demo runs from its source tree", path.display()))
}
