//! Every SQL statement of Wigwag, one module for each table, and one for each statement that must touch several at
//! once: [`flush`] (what came in), [`effects`] (what a job led to), [`settle`] (what became of a send).
//!
//! Nothing here decides anything: the pipeline's stages do. What is settled here are orders and locks. Whoever
//! changes `outbound` locks its rows in the order of ids and only then touches `outbox`; whoever commits an effect
//! holds its lane in share mode, which an owner of a later epoch waits for.

pub mod channel;
pub mod connection;
pub mod contact;
pub mod dead_letter;
pub mod dedupe;
pub mod effect;
pub mod effects;
pub mod error;
pub mod flow_revision;
pub mod flush;
pub mod inbound;
pub mod job_ready;
pub mod lane;
pub mod migrate;
pub mod outbound;
pub mod outbox;
pub mod receipt;
pub mod replica;
pub mod session;
pub mod session_event;
pub mod session_view;
pub mod settle;
pub mod signal;
pub mod tenant_key;
pub mod timer;

pub use error::{Error, Fault};
pub use job_ready::ReadyJob;
pub use lane::LaneEpoch;
pub use sqlx::{PgConnection, PgPool};
