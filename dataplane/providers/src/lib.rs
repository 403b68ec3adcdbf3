//! The one seam to WhatsApp providers. No stage of the pipeline but this crate knows a provider's format.
//!
//! An adapter implements [`Provider`]: it proves that a webhook is genuine and reads it into
//! [`Item`](wigwag_domain::Item)s, writes a message of ours as an HTTP request, and reads the answer to that
//! request into an [`Outcome`]. It does no I/O: ingest and dispatch of the data plane own the sockets, so that
//! every rule here can be tested on bytes.
//!
//! | module | what |
//! | --- | --- |
//! | [`Provider`] | what an adapter can do |
//! | [`Outcome`], [`Unsendable`], [`Refusal`] | what it says of a send, of a message, of a webhook |
//! | [`reason`] | why an update became a dead letter |
//! | [`cloud_api`] | Meta's Cloud API |

pub mod cloud_api;
mod outcome;
mod provider;
pub mod reason;

pub use outcome::{Outcome, Refusal, Unsendable};
pub use provider::{Provider, Verified};
