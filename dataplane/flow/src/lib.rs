//! Conversations: what a Flow says to a customer, and when.
//!
//! [`compile`] checks a Flow and makes a [`Program`] of it; [`best`] finds the program that a message starts; [`start`]
//! and [`step`] take a [`Session`] from one message to the next and tell what goes out.
//!
//! Pure: no I/O, no clock and no randomness. The host hands in the stored session and the message, and commits what
//! comes out; handing in the same again gives the same, ids included.

mod compile;
mod context;
mod expression;
mod findings;
mod fold;
mod message;
mod program;
mod question;
mod session;
mod step;
mod suggest;
mod template;
mod trigger;

pub use compile::{Compiled, compile};
pub use program::Program;
pub use session::{Session, SessionStatus};
pub use step::{Contact, Effect, Event, Failure, FailureKind, Incoming, Problem, ProblemKind, Step, start, step};
pub use trigger::{Rank, best, compare_triggers};
