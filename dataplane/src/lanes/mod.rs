//! Who works on what, and the work: a contact's messages are handled one at a time and in order, by the one replica
//! that owns the contact's lane.
//!
//! [`lease`] takes, keeps and gives back lanes; [`ownership`] is what the process knows of it; [`mailbox`] holds
//! what waits, by contact; [`worker`] steps the conversations and commits what they lead to.

mod crash_loop;
pub mod fence;
pub mod hint;
pub mod lease;
pub mod mailbox;
pub mod ownership;
mod reading;
mod rows;
pub mod worker;
