//! Conversations from the outside: Flows as people write them, messages in, what the customer sees out.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod budgets;
mod check;
mod conversation;
mod properties;
mod support;
mod triggers;
