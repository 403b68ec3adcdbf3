//! What an adapter can do for the pipeline: `challenge`, `verify` and `parse` for ingest, `request` and `answer` for
//! dispatch.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use wigwag_domain::{Body, Item, OutboundId, Recipient};

use crate::{Outcome, Refusal, Unsendable};

/// A number of ours at a provider.
pub trait Provider: Send + Sync {
    /// The kind of provider, such as `cloud_api`: part of the key by which repeated messages are known, so it never
    /// changes.
    fn kind(&self) -> &'static str;

    /// The provider's id of our number.
    fn channel(&self) -> &str;

    /// Answers the provider's verification request: the text to give back, as `text/plain` with status 200.
    ///
    /// # Errors
    /// When the request does not carry our token.
    fn challenge(&self, query: &str) -> Result<String, Refusal>;

    /// Whether this is the token with which the provider asks to be answered by [`challenge`](Self::challenge): programs
    /// that know it may start conversations by hand.
    fn is_verify_token(&self, token: &str) -> bool;

    /// Proves that the provider signed exactly these bytes: `body` is what came over the wire, before anything read
    /// it.
    ///
    /// # Errors
    /// When there is no signature, or not the right one. The error never holds what would have been right.
    fn verify<'a>(&self, headers: &HeaderMap, body: &'a [u8]) -> Result<Verified<'a>, Refusal>;

    /// Reads a webhook into its updates, in their order. What cannot be handled becomes an
    /// [`Item::Dead`] of its own with its bytes as they came; its neighbours are handled.
    /// `received` stands in for times that cannot be read.
    fn parse(&self, verified: Verified<'_>, received: Timestamp) -> Vec<Item>;

    /// Writes a message as the provider's request. `id` comes back with the receipts.
    ///
    /// # Errors
    /// When no request could say this: trying again does not help.
    fn request(&self, id: OutboundId, to: &Recipient, body: &Body) -> Result<Request<Bytes>, Unsendable>;

    /// Reads the answer to a [`request`](Self::request).
    fn answer(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Outcome;
}

/// The body of a webhook whose signature was right; only [`Provider::verify`] makes one.
#[derive(Clone, Copy)]
pub struct Verified<'a>(pub(crate) &'a [u8]);
