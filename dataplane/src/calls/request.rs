//! A call as requests: the first from what the node rendered, each further one from a redirect (RFC 9110, 15.4). Pure.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{self, HOST},
};
use http_body_util::Full;
use url::{Position, Url};
use wigwag_domain::{CallFailure, CallHeaderValue, EffectId, HttpCall};

use super::policy::CallPolicy;

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("wigwag/", env!("CARGO_PKG_VERSION")));
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const METHODS: [Method; 6] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD];

/// Headers that belong to the connection, so that a Flow may not write them.
const OURS: [HeaderName; 9] = [
    HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// What goes along to another origin. No other header of an author's does: any may hold a key.
const CARRIED: [HeaderName; 7] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    IDEMPOTENCY_KEY,
    header::USER_AGENT,
];

/// Why a call has no answer, in words for the flow's author: no Secret, and nothing of the customer's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: CallFailure,
    pub(super) message: String,
}

/// One request of a call.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    pub(super) url: Url,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Hop {
    /// The first request of a call.
    ///
    /// # Errors
    /// `invalid` when it is no valid request, `refused` when a Secret may not go there.
    pub(super) fn first(id: EffectId, call: &HttpCall, policy: &CallPolicy) -> Result<Self, Failure> {
        let method = METHODS.into_iter().find(|method| method.as_str() == call.method);
        let method = method.ok_or_else(|| invalid(format!("no method {:?}: write one of {METHODS:?}", call.method)))?;
        let url = checked(&call.url, Url::parse)?;
        let mut headers = headers(call, &url, policy)?;
        if let Some(body) = &call.body
            && !headers.contains_key(header::CONTENT_TYPE)
        {
            headers.insert(header::CONTENT_TYPE, value("content-type", &body.content_type)?);
        }
        if !headers.contains_key(header::USER_AGENT) {
            headers.insert(header::USER_AGENT, USER_AGENT);
        }
        headers.insert(header::ACCEPT_ENCODING, IDENTITY);
        headers.insert(IDEMPOTENCY_KEY, value("idempotency-key", &id.to_string())?);
        let body = call.body.as_ref().map(|body| Bytes::from(body.text.clone())).unwrap_or_default();
        Ok(Self { url, method, headers, body })
    }

    /// The request that an answer redirects to.
    ///
    /// # Errors
    /// `invalid` when the answer names no place that calls can go to.
    pub(super) fn redirected(mut self, status: StatusCode, location: &HeaderValue) -> Result<Self, Failure> {
        let from = self.host();
        let to = String::from_utf8_lossy(location.as_bytes());
        let url = checked(&to, |url| self.url.join(url))
            .map_err(|failure| invalid(format!("{from} redirects to no usable place: {}", failure.message)))?;
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE] {
                self.headers.remove(name);
            }
        }
        if url.origin() != self.url.origin() {
            let carried = self.headers.iter().filter(|(name, _)| CARRIED.contains(name));
            self.headers = carried.map(|(name, value)| (name.clone(), value.clone())).collect();
        }
        self.url = url;
        Ok(self)
    }

    /// The request as it is written.
    ///
    /// # Errors
    /// `invalid` when the URL's path is none for HTTP.
    pub(super) fn request(&self) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::new(Full::new(self.body.clone()));
        let target = &self.url[Position::BeforePath..Position::AfterQuery];
        *request.uri_mut() = target.parse().map_err(|_| invalid("the URL's path is none for HTTP".to_owned()))?;
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        request.headers_mut().insert(HOST, value("host", host)?);
        Ok(request)
    }

    /// The host, for logs and messages.
    pub(super) fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }
}

/// A status that sends a call elsewhere, where there is a `Location`.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn headers(call: &HttpCall, url: &Url, policy: &CallPolicy) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for header in &call.headers {
        let name = HeaderName::try_from(&header.name)
            .map_err(|_| invalid(format!("header {:?} has no valid name: letters, digits and -", header.name)))?;
        if OURS.contains(&name) {
            return Err(invalid(format!("header {:?} belongs to the connection: leave it out", header.name)));
        }
        let value = match &header.value {
            CallHeaderValue::Plain(text) => value(&header.name, text)?,
            CallHeaderValue::Secret { name, key, prefix } => policy.secret(url, name, key, prefix)?,
        };
        headers.append(name, value);
    }
    Ok(headers)
}

fn value(name: &str, text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::try_from(text)
        .map_err(|_| invalid(format!("header {name:?} has a line break or another control character in its value")))
}

