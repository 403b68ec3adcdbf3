//! What every measurement begins with: a PostgreSQL of its own that syncs as in production, a new database with the
//! data plane's tables, and one of the two contestants as a process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, PgConnection};
use wigwag_sandbox::folder::Folder;
use wigwag_sandbox::postgres::{Database, Server, Template};
use wigwag_sandbox::process::{Process, Program};

use crate::binaries;

const READY_WITHIN: Duration = Duration::from_secs(30);

/// Who takes webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Our data plane.
    Wigwag,
    /// See [`crate::plain`].
    Plain,
}

/// PostgreSQL, and a folder for everything else.
#[derive(Debug)]
pub struct Bed {
    server: Server,
    template: Template,
    dataplane: PathBuf,
    folder: Folder,
}

/// A process that takes webhooks.
#[derive(Debug)]
pub struct Contestant {
    /// Where it takes them.
    pub address: SocketAddr,
    process: Process,
}

impl Side {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wigwag => "wigwag",
            Self::Plain => "plain",
        }
    }
}

impl Bed {
    /// Builds the data plane, starts PostgreSQL, and makes the tables.
    ///
    /// # Errors
    /// When one of them is not to be had; the message names the ways out.
    pub async fn make() -> Result<Self> {
        let dataplane = binaries::build("wigwag-dataplane").await?;
        let server = Server::start().await?;
        let template = server
            .databases()
            .template("bench", async |url| {
                let mut connection = PgConnection::connect(url).await?;
                wigwag_store::migrate::run(&mut connection).await?;
                Ok(connection.close().await?)
            })
            .await?;
        Ok(Self { server, template, dataplane, folder: Folder::new("bench")? })
    }

    /// A new database with the data plane's tables, empty, and nothing left to write of what was before.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn database(&self) -> Result<Database> {
        let database = self.server.databases().create_from(&self.template, "bench").await?;
        let mut connection = PgConnection::connect(&database.url()).await?;
        sqlx::query("CHECKPOINT").execute(&mut connection).await?;
        connection.close().await?;
        Ok(database)
    }

    /// Starts a contestant on `database` and waits until it takes webhooks. The data plane reads the tenant of
    /// `folder`, as [`crate::tenant::write`] left it there.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start(&self, side: Side, database: &Database, folder: &Path) -> Result<Contestant> {
        let config = (folder.join("config"), folder.join("secrets"));
        match side {
            Side::Wigwag => self.start_dataplane(database, &config.0, &config.1).await,
            Side::Plain => self.start_plain(database).await,
        }
    }

    /// Starts the data plane on `database`, with the manifests of `config` and the Secrets of `secrets`.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start_dataplane(&self, database: &Database, config: &Path, secrets: &Path) -> Result<Contestant> {
        let (listen, admin) = (free_address()?, free_address()?);
        let args = [
            ("serve", String::new()),
            ("--config-dir", config.display().to_string()),
            ("--secrets-dir", secrets.display().to_string()),
            ("--listen", listen.to_string()),
            ("--admin-listen", admin.to_string()),
        ];
        self.spawn(Side::Wigwag, &self.dataplane, &args, listen, admin, database).await
    }

    async fn start_plain(&self, database: &Database) -> Result<Contestant> {
        let listen = free_address()?;
        let args = [("plain", String::new()), ("--listen", listen.to_string())];
        self.spawn(Side::Plain, &env::current_exe()?, &args, listen, listen, database).await
    }

    async fn spawn(
        &self,
        side: Side,
        path: &Path,
        args: &[(&str, String)],
        address: SocketAddr,
        probe: SocketAddr,
        database: &Database,
    ) -> Result<Contestant> {
        let args = args.iter().flat_map(|(option, value)| [(*option).to_owned(), value.clone()]);
        let mut program = Program::new(side.name(), path, args.filter(|arg| !arg.is_empty()).collect());
        program.env = BTreeMap::from([("WIGWAG_DATABASE_URL".to_owned(), database.url())]);
        let log = self.folder.path().join(format!("{}.log", side.name()));
        if log.exists() {
            fs::remove_file(&log)?;
        }
        let process = Process::spawn(program, self.folder.path())?;
        let url = format!("http://{probe}/readyz");
        let ready = async || {
            let answer = reqwest::get(&url).await?;
            ensure!(answer.status().is_success(), "{}", answer.text().await?);
            Ok(())
        };
        process.ready(READY_WITHIN, ready).await?;
        Ok(Contestant { address, process })
    }

    /// Process id of PostgreSQL's first process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn postgres_pid(&self) -> Result<i32> {
        self.server.process().pid().context("PostgreSQL has ended; its folder's log says why")
    }

    /// A folder on the disk that PostgreSQL writes to; it goes away with the bed.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Contestant {
    /// Its process id.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<i32> {
        self.process.pid().with_context(|| {
            let log = self.process.log();
            format!("{} has ended:\n{}", self.process.name(), wigwag_sandbox::logs::tail(log, 20))
        })
    }

    /// Ends it at once, and gives the lines of its log that warn of something.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end(self) -> Result<Vec<String>> {
        self.process.kill().await?;
        // Some hundred MB: not to be held in memory.
        let log = BufReader::new(fs::File::open(self.process.log())?);
        Ok(log.lines().map_while(Result::ok).filter(|line| is_warning(line)).collect())
    }
}

/// In either form of the log.
fn is_warning(line: &str) -> bool {
    ["\"level\":\"WARN\"", "\"level\":\"ERROR\"", " WARN ", " ERROR ", "panicked"]
        .iter()
        .any(|mark| line.contains(mark))
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
