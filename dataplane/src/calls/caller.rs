//! One call: its requests over HTTP, and what their end means.
//!
//! What matters is whether an endpoint may have seen it. Until a connection stands nothing was sent (`network`). Once a
//! request is being written, an answer that never comes whole is lost: the call is made once more if it may be
//! repeated, else it is `unknown`. What took too long is `timeout`, wherever it stood, and is not repeated: there is no
//! time left.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Response, header::LOCATION};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use wigwag_domain::{CallFailure, CallResult, EffectId, HttpCall, clean};

use super::{
    connect::connect,
    policy::CallPolicy,
    request::{Failure, Hop, is_redirect},
};
use crate::tls::{self, NoTls};

/// Largest answer, in bytes.
pub const ANSWER_LIMIT: usize = 256 * 1024;
/// Redirects that are followed.
pub const REDIRECTS: usize = 3;

/// Makes calls. Each has connections of its own: a pool would have to know for which tenant an address was checked.
#[derive(Clone)]
pub struct Caller {
    tls: TlsConnector,
}

/// It was not sent: the lease had ended, so it is not ours to send any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSent;

/// Why a request led to no answer.
enum Halt {
    Failed(Failure),
    /// It may have gone out, and its answer did not come whole.
    Lost(Failure),
    NotSent,
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Caller {
    /// A caller that trusts the machine's root certificates.
    ///
    /// # Errors
    /// When the machine has none.
    pub fn new() -> Result<Self, NoTls> {
        Ok(Self::with_tls(tls::client()?))
    }

    pub(super) fn with_tls(mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { tls: Arc::new(tls).into() }
    }

    /// Makes a call, within `patience` from the first look-up to the last byte of the answer. `may_send` is asked right
    /// before each request is written.
    ///
    /// # Errors
    /// When it was certainly not sent, because it may not be sent any more.
    pub async fn call(
        &self,
        id: EffectId,
        call: &HttpCall,
        policy: &CallPolicy,
        patience: Duration,
        may_send: impl Fn() -> bool,
    ) -> Result<CallResult, NotSent> {
        let deadline = Instant::now() + patience;
        let whole = async {
            match self.follow(id, call, policy, deadline, &may_send).await {
                Err(Halt::Lost(_)) if call.repeatable => self.follow(id, call, policy, deadline, &may_send).await,
                end => end,
            }
        };
        let failure = match timeout_at(deadline.into(), whole).await {
            Ok(Ok(answered)) => return Ok(answered),
            Ok(Err(Halt::NotSent)) => return Err(NotSent),
            Ok(Err(Halt::Failed(failure) | Halt::Lost(failure))) => failure,
            Err(_) => Failure {
                class: CallFailure::Timeout,
                message: format!("no whole answer within {} ms: give the node a longer timeout", patience.as_millis()),
            },
        };
        Ok(CallResult::Failed { class: failure.class, message: failure.message })
    }

    /// From the first request to the answer that is no redirect.
    async fn follow(
        &self,
        id: EffectId,
        call: &HttpCall,
        policy: &CallPolicy,
        deadline: Instant,
        may_send: &impl Fn() -> bool,
    ) -> Result<CallResult, Halt> {
        let mut hop = Hop::first(id, call, policy)?;
        // What a broken connection means depends on whether the call may be made again.
        let lost = |message| {
            let class = if call.repeatable { CallFailure::Network } else { CallFailure::Unknown };
            Halt::Lost(Failure { class, message })
        };
        for redirects in 0..=REDIRECTS {
            let connection = connect(&hop.url, policy, &self.tls, deadline).await?;
            let request = hop.request()?;
            let (mut sender, driver) = http1::handshake(connection).await.map_err(|error| broken(&hop, &error))?;
            let _driver = AbortOnDropHandle::new(tokio::spawn(driver));
            // A process that was frozen up to here may have lost its lane meanwhile.
            if !may_send() {
                let message = format!("{} was not asked: the process had stood still for too long", hop.host());
                return Err(if redirects == 0 { Halt::NotSent } else { lost(message) });
            }
            let answer = match sender.send_request(request).await {
                Ok(answer) => answer,
                // hyper says so of a request of which it wrote nothing.
                Err(error) if error.is_canceled() => return Err(broken(&hop, &error).into()),
                Err(error) => return Err(lost(broken(&hop, &error).message)),
            };
            let status = answer.status();
            match answer.headers().get(LOCATION) {
                Some(location) if is_redirect(status) => hop = hop.redirected(status, location)?,
                _ => return answered(&hop, answer, lost).await,
            }
        }
        let message = format!("more than {REDIRECTS} redirects, the last to {}: call where they end", hop.host());
        Err(Failure { class: CallFailure::Refused, message }.into())
    }
}

/// The answer, once it is whole.
async fn answered(hop: &Hop, answer: Response<Incoming>, lost: impl Fn(String) -> Halt) -> Result<CallResult, Halt> {
    let status = answer.status().as_u16();
    match Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await {
        Ok(body) => Ok(CallResult::Answered { status, body: value(&body.to_bytes()) }),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("{} answered more than {} KiB: ask it for less", hop.host(), ANSWER_LIMIT / 1024);
            Err(Failure { class: CallFailure::TooLarge, message }.into())
        }
        Err(error) => Err(lost(format!("{}: the answer broke off: {error}", hop.host()))),
    }
}

fn broken(hop: &Hop, error: &hyper::Error) -> Failure {
    Failure { class: CallFailure::Network, message: format!("{}: the connection broke: {error}", hop.host()) }
}

/// A body as a Flow sees it: JSON where it is JSON, else text; null where it is empty.
fn value(body: &[u8]) -> Value {
    // Some servers begin JSON with a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice(body) {
        Ok(mut json) => {
            clean_strings(&mut json);
            json
        }
        Err(_) => Value::String(clean(&String::from_utf8_lossy(body)).into_owned()),
    }
}

/// The parser takes no more than 128 levels.
fn clean_strings(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = clean(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(clean_strings),
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                *fields =
                    std::mem::take(fields).into_iter().map(|(key, value)| (clean(&key).into_owned(), value)).collect();
            }
            fields.values_mut().for_each(clean_strings);
        }
        _ => {}
    }
}
