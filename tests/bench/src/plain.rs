//! The plain way to take webhooks in, for comparison only: an axum handler that checks and reads a webhook as the data
//! plane does (the same code), and then writes the same rows in one transaction, one statement after the other, over a
//! pool of 8 connections (`store`).
//!
//! It routes where it stands, inside the request: it looks for a conversation that waits and for a Flow that begins,
//! finds none, and takes the job out of the queue again, so that the message is left as completed. That is the cheapest
//! that people do: a worker that claims jobs from the queue would cost a second transaction a message. It also writes no
//! log, where the data plane writes two lines a message.

mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::extract::State;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Router, body::Bytes};
use clap::Args;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use wigwag_domain::{Item, ProviderName, TenantKey};
use wigwag_providers::Provider;
use wigwag_providers::cloud_api::{self, CloudApi, Credentials};

use crate::tenant::{self, ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, WEBHOOK};

const POOL: u32 = 8;
/// As long as the data plane lets a webhook wait.
const PATIENCE: Duration = Duration::from_secs(1);

/// How the server is started: by the bench, as a process of its own.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where it listens.
    #[arg(long)]
    listen: SocketAddr,
    /// The database.
    #[arg(long, env = "WIGWAG_DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

#[derive(Clone)]
struct Plain {
    tenant: TenantKey,
    adapter: Arc<CloudApi>,
    pool: PgPool,
}

/// Serves until it is killed.
///
/// # Errors
/// When it cannot listen, or reach the database.
pub async fn serve(serve: Serve) -> Result<()> {
    let pool = PgPoolOptions::new().max_connections(POOL).acquire_timeout(PATIENCE).connect(&serve.database_url);
    let pool = pool.await.context("the database")?;
    let listener = TcpListener::bind(serve.listen).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, routes(pool)?).await?;
    Ok(())
}

/// The tenant's account, read and checked by the data plane's own adapter.
///
/// # Errors
/// When the spec's fields have changed.
pub fn adapter() -> Result<CloudApi> {
    let credentials = Credentials {
        access_token: ACCESS_TOKEN.to_owned(),
        app_secret: APP_SECRET.to_owned(),
        verify_token: VERIFY_TOKEN.to_owned(),
    };
    Ok(cloud_api::adapter(&ProviderName::new("primary"), &tenant::cloud_api()?, credentials))
}

fn routes(pool: PgPool) -> Result<Router> {
    let plain = Plain { tenant: TenantKey::new(None, "acme"), adapter: Arc::new(adapter()?), pool };
    Ok(Router::new().route(WEBHOOK, post(receive)).route("/readyz", get(async || "ok\n")).with_state(plain))
}

async fn receive(State(plain): State<Plain>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(verified) = plain.adapter.verify(&headers, &body) else { return StatusCode::UNAUTHORIZED };
    let items = plain.adapter.parse(verified, Timestamp::now());
    match plain.handle(items).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl Plain {
    /// All of a webhook in one transaction.
    async fn handle(&self, items: Vec<Item>) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        for item in items {
            let Item::Message(message) = item else { anyhow::bail!("the comparison posts messages only") };
            store::message(&mut transaction, &self.tenant, self.adapter.as_ref(), *message).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sqlx::Connection;
    use wigwag_sandbox::postgres;

    use super::*;
    use crate::load::Connection as Poster;
    use crate::message::{Signer, body};

    #[tokio::test]
    async fn the_plain_way_stores_a_message_once_and_refuses_a_wrong_signature() {
        let database = postgres::databases().await.unwrap().create("plain").await.unwrap();
        let mut connection = sqlx::PgConnection::connect(&database.url()).await.unwrap();
        wigwag_store::migrate::run(&mut connection).await.unwrap();
        let pool = PgPoolOptions::new().max_connections(2).connect(&database.url()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut poster = Poster::open(listener.local_addr().unwrap()).await.unwrap();
        let server = tokio::spawn(axum::serve(listener, routes(pool).unwrap()).into_future());

        let signer = Signer::new().unwrap();
        let webhook = |n, contact| signer.sign(body(n, contact, "hola")).unwrap();
        for (n, contact) in [(1, 1), (1, 1), (2, 1), (3, 2)] {
            assert_eq!(poster.post(webhook(n, contact)).await.unwrap(), StatusCode::OK);
        }
        let mut forged = webhook(4, 4);
        forged.signature = webhook(5, 4).signature;
        assert_eq!(poster.post(forged).await.unwrap(), StatusCode::UNAUTHORIZED);

        let counts: (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM inbound), (SELECT count(*) FROM dedupe),
                    (SELECT count(*) FROM contact WHERE name = 'Ana Garcia'), (SELECT count(*) FROM contact_identity)",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!(counts, (3, 3, 2, 4));
        server.abort();
    }
}
