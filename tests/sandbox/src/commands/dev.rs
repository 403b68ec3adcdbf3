//! `wigwag-sandbox dev`: the manifests of a folder straight into a data plane, without Kubernetes.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use wigwag_crds::configz::Configz;
use wigwag_simulator::{Number, Simulator};

use super::manifests::{self, Account, Found};
use super::news::{self, News};
use super::parts;
use super::scene::Scene;
use super::screen::{Notes, Screen};
use super::steps::{say, say_indented, step};
use super::talk::{NAME, curl, talk};
use crate::Sandbox;
use crate::logs::tail;
use crate::postgres::Database;
use crate::process::{Process, Program};

/// How long the data plane may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Options of `dev`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with the manifests of tenants, Flows and Secrets.
    #[arg(default_value = "examples/quickstart")]
    folder: PathBuf,
    /// Where the data plane takes webhooks.
    #[arg(long, env = "WIGWAG_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where the data plane has probes, metrics and `/configz`.
    #[arg(long, env = "WIGWAG_ADMIN_LISTEN", default_value = "127.0.0.1:9090")]
    admin_listen: SocketAddr,
}

/// Runs until SIGINT, SIGTERM or the end of the input.
///
/// # Errors
/// When a part does not start, or the data plane ends.
pub(super) async fn run(args: Args) -> Result<()> {
    let folder = args.folder.display().to_string();
    let path = parts::binary("wigwag-dataplane")?;
    let found = manifests::find(&args.folder)?;
    let scene = Scene::of(&args.folder)?;
    parts::ensure_free(args.listen, "the data plane", "say where else: WIGWAG_LISTEN=127.0.0.1:8081 make dev")?;
    parts::ensure_free(
        args.admin_listen,
        "the data plane's admin port",
        "say where else: WIGWAG_ADMIN_LISTEN=127.0.0.1:9091 make dev",
    )?;

    let simulator = parts::start_simulator(&found, &folder).await?;
    scene.endpoint.iter().for_each(|rule| simulator.answer_calls(rule.clone()));
    let mut sandbox = Sandbox::empty()?;
    parts::start_postgres(&mut sandbox).await?;
    let database = sandbox.postgres()?.databases().create("dev").await?;
    let dataplane = Process::new(program(path, &args, &sandbox, &database)?, &sandbox.logs());
    let mut news = step(&format!("Wigwag's data plane with {folder}"), start(&dataplane, &args)).await?;
    let url = |account: &Account| webhook(&args, account);
    let registered = step("Webhook verified by the provider", parts::register(&simulator, &found.accounts, url)).await;
    if let Err(error) = registered {
        bail!("{error:#}\n{}", news.seen().problems.join("\n"));
    }

    let account = found.accounts.first().context("no account")?;
    tell_the_ways(&args, &sandbox, &database, (&found, &scene), news.seen())?;
    let (screen, notes) = Screen::new(&simulator, &found.accounts, NAME);
    tokio::select! {
        ended = talk(&simulator, account, screen, notes.clone()) => ended,
        never = follow(&mut news, &args, &simulator, &notes) => never,
        status = dataplane.exited() => bail!("the data plane ended: {status}\n{}", tail(dataplane.log(), 20)),
    }
}

fn program(path: PathBuf, args: &Args, sandbox: &Sandbox, database: &Database) -> Result<Program> {
    let secrets = sandbox.folder().join("secrets");
    fs::create_dir(&secrets)?;
    let options = [
        ("--config-dir", args.folder.display().to_string()),
        ("--secrets-dir", secrets.display().to_string()),
        ("--listen", args.listen.to_string()),
        ("--admin-listen", args.admin_listen.to_string()),
        ("--log-format", "text".to_owned()),
    ];
    let options = options.into_iter().flat_map(|(option, value)| [option.to_owned(), value]);
    let mut program =
        Program::new("wigwag-dataplane", path, std::iter::once("serve".to_owned()).chain(options).collect());
    program.env.insert("WIGWAG_DATABASE_URL".to_owned(), database.url());
    Ok(program)
}

/// Starts the data plane and waits until it takes webhooks.
async fn start(dataplane: &Process, args: &Args) -> Result<News> {
    dataplane.start()?;
    let client = reqwest::Client::new();
    let url = format!("http://{}/readyz", args.admin_listen);
    let is_ready = async || Ok(client.get(&url).send().await?.error_for_status()?);
    dataplane.ready(READY_WITHIN, is_ready).await?;
    News::begin(args.admin_listen).await
}

/// Where the provider posts an account's webhooks: the tenant's host is for clusters, here a prefix names it.
fn webhook(args: &Args, account: &Account) -> String {
    format!("http://{}/t/{}/webhooks/{}", args.listen, account.tenant, account.provider)
}

/// Tells what the data plane tells when files change; the simulator learns of new accounts and credentials.
async fn follow(news: &mut News, args: &Args, simulator: &Simulator, notes: &Notes) -> Result<()> {
    loop {
        for line in news.next().await {
            notes.send(line)?;
        }
        // A folder that cannot be read now is among the news.
        for account in manifests::find(&args.folder).unwrap_or_default().accounts {
            let number = Number { webhook_url: webhook(args, &account), ..account.number };
            if let Err(error) = simulator.register(number) {
                notes.send(format!("{error:#}"))?;
            }
        }
    }
}

/// A line for a shell that plays the program which resumes a conversation: `{{ resume.NODE }}` has the tenant's host, at
/// which nothing listens here. None for a tenant without a host, whose conversations have no such URL.
fn resume(args: &Args, account: &Account) -> String {
    let url = account.spec.base_url().map(|base| {
        let here = format!("http://{}/t/{}/resume/TOKEN", args.listen, account.tenant);
        format!("Resume      curl -s {here} -d '{{}}'   # for {base}/resume/TOKEN\n")
    });
    url.unwrap_or_default()
}

/// What can be done now.
fn tell_the_ways(
    args: &Args,
    sandbox: &Sandbox,
    database: &Database,
    (found, scene): (&Found, &Scene),
    configz: &Configz,
) -> Result<()> {
    let account = found.accounts.first().context("no account")?;
    let state = [news::at_start(configz), found.left_out.clone()].concat();
    let (admin, folder) = (args.admin_listen, args.folder.display());
    let worth: String = scene.write.iter().map(|line| format!("Write       {line}\n")).collect();
    say_indented(&format!(
        "
{}

You are {NAME} and write to {}. 1, 2, ... taps an option; Ctrl-C ends all.
{worth}From another terminal:
  {}
Change a file in {folder}: the next conversation runs it.
What runs   curl -s http://{admin}/configz
Metrics     curl -s http://{admin}/metrics
{}Tables      psql {} -c 'SELECT created_at, status, payload FROM jobs'
Log         {}",
        state.join("\n"),
        account.business,
        curl(account, &found.accounts),
        resume(args, account),
        database.url(),
        sandbox.logs().join("wigwag-dataplane.log").display(),
    ))?;
    say("")
}
