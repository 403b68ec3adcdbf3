//! PostgreSQL as the tests of every crate use it, root or not, and as fault tests break it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use wigwag_sandbox::eventually;
use wigwag_sandbox::postgres::{Server, databases};

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn exists(name: &str) -> bool {
    let mut connection = connect(databases().await.unwrap().url()).await;
    let found = sqlx::query("SELECT FROM pg_database WHERE datname = $1").bind(name).fetch_optional(&mut connection);
    found.await.unwrap().is_some()
}

/// Templates are kept for the next run; those of these tests are of no use to it.
async fn drop_template(name: &str) {
    let mut connection = connect(databases().await.unwrap().url()).await;
    connection.execute(AssertSqlSafe(format!("DROP DATABASE {name}"))).await.unwrap();
}

#[tokio::test]
async fn each_test_has_a_database_that_goes_away_with_it_though_connections_are_open() {
    let databases = databases().await.unwrap();
    let (one, other) = (databases.create("mine").await.unwrap(), databases.create("mine").await.unwrap());
    let mut open = connect(&one.url()).await;
    open.execute("CREATE TABLE mark ()").await.unwrap();
    assert!(connect(&other.url()).await.execute("SELECT FROM mark").await.is_err(), "the two share a table");

    let name = one.name().to_owned();
    assert!(exists(&name).await);
    drop(one);
    assert!(!exists(&name).await);
}

#[tokio::test]
async fn a_template_is_filled_once_and_its_copies_have_its_rows() {
    let databases = databases().await.unwrap();
    let name = format!("template_{}", std::process::id());
    let mut fills = 0;
    for _ in 0..2 {
        let fill = async |url: &str| {
            fills += 1;
            connect(url).await.execute("CREATE TABLE lane AS SELECT generate_series(1, 64) AS lane").await?;
            Ok(())
        };
        let template = databases.template(&name, fill).await.unwrap();
        let copy = databases.create_from(&template, "copy").await.unwrap();
        let mut connection = connect(&copy.url()).await;
        let rows = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM lane").fetch_one(&mut connection);
        assert_eq!(rows.await.unwrap(), 64);
    }
    assert_eq!(fills, 1);
    drop_template(&name).await;
}

#[tokio::test]
async fn a_template_that_could_not_be_filled_is_tried_again() {
    let databases = databases().await.unwrap();
    let name = format!("broken_{}", std::process::id());
    let failed = databases.template(&name, async |_| anyhow::bail!("no such migration")).await.unwrap_err();
    assert!(format!("{failed:#}").contains("no such migration"));
    databases.template(&name, async |_| Ok(())).await.unwrap();
    drop_template(&name).await;
}

#[tokio::test]
async fn what_was_committed_survives_a_kill_and_the_server_comes_back_under_the_same_url() {
    let server = Server::start().await.unwrap();
    let url = server.databases().url().to_owned();
    let mut connection = connect(&url).await;
    connection.execute("CREATE TABLE kept (round int)").await.unwrap();
    for round in 1..=3 {
        sqlx::query("INSERT INTO kept VALUES ($1)").bind(round).execute(&mut connection).await.unwrap();
        server.kill().await.unwrap();
        assert!(PgConnection::connect(&url).await.is_err(), "it answers, though it was killed");
        server.restart().await.unwrap();
        connection = connect(&url).await;
        let kept = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM kept").fetch_one(&mut connection).await.unwrap();
        assert_eq!(kept, i64::from(round));
    }
}

#[tokio::test]
async fn a_stopped_server_starts_again() {
    let server = Server::start().await.unwrap();
    server.stop().await.unwrap();
    assert!(PgConnection::connect(server.databases().url()).await.is_err());
    server.restart().await.unwrap();
    connect(server.databases().url()).await;
}

#[tokio::test]
async fn a_frozen_server_answers_nothing_until_it_is_thawed() {
    let server = Server::start().await.unwrap();
    let mut connection = connect(server.databases().url()).await;
    server.freeze();
    let frozen = tokio::time::timeout(Duration::from_millis(300), connection.execute("SELECT 1")).await;
    assert!(frozen.is_err(), "an open connection answers, though the server is frozen");
    assert!(server.databases().version().await.is_err(), "a new connection answers, though the server is frozen");
    server.thaw();
    eventually!(Duration::from_secs(10), server.databases().version().await);
}

#[tokio::test]
async fn an_older_version_serves_where_the_machine_has_it() {
    let Some(server) = Server::start_version(15).await.unwrap() else { return };
    assert_eq!(server.databases().version().await.unwrap() / 10_000, 15);
}

#[tokio::test]
async fn a_server_leaves_no_process_behind_and_no_folder() {
    let server = Server::start().await.unwrap();
    let pid = server.process().pid().unwrap();
    let log = server.process().log().to_owned();
    assert!(log.exists());
    drop(server);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert!(!log.parent().unwrap().exists());
}

#[tokio::test]
async fn a_frozen_server_leaves_no_process_behind_either() {
    let server = Server::start().await.unwrap();
    let _connection = connect(server.databases().url()).await;
    let folder = server.process().log().parent().unwrap().to_owned();
    server.freeze();
    drop(server);
    let with_our_folder = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let folders = processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok());
        folders.filter(|of_process| of_process.starts_with(&folder)).count()
    };
    eventually!(Duration::from_secs(5), with_our_folder(), |left| *left == 0);
}
