//! One question to one replica, on its admin port: `GET /configz` or `GET /sessions`.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use wigwag_crds::{configz::Configz, sessions::Standing};

use super::Report;

/// An answer later than this is none.
const PATIENCE: Duration = Duration::from_secs(1);
/// An answer longer than this is not ours. A tenant has a few hundred Flows at most, with their findings.
const LONGEST: usize = 8 << 20;

/// Asks replicas.
#[derive(Clone, Debug)]
pub struct Prober {
    http: Client<HttpConnector, Empty<Bytes>>,
}

impl Default for Prober {
    fn default() -> Self {
        // No idle connections: there would be one for each replica of each tenant, used every 15 seconds.
        Self { http: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http() }
    }
}

impl Prober {
    /// What the replica runs, or in words why it does not tell.
    ///
    /// # Errors
    /// When it does not answer in time, with another status than 200, or with something else than a `Configz`.
    pub async fn configz(&self, address: SocketAddr) -> Report {
        self.get::<Configz>(address, "/configz").await
    }

    /// Where the open sessions of the replica's tenants stand.
    ///
    /// # Errors
    /// As [`Prober::configz`].
    pub async fn standing(&self, address: SocketAddr) -> Result<Standing, String> {
        self.get(address, "/sessions").await
    }

    async fn get<T: DeserializeOwned>(&self, address: SocketAddr, path: &str) -> Result<T, String> {
        match timeout(PATIENCE, self.ask(address, path)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer from {address} within {} s", PATIENCE.as_secs())),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, address: SocketAddr, path: &str) -> Result<T, String> {
        let uri: Uri = format!("http://{address}{path}").parse().map_err(|error| format!("{address}: {error}"))?;
        let response = self.http.get(uri).await.map_err(|_| format!("nothing answers at {address}"))?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("{address} answered {status}"));
        }
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| format!("{address}: {error}"))?.to_bytes();
        serde_json::from_slice(&body).map_err(|error| format!("the answer of {address} does not read: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    async fn serve(router: Router) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(axum::serve(listener, router).into_future());
        address
    }

    #[tokio::test]
    async fn an_answer_is_read_and_anything_else_is_told_in_words() {
        let prober = Prober::default();
        let good = serde_json::to_string(&Configz { replica: "acme-0".into(), ..Configz::default() }).expect("json");
        let address = serve(Router::new().route("/configz", get(async || good))).await;
        assert_eq!(prober.configz(address).await.expect("answer").replica, "acme-0");

        let down = serve(Router::new().route("/configz", get(async || StatusCode::SERVICE_UNAVAILABLE))).await;
        assert!(prober.configz(down).await.expect_err("refused").contains("503"));

        let other = serve(Router::new().route("/configz", get(async || "<html>"))).await;
        assert!(prober.configz(other).await.expect_err("refused").contains("does not read"));

        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = silent.local_addr().expect("its address");
        assert!(prober.configz(address).await.expect_err("refused").contains("within 1 s"));
        drop(silent);
        assert!(prober.configz(address).await.expect_err("refused").contains("nothing answers"));
    }
}
