//! PostgreSQL: real, private, and a database for each test.
//!
//! [`databases`] gives those that this process shares: of `DATABASE_URL`, or of a [`Server`] of our own that lives as
//! long as the process. A test that stops, kills or freezes its PostgreSQL starts a [`Server`] for itself, whatever
//! `DATABASE_URL` says. `install` gets the programs, `database` makes databases.

mod account;
mod database;
mod install;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use tokio::sync::OnceCell;

use crate::folder::{self, Folder};
use crate::logs::tail;
use crate::port;
use crate::process::{Process, Program};
use account::Account;
pub use database::{Database, Databases, Template};
use install::Installation;

/// How long the server may take to answer; after a kill it replays its log first.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often a start is repeated: a port taken meanwhile, or "Is another postmaster running" after a kill.
const STARTS: usize = 20;

/// The databases that every test of this process shares: `DATABASE_URL`'s, else those of a server of our own.
///
/// # Errors
/// As [`Postgres::given_or_own`].
pub async fn databases() -> Result<&'static Databases> {
    static SHARED: OnceCell<Postgres> = OnceCell::const_new();
    let shared = SHARED.get_or_try_init(async || match given().await? {
        Some(databases) => anyhow::Ok(Postgres::Given(databases)),
        None => Ok(Postgres::Own(Box::new(Server::start().await?))),
    });
    Ok(shared.await?.databases())
}

/// A PostgreSQL that is to be used and not to be broken.
#[derive(Debug)]
pub enum Postgres {
    /// The one of `DATABASE_URL`.
    Given(Databases),
    /// One of our own.
    Own(Box<Server>),
}

impl Postgres {
    /// `DATABASE_URL`, else a server of our own with its log in `logs`.
    ///
    /// # Errors
    /// When `DATABASE_URL` does not answer, or there is no PostgreSQL to be had; the message names the ways out.
    pub async fn given_or_own(logs: &Path) -> Result<Self> {
        match given().await? {
            Some(databases) => Ok(Self::Given(databases)),
            None => Ok(Self::Own(Box::new(Server::start_logging_to(logs).await?))),
        }
    }

    /// Its databases.
    #[must_use]
    pub fn databases(&self) -> &Databases {
        match self {
            Self::Given(databases) => databases,
            Self::Own(server) => server.databases(),
        }
    }
}

async fn given() -> Result<Option<Databases>> {
    let Some(url) = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) else { return Ok(None) };
    let databases = Databases::at(&url)?;
    databases.version().await.context("DATABASE_URL names a PostgreSQL that does not answer")?;
    Ok(Some(databases))
}

/// A PostgreSQL server of our own, in a folder that goes away with it.
///
/// It listens on a port of 127.0.0.1 that it keeps over restarts, trusts everybody there, and syncs its files to disk
/// as in production. As root it runs as `nobody`, because PostgreSQL refuses root.
#[derive(Debug)]
pub struct Server {
    // Ends before its folder goes.
    process: Process,
    databases: Databases,
    _folder: Folder,
}

impl Server {
    /// A new, empty server of the version that we pin, or of what the machine has where there is no network.
    ///
    /// # Errors
    /// When there are no programs (the message names the ways out), or they do not run.
    pub async fn start() -> Result<Self> {
        let folder = Folder::new("postgresql")?;
        let logs = folder.path().to_owned();
        Self::start_with(install::any().await?, folder, &logs).await
    }

