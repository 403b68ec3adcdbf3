//! From the outbox to the provider: in order for each contact, one send in flight each, within the number's limits.
//!
//! [`queues`] holds what waits, by contact; [`limits`] says what may go now; a message is marked `sending` in the
//! database before its request is written, so that a crash leaves `unknown` and never a second send; [`sender`] posts
//! it; [`settler`] writes what became of it.

pub mod dispatcher;
pub mod in_flight;
pub mod limits;
mod outcome;
pub mod queues;
pub mod sender;
pub mod settler;
pub mod traffic;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc};
use wigwag_domain::{Body, InboundId, OutboundId, ProviderName, Recipient, TemplateMessage};
use wigwag_store::{ReadyJob, outbox::Queued};

/// Batches of committed messages that may wait for the dispatcher; more are found in the table.
const WAITING: usize = 1024;

/// A message in its queue, with its text where it is at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Its place.
    pub queued: Queued,
    /// What to send and to whom; read from the table where it is not here.
    pub letter: Option<Letter>,
}

/// What to send, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// The job that led to it: its trace.
    pub job: Option<InboundId>,
    /// The account by which it goes out.
    pub provider: ProviderName,
    /// What it says.
    pub body: Body,
    /// What goes instead where the customer has not written for 24 hours.
    pub fallback: Option<TemplateMessage>,
    /// Until when, as far as is known, the customer may be sent anything; then it is looked up again.
    pub window: Option<Timestamp>,
    /// To whom.
    pub to: Recipient,
}

impl Outgoing {
    /// A message that a job led to and that was committed just now.
    #[must_use]
    pub fn new(
        id: OutboundId,
        job: &ReadyJob,
        provider: ProviderName,
        body: Body,
        fallback: Option<TemplateMessage>,
        to: Recipient,
    ) -> Self {
        let queued = Queued {
            id,
            seq: 0,
            tenant: job.tenant.clone(),
            lane: job.lane,
            contact: job.contact,
            attempt: 0,
            unknown: false,
            wait: Duration::ZERO,
        };
        let job = InboundId(job.job.0);
        let letter = Letter { job: Some(job), provider, body, fallback, window: Some(window(job)), to };
        Self { queued, letter: Some(letter) }
    }
}

/// How long after a customer's message anything but an approved template may be sent: 24 hours (Meta, "Send messages"),
/// less a minute for clocks that differ.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_mins(24 * 60 - 1);

/// Until when a customer who sent this may be sent anything.
fn window(message: InboundId) -> Timestamp {
    let received = Timestamp::from_millisecond(message.millis()).unwrap_or(Timestamp::UNIX_EPOCH);
    received.saturating_add(WINDOW).unwrap_or(received)
}

/// The way to the dispatcher.
#[derive(Clone, Debug)]
pub struct Dispatch {
    sender: mpsc::Sender<Vec<Outgoing>>,
    lost: Arc<Notify>,
}

impl Dispatch {
    /// The way, and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Vec<Outgoing>>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender, lost: Arc::default() }, receiver)
    }

    /// Hands committed messages over. Where too many wait they are left in the table, and the dispatcher is told to
    /// look there before it sends anything else.
    pub fn send(&self, messages: Vec<Outgoing>) {
        if !messages.is_empty() && self.sender.try_send(messages).is_err() {
            self.lost.notify_one();
        }
    }

    /// Something stands in the table that was not handed over.
    pub fn look(&self) {
        self.lost.notify_one();
    }

    /// Waits until something was left in the table.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }
}
