//! Conversations from the outside: Flows as people write them, messages in, what the customer sees out.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod ask;
mod branch;
mod budgets;
mod call;
mod check;
mod conversation;
mod customers;
mod editor;
mod failures;
mod findings;
mod findings_between;
mod findings_editor;
mod findings_lengths;
mod form;
mod handoff;
mod http;
mod options;
mod pauses;
mod properties;
mod support;
mod talk;
mod triggers;