/// A URL that calls can go to. The text is not repeated in the message: what the customer wrote may stand in it.
fn checked(text: &str, parse: impl FnOnce(&str) -> Result<Url, url::ParseError>) -> Result<Url, Failure> {
    // The parser would drop them silently.
    if text.chars().any(char::is_control) {
        return Err(invalid("the URL has a line break or another control character".to_owned()));
    }
    let url = parse(text).map_err(|error| invalid(format!("the URL does not read: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("the URL is neither http nor https".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("the URL holds a user or a password: send them in a header".to_owned()));
    }
    Ok(url)
}

fn invalid(message: String) -> Failure {
    Failure { class: CallFailure::Invalid, message }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Uuid;
    use wigwag_domain::{CallBody, CallHeader};

    use super::*;

    fn call(method: &str, url: &str, headers: &[(&str, &str)]) -> HttpCall {
        let plain = |(name, value): &(&str, &str)| CallHeader {
            name: (*name).to_owned(),
            value: CallHeaderValue::Plain((*value).to_owned()),
        };
        HttpCall {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.iter().map(plain).collect(),
            body: Some(CallBody { content_type: "application/json".to_owned(), text: "{}".to_owned() }),
            timeout_ms: 1000,
            repeatable: false,
        }
    }

    fn first(method: &str, url: &str, headers: &[(&str, &str)]) -> Result<Hop, Failure> {
        Hop::first(EffectId(Uuid::from_u128(7)), &call(method, url, headers), &CallPolicy::default())
    }

    fn redirected(method: &str, status: u16, location: &'static str) -> Hop {
        let headers = [("Authorization", "Bearer x"), ("X-Api-Key", "k"), ("Accept", "text/plain")];
        let hop = first(method, "https://a.example/x/y?q=1", &headers).unwrap();
        hop.redirected(StatusCode::from_u16(status).unwrap(), &HeaderValue::from_static(location)).unwrap()
    }

    #[test]
    fn a_request_names_its_host_itself_and_the_effect_as_its_idempotency_key() {
        let hop = first("POST", "http://a.example:8080/x/../y?q=%20#part", &[("x-a", "1"), ("x-a", "2")]).unwrap();
        let request = hop.request().unwrap();
        assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("POST", "/y?q=%20"));
        assert_eq!(request.headers()["host"], "a.example:8080");
        assert_eq!(request.headers()["idempotency-key"], "00000000-0000-0000-0000-000000000007");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.headers()["accept-encoding"], "identity");
        assert!(request.headers()["user-agent"].to_str().unwrap().starts_with("wigwag/"));
        assert_eq!(request.headers().get_all("x-a").iter().count(), 2);
        let own = first("POST", "http://a.example", &[("Idempotency-Key", "mine"), ("User-Agent", "shop/2")]).unwrap();
        assert_eq!(own.headers["idempotency-key"], "00000000-0000-0000-0000-000000000007", "no author replaces it");
        assert_eq!(own.headers["user-agent"], "shop/2");
    }

    #[test]
    fn what_is_no_valid_request_is_not_sent_and_what_the_customer_wrote_is_not_repeated() {
        let no_headers: [(&str, &str); 0] = [];
        for url in [
            "",
            "a.example",
            "ftp://a.example",
            "file:///etc/passwd",
            "https://u:p@a.example",
            "https://u@a.example",
            "https://a.example/\r\nX-Evil: 1",
            "https://a.example/\tx",
            "https://[",
            "https://a.example:99999",
        ] {
            let failure = first("GET", url, &no_headers).unwrap_err();
            assert_eq!(failure.class, CallFailure::Invalid, "{url}");
            assert!(!failure.message.contains("Evil"), "{}", failure.message);
        }
        for header in [("x y", "1"), ("", "1"), ("x", "a\r\nX-Evil: 1"), ("x", "\0"), ("Host", "b"), ("te", "x")] {
            let failure = first("GET", "https://a.example", &[header]).unwrap_err();
            assert_eq!(failure.class, CallFailure::Invalid, "{header:?}");
            assert!(!failure.message.contains("Evil"), "{}", failure.message);
        }
        for method in ["get", "CONNECT", "TRACE", "G ET", ""] {
            assert_eq!(first(method, "https://a.example", &no_headers).unwrap_err().class, CallFailure::Invalid);
        }
    }

    #[test]
    fn the_method_after_a_redirect_is_that_of_rfc_9110() {
        let table = [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "POST", "GET"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
            (301, "PUT", "PUT"),
            (303, "PUT", "GET"),
            (302, "DELETE", "DELETE"),
            (303, "HEAD", "HEAD"),
            (302, "GET", "GET"),
        ];
        for (status, before, after) in table {
            let hop = redirected(before, status, "/z");
            assert_eq!(hop.method.as_str(), after, "{status} {before}");
            assert_eq!(hop.body.is_empty(), before != after, "{status} {before}: a new GET has no body");
            assert_eq!(hop.headers.contains_key("content-type"), before == after, "{status} {before}");
        }
    }

    #[test]
    fn a_redirect_within_the_origin_keeps_the_headers_and_one_to_another_keeps_no_authors() {
        let within = redirected("POST", 307, "../z?r=2");
        assert_eq!(within.url.as_str(), "https://a.example/z?r=2");
        assert!(within.headers.contains_key("authorization") && within.headers.contains_key("x-api-key"));
        for elsewhere in ["https://b.example/", "http://a.example/", "https://a.example:444/", "//b.example/x"] {
            let hop = redirected("POST", 307, elsewhere);
            let names: Vec<_> = hop.headers.keys().map(HeaderName::as_str).collect();
            assert!(!names.contains(&"authorization") && !names.contains(&"x-api-key"), "{elsewhere}: {names:?}");
            assert!(names.contains(&"accept") && names.contains(&"content-type") && names.contains(&"idempotency-key"));
        }
    }

    #[test]
    fn a_redirect_to_what_is_no_web_address_is_not_followed() {
        let hop = first("GET", "https://a.example", &[]).unwrap();
        for location in ["file:///etc/passwd", "https://u:p@b.example", "gopher://b.example", "https://"] {
            let failure = hop.clone().redirected(StatusCode::FOUND, &HeaderValue::from_static(location)).unwrap_err();
            assert_eq!(failure.class, CallFailure::Invalid, "{location}");
        }
    }
}
