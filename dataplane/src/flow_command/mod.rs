//! `wigwag-dataplane flow simulate | graph | replay`: what people who write Flows work with, beside the check.
//!
//! | module | what |
//! | --- | --- |
//! | `manifests` | the files that are named |
//! | `act`, `conversation` | a conversation without a provider, a database or a wall clock |
//! | `screen` | messages as customers see them |
//! | [`simulate`], `prompt`, `record` | the conversation in a terminal |
//! | `script`, `play`, `compare` | the conversation as a script has it |
//! | [`graph`] | a Flow as a diagram |
//! | [`replay`] | a conversation of the past, stepped again |

mod act;
mod compare;
mod conversation;
pub mod graph;
mod manifests;
mod play;
mod prompt;
mod record;
pub mod replay;
mod screen;
mod script;
pub mod simulate;
#[cfg(test)]
mod tests;

/// Exit code: all is as it should be.
pub const GOOD: u8 = 0;
/// Exit code: the conversation went otherwise.
pub const DIFFERENT: u8 = 1;
/// Exit code: what was named cannot be read.
pub const UNREADABLE: u8 = 2;
