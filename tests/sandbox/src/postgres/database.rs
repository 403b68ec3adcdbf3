//! A database for each test, empty or copied from a template that was migrated once.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::time::timeout;

/// How long PostgreSQL may take to answer that it is there.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a database may take to go away when its test ends.
const DROP: Duration = Duration::from_secs(5);

/// The databases of one PostgreSQL.
#[derive(Debug, Clone)]
pub struct Databases {
    url: Url,
}

/// A database that goes away with its owner, unless that one panics.
#[derive(Debug)]
pub struct Database {
    name: String,
    databases: Databases,
}

/// The name of a database that others are copied from.
#[derive(Debug, Clone)]
pub struct Template(String);

impl Databases {
    /// The databases of the PostgreSQL that `url` names; its own database is used to make and drop others.
    pub(super) fn at(url: &str) -> Result<Self> {
        // Its parser repeats nothing of the URL, which may hold a password.
        Ok(Self {
            url: Url::parse(url).context("the PostgreSQL URL is none: postgres://USER:PASSWORD@HOST:PORT/DATABASE")?,
        })
    }

    /// The URL of the database that is there from the beginning.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The server's version as a number, such as 180006.
    ///
    /// # Errors
    /// When it does not answer within 2 s.
    pub async fn version(&self) -> Result<u32> {
        let ask = async {
            let mut connection = self.connect().await?;
            let version: String = sqlx::query_scalar("SHOW server_version_num").fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok(version.parse()?)
        };
        timeout(ANSWER, ask).await.context("PostgreSQL does not answer")?
    }

    /// A new, empty database; its name begins with `purpose` (lower-case letters, digits and underscores).
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn create(&self, purpose: &str) -> Result<Database> {
        self.create_as(purpose, "").await
    }

    /// A new copy of `template`; its name begins with `purpose`.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn create_from(&self, template: &Template, purpose: &str) -> Result<Database> {
        self.create_as(purpose, &format!(" TEMPLATE {}", template.0)).await
    }

    /// The template `name`, filled by `fill` (which gets its URL and must close its connections) if it is not there
    /// yet. What `fill` makes is known by `name` alone, so `name` should change with it: add a hash of the migrations.
    ///
    /// # Errors
    /// When PostgreSQL refuses, or `fill` fails.
    pub async fn template(&self, name: &str, fill: impl AsyncFnOnce(&str) -> Result<()>) -> Result<Template> {
        ensure_plain(name)?;
        let mut connection = self.connect().await?;
        // Held by this connection: other processes that want the same template wait here.
        sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))").bind(name).execute(&mut connection).await?;
        let there = sqlx::query("SELECT FROM pg_database WHERE datname = $1").bind(name);
        if there.fetch_optional(&mut connection).await?.is_none() {
            let unfinished = format!("{name}_unfinished");
            run(&mut connection, format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await?;
            run(&mut connection, format!("CREATE DATABASE {unfinished}")).await?;
            fill(&self.url_of(&unfinished)).await.with_context(|| format!("cannot fill the template {name}"))?;
            run(&mut connection, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await?;
        }
        connection.close().await?;
        Ok(Template(name.into()))
    }

    async fn create_as(&self, purpose: &str, source: &str) -> Result<Database> {
        ensure_plain(purpose)?;
        // Several processes, of several machines even, may share a server.
        let name = format!("{purpose}_{:016x}", rand::random::<u64>());
        let mut connection = self.connect().await?;
        run(&mut connection, format!("CREATE DATABASE {name}{source}")).await?;
        connection.close().await?;
        Ok(Database { name, databases: self.clone() })
    }

    async fn drop(&self, name: &str) -> Result<()> {
        let mut connection = self.connect().await?;
        run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
    }

    async fn connect(&self) -> Result<PgConnection> {
        PgConnection::connect(self.url.as_str()).await.context("cannot connect to PostgreSQL")
    }

    fn url_of(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        url.into()
    }
}

impl Database {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to connect to it.
    #[must_use]
    pub fn url(&self) -> String {
        self.databases.url_of(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (databases, name) = (self.databases.clone(), self.name.clone());
        // From a thread of its own, because the caller's runtime cannot be waited on from here.
        let dropped = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { timeout(DROP, databases.drop(&name)).await? })
        });
        // A test that ends with its server down has nothing to clean: the database goes with the server's folder.
        if let Ok(Err(error)) = dropped.join() {
            tracing::debug!(database = self.name, %error, "not dropped");
        }
    }
}

/// Names go into statements as they are.
fn ensure_plain(name: &str) -> Result<()> {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    ensure!(
        plain && begins && name.len() <= 40,
        "{name:?} is no name for a database here: up to 40 lower-case letters, digits and underscores, a letter first"
    );
    Ok(())
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<()> {
    connection
        .execute(AssertSqlSafe(statement.clone()))
        .await
        .with_context(|| format!("PostgreSQL refused: {statement}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_plain_names_go_into_statements() {
        assert!(ensure_plain("migrated_3f9a").is_ok());
        for bad in ["", "9lives", "a-b", "a;drop", "Upper", &"long".repeat(11)] {
            assert!(ensure_plain(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_database_keeps_the_rest_of_the_servers_url() {
        let databases = Databases::at("postgres://me:pass@db:5433/admin?sslmode=disable").unwrap();
        assert_eq!(databases.url_of("one"), "postgres://me:pass@db:5433/one?sslmode=disable");
    }
}
