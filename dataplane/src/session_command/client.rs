//! The API, called over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use url::Url;

use super::{Error, Session};
use crate::{causes, tls};

/// For an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Parameters of a query; what is `None` is left out.
type Query<'a> = [(&'a str, &'a Option<String>)];

/// Calls the API of one tenant.
pub(super) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Url,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    pub fn new(session: &Session) -> Result<Self, Error> {
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls::client()?).https_or_http().enable_http1().build();
        let token = session.token.as_ref().filter(|token| !token.is_empty()).ok_or(Error::NoToken)?;
        let token = (header::AUTHORIZATION.as_str(), format!("Bearer {token}"));
        let tenant = session.tenant.as_ref().map(|tenant| ("x-tenant-id", tenant.clone()));
        Ok(Self {
            http: legacy::Client::builder(TokioExecutor::new()).build(connector),
            url: session.url.clone(),
            headers: std::iter::once(token).chain(tenant).collect(),
        })
    }

    pub async fn get(&self, path: &[String], query: &Query<'_>) -> Result<Value, Error> {
        self.call(Method::GET, path, query, Bytes::new()).await
    }

    pub async fn post(&self, path: &[String], query: &Query<'_>, body: &Value) -> Result<Value, Error> {
        self.call(Method::POST, path, query, Bytes::from(body.to_string())).await
    }

    async fn call(&self, method: Method, path: &[String], query: &Query<'_>, body: Bytes) -> Result<Value, Error> {
        let url = self.address(path, query);
        let unreachable = |why: String| Error::Unreachable { url: self.url.clone(), why };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(|error| unreachable(format!("{error}")))?;
        for (name, value) in &self.headers {
            let value =
                HeaderValue::from_str(value).map_err(|_| unreachable(format!("{name} holds a control character")))?;
            request.headers_mut().insert(*name, value);
        }
        let answer = async {
            let response = self.http.request(request).await.map_err(|error| unreachable(causes::chain(&error)))?;
            let status = response.status();
            let bytes =
                response.into_body().collect().await.map_err(|error| unreachable(causes::chain(&error)))?.to_bytes();
            Ok::<_, Error>((status, bytes))
        };
        let late = |_| unreachable(format!("no answer within {} s", PATIENCE.as_secs()));
        let (status, bytes) = tokio::time::timeout(PATIENCE, answer).await.map_err(late)??;
        let foreign = || Error::Foreign { url: self.url.clone(), status };
        let answer: Value = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        if status.is_success() {
            return Ok(answer);
        }
        let word = |name: &str| answer["error"][name].as_str().map(str::to_owned);
        Err(Error::Refused {
            message: word("message").ok_or_else(foreign)?,
            code: word("code").ok_or_else(foreign)?,
            request: word("request_id").ok_or_else(foreign)?,
            details: Box::new(answer["error"]["details"].clone()),
        })
    }

    fn address(&self, path: &[String], query: &Query<'_>) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let given: Vec<_> = query.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        if !given.is_empty() {
            url.query_pairs_mut().extend_pairs(given);
        }
        url
    }
}
