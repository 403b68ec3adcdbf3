//! The pipeline, from a webhook to a settled receipt: the data plane's own processes, real PostgreSQL, and the simulator
//! over HTTP. No Kubernetes.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod api;
mod batches;
mod calls;
mod chaos;
mod conversations;
mod failures;
mod handoff;
mod hostile;
mod isolation;
mod lanes;
mod receipts;
mod replay;
mod revisions;
mod signatures;
mod support;
mod taps;
mod timers;
mod what_people_see;
mod window;
mod windows;