    /// As [`Server::start`], with its log in `logs`.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_logging_to(logs: &Path) -> Result<Self> {
        Self::start_with(install::any().await?, Folder::new("postgresql")?, logs).await
    }

    /// A new, empty server of major version `major`, where the machine has one.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn start_version(major: u32) -> Result<Option<Self>> {
        let Some(installation) = install::on_machine(Some(major)) else { return Ok(None) };
        let folder = Folder::new("postgresql")?;
        let logs = folder.path().to_owned();
        Self::start_with(installation, folder, &logs).await.map(Some)
    }

    async fn start_with(installation: Installation, folder: Folder, logs: &Path) -> Result<Self> {
        let account = Account::unprivileged()?;
        let (installation, data) = prepare(&installation, account, folder.path())?;
        initialise(&installation, account, &data, logs).await?;

        let mut program = Program::new("postgresql", installation.program("postgres"), Vec::new());
        program.folder = Some(data.clone());
        program.user = account.map(|account| (account.user, account.group));
        // TERM waits for clients to go. INT does not; QUIT does not even write a checkpoint, but takes the shared
        // memory segment along, which KILL would leave behind.
        program.stop_signal = Signal::SIGINT;
        program.end_signal = Signal::SIGQUIT;
        let process = Process::new(program, logs);

        for _ in 0..STARTS {
            let port = port::free()?;
            let databases = Databases::at(&format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"))?;
            process.start_as(|program| program.args = arguments(&data, port))?;
            match process.ready(READY_WITHIN, async || databases.version().await).await {
                Ok(_) => return Ok(Self { process, databases, _folder: folder }),
                Err(error) if process.exit_status().is_none() || !port::is_taken(port) => return Err(error),
                Err(_) => {}
            }
        }
        bail!("found no free port for PostgreSQL in {STARTS} attempts")
    }

    /// The databases on it.
    #[must_use]
    pub fn databases(&self) -> &Databases {
        &self.databases
    }

    /// Its process, for its log and its id.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it in order: clients are cut off, everything is on disk.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn stop(&self) -> Result<()> {
        self.process.stop(Duration::from_secs(30)).await
    }

    /// KILL, to all of its processes at once, as a crash of the machine would.
    ///
    /// # Errors
    /// When it is still there afterwards.
    pub async fn kill(&self) -> Result<()> {
        self.process.kill().await
    }

    /// STOP, to all of its processes: connections stay open, nothing answers.
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// CONT, to all of its processes.
    pub fn thaw(&self) {
        self.process.thaw();
    }

    /// Starts it again after [`Server::stop`] or [`Server::kill`], on its port, and waits until it answers. The start
    /// is repeated until it holds, because killed processes may still hold the data folder for a moment.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&self) -> Result<()> {
        let mut refused = None;
        for _ in 0..STARTS {
            self.process.start()?;
            match self.process.ready(READY_WITHIN, async || self.databases.version().await).await {
                Ok(_) => return Ok(()),
                Err(error) if self.process.exit_status().is_none() => return Err(error),
                Err(error) => refused = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(refused.unwrap_or_else(|| anyhow::anyhow!("not tried")))
    }
}

/// Makes the data folder and, for an account that cannot read the installation (root's home is closed), a copy of the
/// programs that it can read.
fn prepare(installation: &Installation, account: Option<Account>, folder: &Path) -> Result<(Installation, PathBuf)> {
    let data = folder.join("data");
    fs::create_dir(&data)?;
    let Some(account) = account else { return Ok((installation.clone(), data)) };
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?;
    chown(&data, Some(account.user), Some(account.group))?;
    let probe = account.run(Command::new(installation.program("postgres")).arg("--version"));
    if probe.is_ok_and(|output| output.status.success()) {
        return Ok((installation.clone(), data));
    }
    let copy = folder.join("programs");
    folder::link_tree(installation.root(), &copy).context("cannot copy PostgreSQL's programs")?;
    Ok((installation.at(copy), data))
}

async fn initialise(installation: &Installation, account: Option<Account>, data: &Path, logs: &Path) -> Result<()> {
    // The folder is new: a crash while it is filled loses nothing, so that step alone need not be synced.
    let options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"];
    let args = options.iter().map(|option| (*option).to_owned()).chain([data.display().to_string()]).collect();
    let mut program = Program::new("initdb", installation.program("initdb"), args);
    program.folder = Some(data.to_owned());
    program.user = account.map(|account| (account.user, account.group));
    program.end_signal = Signal::SIGTERM;
    let initdb = Process::spawn(program, logs)?;
    if !initdb.exited().await.success() {
        bail!("initdb in {} failed:\n{}", data.display(), tail(initdb.log(), 20));
    }
    Ok(())
}

fn arguments(data: &Path, port: u16) -> Vec<String> {
    let settings = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "shared_buffers=64MB",
        "timezone=UTC",
        "log_line_prefix=%m [%p] %d ",
    ];
    let mut arguments = vec!["-D".into(), data.display().to_string(), "-p".into(), port.to_string()];
    arguments.extend(settings.iter().flat_map(|setting| ["-c".into(), (*setting).into()]));
    arguments
}
