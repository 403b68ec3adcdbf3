//! From a provider's POST to rows that are durable; then the 200.
//!
//! [`webhook`] proves the signature and reads the updates, [`batch`] turns them into rows, [`flusher`] commits
//! whatever is waiting and answers. Nothing waits longer than a second: the provider delivers again what was not
//! answered 200.

mod batch;
pub mod flusher;
pub mod webhook;

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use wigwag_domain::{ContactId, InboundId, Item, ProviderName, TenantKey};

/// From a POST's last byte to its answer.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Webhooks that may wait for the flusher; more are told to come again.
const WAITING: usize = 1024;

/// The updates of one webhook, on their way to the flusher.
#[derive(Debug)]
pub struct Submission {
    /// Whose secret signed it.
    pub tenant: TenantKey,
    /// By which account it came in.
    pub provider: ProviderName,
    /// Kind of the provider, for the dedupe key.
    pub adapter: &'static str,
    /// Its updates, in order.
    pub items: Vec<Item>,
    /// When its last byte came in.
    pub received: Instant,
    /// Told once its rows are durable, or that they are not.
    pub done: oneshot::Sender<Result<Stored, NotStored>>,
}

/// What a webhook led to.
#[derive(Debug, Default)]
pub struct Stored {
    /// Its new messages and whose they are.
    pub jobs: Vec<(InboundId, ContactId)>,
    /// Messages that had been stored before.
    pub duplicates: u64,
    /// Updates that became dead letters.
    pub dead: u64,
}

/// The rows of a webhook are not known to be durable.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotStored(pub String);

/// The way to the flusher.
#[derive(Clone, Debug)]
pub struct Intake(mpsc::Sender<Submission>);

impl Intake {
    /// A way to the flusher, and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Submission>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Hands a webhook's updates over without waiting.
    ///
    /// # Errors
    /// When too many wait already.
    pub fn submit(&self, submission: Submission) -> Result<(), NotStored> {
        self.0.try_send(submission).map_err(|_| NotStored(format!("{WAITING} webhooks wait to be stored already")))
    }
}
