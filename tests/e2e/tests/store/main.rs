//! Every statement against real PostgreSQL: 18, and 15 where the machine has it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod effect;
mod flow_revision;
mod migrations;
mod plans;
mod session_view;
mod statements;

use tokio::sync::OnceCell;
use wigwag_sandbox::postgres::{Database, Databases, Server};
use wigwag_store::{connection::Database as Store, migrate};

/// A migrated database and a way to it.
pub struct Fixture {
    pub store: Store,
    pub pool: sqlx::PgPool,
    pub url: String,
    _database: Database,
}

/// A migrated database on a server.
pub async fn migrated(databases: &Databases) -> Fixture {
    let database = databases.create("store").await.unwrap();
    let url = database.url();
    let store = Store::new(&url).unwrap();
    migrate::run(&mut store.connect_patiently().await.unwrap()).await.unwrap();
    let pool = store.pool(4, std::time::Duration::from_secs(10));
    Fixture { store, pool, url, _database: database }
}

/// Runs a test on the shared server (18, or what `DATABASE_URL` names), and on 15 where it is found.
pub async fn on_every_version(test: impl AsyncFn(Fixture)) {
    test(migrated(wigwag_sandbox::postgres::databases().await.unwrap()).await).await;
    static FIFTEEN: OnceCell<Option<Server>> = OnceCell::const_new();
    if let Some(server) = FIFTEEN.get_or_init(async || Server::start_version(15).await.unwrap()).await {
        test(migrated(server.databases()).await).await;
    }
}
