//! What a webhook brings: each update of a batch is one [`Item`], with a fate of its own.

use jiff::Timestamp;

use crate::{Inbound, OutboundId, Status};

/// One update of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A customer wrote.
    Message(Box<Inbound>),
    /// The provider tells what became of a message of ours.
    Receipt(Receipt),
    /// Nothing that we know how to handle: kept as it came.
    Dead(DeadLetter),
}

/// What became of a message of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The provider's id of our message.
    pub provider_id: String,
    /// Our own id, where the provider echoes it.
    pub our_id: Option<OutboundId>,
    /// How far it got.
    pub status: Status,
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// Why it failed.
    pub error: Option<ReceiptError>,
}

/// A provider's word on why a message failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptError {
    /// The provider's code.
    pub code: i32,
    /// The provider's words; they hold no text of the message.
    pub title: String,
}

/// What could not be handled, kept so that nothing received is lost, and it can be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Why, as a word of a small closed set: it is a metric's label.
    pub reason: &'static str,
    /// What exactly, in words.
    pub detail: String,
    /// The bytes as they came.
    pub raw: Vec<u8>,
}
