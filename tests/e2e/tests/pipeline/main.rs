//! The pipeline, from a webhook to a settled receipt: the data plane's own processes, real PostgreSQL, and the simulator
//! over HTTP. No Kubernetes.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod batches;
mod chaos;
mod conversations;
mod lanes;
mod receipts;
mod signatures;
mod what_people_see;
mod windows;
