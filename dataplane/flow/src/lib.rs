//! Conversations: what a Flow says to a customer, and when.
//!
//! [`compile`] checks a Flow and makes a [`Program`] of it; [`best`] finds the program that a message starts; [`start`]
//! and [`step`] take a [`Session`] from one message to the next and tell what goes out.
//!
//! Pure: no I/O, no clock and no randomness. The host hands in the stored session and the message, and commits what
//! comes out; handing in the same again gives the same, ids included.

mod answer;
mod compile;
mod context;
mod escape;
mod expression;
mod findings;
mod fold;
mod message;
mod path;
mod program;
mod question;
mod resume;
mod script;
mod session;
mod step;
mod suggest;
mod template;
mod tenant;
mod trigger;

pub use compile::{Compiled, compare_calls, compile, unknown_variables};
pub use context::is_context_key;
pub use escape::{Escaped, escaped};
pub use program::{Linked, Program};
pub use resume::{Resume, ResumeKey};
pub use session::{Session, SessionStatus};
pub use step::{
    Contact, Effect, Event, Failure, FailureKind, Incoming, OPTED_OUT, Passage, Passed, Problem, ProblemKind, Release,
    ReleaseTo, Step, What, World, start, step,
};
pub use tenant::Tenant;
pub use trigger::{Rank, best, compare_triggers, interrupting};
