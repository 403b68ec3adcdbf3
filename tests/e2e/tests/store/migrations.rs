//! The tables come by migration, forward only, whoever starts first.

use std::time::Duration;

use wigwag_sandbox::postgres;
use wigwag_store::{connection::Database as Store, migrate};

use crate::on_every_version;

#[tokio::test]
async fn many_replicas_that_start_at_once_migrate_one_database() {
    let database = postgres::databases().await.unwrap().create("race").await.unwrap();
    let starts = (0..8).map(|_| {
        let store = Store::new(&database.url()).unwrap();
        async move { migrate::run(&mut store.connect_patiently().await?).await }
    });
    for done in futures::future::join_all(starts).await {
        done.unwrap();
    }
    let store = Store::new(&database.url()).unwrap();
    assert!(migrate::is_current(&mut store.connect_patiently().await.unwrap()).await.unwrap());
}

#[tokio::test]
async fn an_empty_database_is_not_of_this_version() {
    let database = postgres::databases().await.unwrap().create("empty").await.unwrap();
    let store = Store::new(&database.url()).unwrap();
    assert!(!migrate::is_current(&mut store.connect_patiently().await.unwrap()).await.unwrap());
}

#[tokio::test]
async fn partitions_of_the_coming_weeks_are_there_and_take_what_comes_in_now() {
    on_every_version(async |fixture| {
        let partitions: Vec<String> = sqlx::query_scalar(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbound'::regclass ORDER BY 1",
        )
        .fetch_all(&fixture.pool)
        .await
        .unwrap();
        assert_eq!(partitions.len(), 6, "this week, four to come, and the default: {partitions:?}");
        sqlx::query("INSERT INTO inbound VALUES ($1, 'default/acme', $1, 'p', 'w', 'text', '{}')")
            .bind(wigwag_domain::InboundId::now().0)
            .execute(&fixture.pool)
            .await
            .unwrap();
        let aside: i64 =
            sqlx::query_scalar("SELECT count(*) FROM inbound_default").fetch_one(&fixture.pool).await.unwrap();
        assert_eq!(aside, 0);
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_stays_does_not_keep_messages_from_coming_in_while_partitions_are_made() {
    on_every_version(async |fixture| {
        sqlx::query("DROP TABLE inbound_default").execute(&fixture.pool).await.unwrap();
        sqlx::query("CREATE TABLE inbound_default PARTITION OF inbound DEFAULT").execute(&fixture.pool).await.unwrap();
        let newest: String = sqlx::query_scalar(
            "SELECT max(inhrelid::regclass::text) FROM pg_inherits
              WHERE inhparent = 'inbound'::regclass AND inhrelid <> 'inbound_default'::regclass",
        )
        .fetch_one(&fixture.pool)
        .await
        .unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("DROP TABLE {newest}"))).execute(&fixture.pool).await.unwrap();
        let mut reader = fixture.pool.begin().await.unwrap();
        sqlx::query("SELECT count(*) FROM inbound").execute(&mut *reader).await.unwrap();

        let store = fixture.store.clone();
        let making =
            tokio::spawn(
                async move { wigwag_store::inbound::make_partitions(&mut store.connect_patiently().await?).await },
            );
        let insert = sqlx::query("INSERT INTO inbound VALUES ($1, 'default/acme', $1, 'p', 'w', 'text', '{}')")
            .bind(wigwag_domain::InboundId::now().0)
            .execute(&fixture.pool);
        tokio::time::timeout(Duration::from_secs(5), insert).await.expect("inserts go on").unwrap();
        making.await.unwrap().unwrap();
        drop(reader);
    })
    .await;
}
