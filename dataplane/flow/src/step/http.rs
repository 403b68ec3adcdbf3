//! Calls to endpoints: what goes out, and what their answers lead to.

use jiff::SignedDuration;
use serde_json::{Value, json};
use wigwag_domain::{CallBody, CallFailure, CallHeader, CallHeaderValue, CallResult, HttpCall};

use super::{
    Failure, FailureKind,
    run::{Run, Then},
};
use crate::{
    SessionStatus,
    program::{HeaderValue, Http, Kind, Node, Settles},
    session::Wait,
    template::Within,
};

/// The largest body of a call, in bytes.
const MAX_BODY: usize = 64 * 1_024;
/// The longest URL and header value, in UTF-16 units.
const MAX_URL: usize = 4_000;
const MAX_HEADER: usize = 4_000;
/// What the host may take beyond the call's own time, before its result counts as lost.
const GRACE: SignedDuration = SignedDuration::from_secs(30);
/// How much longer the session waits for what the host says then.
const LAST: SignedDuration = SignedDuration::from_secs(10);

impl Run<'_> {
    pub(super) fn call_endpoint(&mut self, http: &Http) -> Result<Then, Failure> {
        match self.request(http)? {
            Ok(call) => {
                let deadline = self.after(http.timeout).saturating_add(GRACE).unwrap_or(self.at);
                let until = deadline.saturating_add(LAST).unwrap_or(deadline);
                let id = self.call(call, deadline);
                self.stand(SessionStatus::Active, Wait::Result { id, since: self.at, until })
            }
            Err(message) => self.settle(http, &CallResult::Failed { class: CallFailure::Invalid, message }),
        }
    }

    /// The call with its values; the inner error says why it would be no valid request.
    fn request(&mut self, http: &Http) -> Result<Result<HttpCall, String>, Failure> {
        let url = self.render_whole(&http.url, "url", MAX_URL, Within::Url)?;
        if let Err(message) = check_url(&url) {
            return Ok(Err(message));
        }
        let mut headers = Vec::new();
        for (name, value) in &http.headers {
            let value = match value {
                HeaderValue::Text(template) => {
                    let value = self.render_whole(template, "headers", MAX_HEADER, Within::Text)?;
                    if let Err(message) = check_header(name, &value) {
                        return Ok(Err(message));
                    }
                    CallHeaderValue::Plain(value.trim().to_owned())
                }
                HeaderValue::Secret { name, key, prefix } => {
                    CallHeaderValue::Secret { name: name.clone(), key: key.clone(), prefix: prefix.clone() }
                }
            };
            headers.push(CallHeader { name: name.clone(), value });
        }
        let body = match &http.body {
            Some(tree) => Some(match self.render_tree(tree, "body", MAX_BODY)? {
                Value::String(text) => CallBody { content_type: "text/plain; charset=utf-8".to_owned(), text },
                value => CallBody { content_type: "application/json".to_owned(), text: value.to_string() },
            }),
            None => None,
        };
        if let Some(CallBody { text, .. }) = &body
            && text.len() > MAX_BODY
        {
            return Ok(Err(format!("the body came out larger than {} KiB: send less", MAX_BODY / 1_024)));
        }
        Ok(Ok(HttpCall {
            method: http.method.to_owned(),
            url,
            headers,
            body,
            timeout_ms: u64::try_from(http.timeout.as_millis()).unwrap_or(u64::MAX),
            repeatable: http.repeatable,
        }))
    }

    /// Takes the result that the session waits for.
    pub(super) fn take_result(&mut self, result: &CallResult) -> Result<Then, Failure> {
        let Some(Node { kind: Kind::Http(http), .. }) = self.stands_at() else { return Err(self.lost()) };
        self.settle(http, result)
    }

    /// Where a result leads.
    fn settle(&mut self, http: &Http, result: &CallResult) -> Result<Then, Failure> {
        if let (Some(into), Some(value)) = (&http.into, kept(&http.settles, result)) {
            self.keep(into, value)?;
        }
        let Settles::ByClass(ways) = &http.settles else { return Ok(Then::Go(http.next)) };
        let (class, kind, message) = match result {
            CallResult::Answered { status: ..400, .. } => return Ok(Then::Go(http.next)),
            CallResult::Answered { status, .. } => {
                let (class, kind) =
                    if *status < 500 { ("4xx", FailureKind::Http4xx) } else { ("5xx", FailureKind::Http5xx) };
                (class, kind, format!("the endpoint answered {status}"))
            }
            CallResult::Failed { class, message } => (class.as_str(), failure_kind(*class), message.clone()),
        };
        self.own_way(ways.get(class).copied(), kind, message)
    }
}

/// A value may be longer than any URL; and `..` in a path, which no encoding hides, leads to another place.
fn check_url(url: &str) -> Result<(), String> {
    if url.encode_utf16().count() > MAX_URL {
        return Err(format!("the URL came out longer than {MAX_URL} characters: send a long value in the body"));
    }
    let path = url.split(['?', '#']).next().unwrap_or_default();
    if path.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) {
        return Err("the URL came out with . or .. in its path: check the value before it is used".to_owned());
    }
    Ok(())
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    if value.encode_utf16().count() > MAX_HEADER {
        return Err(format!("the value of header {name} came out longer than {MAX_HEADER} characters: send less"));
    }
    if value.contains(char::is_control) {
        return Err(format!("the value of header {name} came out with a line break or the like: send it in the body"));
    }
    Ok(())
}

/// What of a result is kept.
fn kept(settles: &Settles, result: &CallResult) -> Option<Value> {
    match (settles, result) {
        (Settles::ByClass(_), CallResult::Answered { status, body }) => Some(json!({"status": status, "body": body})),
        (Settles::ByClass(_), CallResult::Failed { .. }) => None,
        (Settles::Always, CallResult::Answered { body, .. }) => Some(body.clone()),
        (Settles::Always, CallResult::Failed { .. }) => Some(json!({"error": "API call failed"})),
    }
}

const fn failure_kind(class: CallFailure) -> FailureKind {
    match class {
        CallFailure::Timeout => FailureKind::HttpTimeout,
        CallFailure::Network => FailureKind::HttpNetwork,
        CallFailure::Refused => FailureKind::HttpRefused,
        CallFailure::TooLarge => FailureKind::HttpTooLarge,
        CallFailure::Invalid => FailureKind::HttpInvalid,
        CallFailure::Unknown => FailureKind::HttpUnknown,
    }
}
