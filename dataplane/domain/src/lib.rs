//! What the stages of the pipeline hand to each other. Pure: no I/O, no clock, and no provider's format.
//!
//! A provider's adapter turns a POST into [`Item`]s; ingest stores them; the lanes hand stored [`Payload`]s to the
//! flow engine, which answers with [`Body`]s to send; dispatch hands each to an adapter; receipts move its
//! [`Status`] up.

mod call;
mod content;
mod dedupe;
mod id;
mod inbound;
mod item;
mod outbound;
mod status;
mod text;

pub use call::{CallBody, CallFailure, CallHeader, CallHeaderValue, CallResult, HttpCall};
pub use content::{Content, Media, MediaKind, Tap, TapKind};
pub use dedupe::DedupeKey;
pub use id::{
    ContactId, EffectId, InboundId, JobId, JobKind, LANES, Lane, OutboundId, ProviderName, SessionId, SignalId,
    TenantKey, WaitId,
};
pub use inbound::{Inbound, Payload, Sender};
pub use item::{DeadLetter, Item, Receipt, ReceiptError};
pub use outbound::{
    Body, Choice, FormMessage, Header, MediaSource, OutboundMedia, Recipient, TemplateComponent, TemplateMessage,
    TemplateParameter, TemplateValue,
};
pub use status::Status;
pub use text::{clean, cut, digits};
