//! One send: a request over HTTP, and what its end means.
//!
//! What matters is whether the provider may have seen it. Until a connection stands nothing was sent; a request that
//! hyper gave back unwritten was not sent; after that a broken connection or a time-out leaves it `unknown`.

use std::{error::Error as _, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use wigwag_domain::OutboundId;
use wigwag_providers::{Outcome, Provider};

use super::Letter;
use crate::{
    causes,
    lanes::ownership::Ownership,
    tls::{self, NoTls},
};

/// Connections that were idle for longer are not used again: their other end may have gone silently, and a request
/// written into nothing would be `unknown`.
const IDLE: Duration = Duration::from_secs(15);
/// Largest answer that is read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Posts messages.
#[derive(Clone)]
pub struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    ownership: Arc<Ownership>,
    patience: Duration,
}

impl Sender {
    /// A sender that waits for an answer no longer than `patience`.
    ///
    /// # Errors
    /// When the machine has no root certificates.
    pub fn new(ownership: Arc<Ownership>, patience: Duration) -> Result<Self, NoTls> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(patience));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client, ownership, patience })
    }

    /// Sends a message once.
    pub async fn send(&self, adapter: &dyn Provider, id: OutboundId, letter: &Letter) -> Outcome {
        let request = match adapter.request(id, &letter.to, &letter.body) {
            Ok(request) => request,
            Err(unsendable) => return Outcome::Failed { code: 0, title: unsendable.to_string() },
        };
        // A process that was frozen between the mark and here may have lost its lane meanwhile.
        if !self.ownership.is_valid() {
            return not_sent();
        }
        match tokio::time::timeout(self.patience, self.post(request)).await {
            Ok(Ok((parts, body))) => adapter.answer(parts.status, &parts.headers, &body),
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::Unknown { detail: format!("no answer within {:?}", self.patience) },
        }
    }

    async fn post(&self, request: Request<Bytes>) -> Result<(http::response::Parts, Bytes), Outcome> {
        let response = self.client.request(request.map(Full::new)).await.map_err(|error| {
            if certainly_not_sent(&error) { not_sent() } else { Outcome::Unknown { detail: causes::chain(&error) } }
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_LIMIT)
            .collect()
            .await
            .map_err(|error| Outcome::Unknown { detail: format!("the answer broke off: {error}") })?;
        Ok((parts, body.to_bytes()))
    }
}

fn not_sent() -> Outcome {
    Outcome::Retry { code: 0, after: None }
}

/// DNS, connecting and TLS come before the request; hyper says `canceled` of a request that it did not write.
fn certainly_not_sent(error: &hyper_util::client::legacy::Error) -> bool {
    error.is_connect()
        || error
            .source()
            .and_then(|source| source.downcast_ref::<hyper::Error>())
            .is_some_and(hyper::Error::is_canceled)
}
