//! One plain GET, without pool, TLS, redirects or retries: the probes of node and control plane.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The status that `GET http://ADDRESS/PATH` is answered with; the body is not read.
///
/// # Errors
/// When there is no answer within `within`.
pub(crate) async fn status(
    address: SocketAddr,
    path: &str,
    headers: &HeaderMap,
    within: Duration,
) -> Result<StatusCode> {
    let exchange = async {
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut request = Request::get(path).body(Empty::<Bytes>::new())?;
        request.headers_mut().extend(headers.clone());
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, address.to_string().parse()?);
        }
        tokio::select! {
            response = sender.send_request(request) => anyhow::Ok(response?.status()),
            ended = connection => Err(ended.err().map_or_else(|| anyhow::anyhow!("closed"), Into::into)),
        }
    };
    let answer = tokio::time::timeout(within, exchange).await;
    answer
        .with_context(|| format!("no answer within {within:?}"))?
        .with_context(|| format!("GET http://{address}{path}"))
}
