//! The simulator over real HTTP, against a receiver and a sender that know nothing of its insides.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod bed;
mod content;
mod endpoint;
mod faults;
mod process;
mod protocol;
mod webhooks;
