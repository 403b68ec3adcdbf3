//! One HTTP request to a webhook: posted to an address of our choice with the URL's own `Host`, as if DNS had said so.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header::HOST};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

/// What a webhook answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, read as UTF-8.
    pub body: String,
}

#[derive(Debug)]
pub(crate) struct Client(HyperClient<HttpConnector, Full<Bytes>>);

impl Client {
    pub(crate) fn new() -> Self {
        Self(HyperClient::builder(TokioExecutor::new()).build_http())
    }

    /// Sends one request; the error tells how far it got (connect, time-out, answer cut off).
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        address: Option<SocketAddr>,
        headers: &[(String, String)],
        body: Bytes,
        within: Duration,
    ) -> anyhow::Result<Answer> {
        let uri: Uri = url.parse().with_context(|| format!("URL {url:?}"))?;
        let host = uri.authority().with_context(|| format!("URL {url:?} has no host"))?.as_str().to_owned();
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let target = match address {
            Some(address) => format!("http://{address}{path}").parse()?,
            None => uri,
        };

        let mut request = Request::builder().method(method).uri(target).body(Full::new(body))?;
        request.headers_mut().insert(HOST, HeaderValue::from_str(&host)?);
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::try_from(name)?, HeaderValue::from_str(value)?);
        }

        let exchange = async {
            let response = self.0.request(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            anyhow::Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
        };
        timeout(within, exchange).await.map_err(|_| anyhow!("no answer within {within:?}"))?
    }
}
