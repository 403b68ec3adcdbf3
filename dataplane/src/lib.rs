//! Wigwag's data plane: receives webhooks, runs conversations, sends replies.
//!
//! ```text
//! provider --POST--> ingest --> inbound, job_ready --> lanes --> flow engine --> outbound, outbox --> dispatch --POST--> provider
//!                      |  200 after commit                                                                        |
//!                      +---- receipts move outbound up <-------- status webhooks <------------------------------+
//! ```
//!
//! | module | what |
//! | --- | --- |
//! | [`config`], [`activation`] | files into what runs |
//! | [`ingest`] | webhooks into rows, then the 200 |
//! | [`lanes`] | which replica works on which contacts, and the work |
//! | [`router`], [`programs`], [`signals`] | which conversation something belongs to |
//! | [`api`] | what people and programs tell conversations |
//! | [`dispatch`], [`channels`] | messages to providers, in order and within limits |
//! | [`calls`] | calls to the HTTP endpoints that Flows name, and their answers back |
//! | [`health`], [`admin`], [`metrics`], [`telemetry`] | what people see |
//! | [`upkeep`] | what must be done once for a tenant |
//! | [`serve`], [`parts`], [`tls`] | all of it joined |
//!
//! One direction: each stage takes one type and gives the next stage's. None but `wigwag-providers` knows a provider,
//! none but `wigwag-store` knows SQL, and none holds a credential of Kubernetes: tenants, Flows and Secrets are files.

pub mod activation;
pub mod admin;
pub mod api;
pub mod args;
pub mod calls;
pub mod causes;
pub mod channels;
pub mod config;
pub mod dispatch;
pub mod flow_check;
pub mod flow_command;
pub mod health;
pub mod ingest;
pub mod lanes;
pub mod metrics;
pub mod named_files;
pub mod parts;
pub mod programs;
pub mod router;
pub mod serve;
pub mod server;
pub mod session_command;
pub mod signals;
pub mod telemetry;
pub mod tls;
pub mod upkeep;
