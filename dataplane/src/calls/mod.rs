//! Calls of conversations to HTTP endpoints of others: once each, as far as that can be had.
//!
//! A step's commit leaves a call in the table `effect`. It is marked `sending` in the database before anything of it is
//! written to the endpoint, so that after a crash it is known what may have gone out; its result is stored and becomes
//! a job of its session in one statement. What the end of a call means:
//!
//! | what happened | result |
//! | --- | --- |
//! | an answer, whatever its status | `Answered` |
//! | no DNS, no connection, no TLS: certainly not sent | `network` |
//! | the connection broke after the request was begun | once more if repeatable, else `unknown`; then `network` |
//! | no whole answer in time, or no turn before its deadline | `timeout` |
//! | the process died, or went down, while it was under way | repeated if repeatable, else `unknown` |
//! | a closed address, a Secret that may not go there, a 4th redirect | `refused` |
//!
//! | module | what |
//! | --- | --- |
//! | [`address`], [`policy`] | where calls may go, which Secrets they may take along |
//! | `request`, `connect`, [`caller`] | a call as HTTP requests, each over a connection to a checked address |
//! | `queue` | which call goes next: a stuck endpoint holds up nobody else's |
//! | [`runner`], `writer` | marks and makes calls; stores their results |
//! | [`under_way`] | calls without an answer yet, given up when the process goes down |

pub mod address;
pub mod caller;
pub mod connect;
pub mod policy;
mod queue;
mod request;
pub mod runner;
#[cfg(test)]
mod tests;
pub mod under_way;
mod writer;

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use url::Url;
use wigwag_domain::{CallFailure, CallResult, EffectId, HttpCall, Lane, SessionId, TenantKey};
use wigwag_store::ReadyJob;

/// Batches of committed calls that may wait for the runner; more are found in the table.
const WAITING: usize = 1024;

/// A call that was committed just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    id: EffectId,
    tenant: TenantKey,
    lane: Lane,
    session: SessionId,
    endpoint: Endpoint,
}

/// Whom a call asks: its calls wait for each other, and for no others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Endpoint {
    tenant: TenantKey,
    host: String,
    port: u16,
}

/// The way to the runner.
#[derive(Clone, Debug)]
pub struct Calls {
    sender: mpsc::Sender<Vec<NewCall>>,
    lost: Arc<Notify>,
}

// === impl NewCall ===

impl NewCall {
    /// A call that a job led to.
    #[must_use]
    pub fn new(id: EffectId, job: &ReadyJob, session: SessionId, call: &HttpCall) -> Self {
        let (tenant, lane) = (job.tenant.clone(), job.lane);
        let endpoint = Endpoint::of(&tenant, &call.url);
        Self { id, tenant, lane, session, endpoint }
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// What does not read as a URL has an endpoint too: it gets its result like any other.
    fn of(tenant: &TenantKey, url: &str) -> Self {
        let url = Url::parse(url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or_default();
        Self { tenant: tenant.clone(), host, port }
    }
}

// === impl Calls ===

impl Calls {
    /// The way, and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Vec<NewCall>>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender, lost: Arc::default() }, receiver)
    }

    /// Hands committed calls over. Where too many wait they are left in the table, and the runner is told to look
    /// there.
    pub fn begin(&self, calls: Vec<NewCall>) {
        if !calls.is_empty() && self.sender.try_send(calls).is_err() {
            self.lost.notify_one();
        }
    }

    /// Waits until something was left in the table.
    async fn lost(&self) {
        self.lost.notified().await;
    }
}

/// A result that we give to a call ourselves.
fn failed(class: CallFailure, message: &str) -> CallResult {
    CallResult::Failed { class, message: message.to_owned() }
}

/// A result as it is stored.
fn stored(result: &CallResult) -> String {
    // Strings, numbers and JSON values: there is nothing in it that could not be written.
    serde_json::to_string(result).unwrap_or_default()
}

/// What a call gets that may have gone out when its process died, and that may not be repeated: JSON of [`CallResult`].
#[must_use]
pub fn lost_with_its_process() -> String {
    stored(&failed(
        CallFailure::Unknown,
        "the process that made the call ended before its answer was stored: look at the endpoint whether it arrived, \
         or set `repeatable` if a second call does no harm",
    ))
}
