//! A whole installation of Wigwag on one machine, for the demo, for development and for every test.
//!
//! ```text
//! kubectl, helm --> control_plane: etcd, kube-apiserver, kube-controller-manager, as plain processes
//!                         |  Pods
//!                   node: a kubelet without containers, which runs each container as a local process
//!                         |
//!                   edge: one HTTP entry, Ingress -> Service -> Ready Pods
//!
//! postgres: DATABASE_URL, or a private server
//! ```
//!
//! [`sandbox`] joins the parts; each can be used alone. [`kubectl`] and [`helm`] are the real ones. Below them: [`process`] (a child process that can be killed,
//! frozen and restarted), [`binaries`] and [`cache`] (what they run, found or made once), [`folder`] and [`logs`] (where
//! their files lie, and how a failed test shows them), and [`eventually!`], which replaces sleeping. Whatever ends
//! the run, nothing stays behind.

pub mod background;
pub mod binaries;
pub mod cache;
pub mod commands;
pub mod control_plane;
pub mod edge;
pub mod eventually;
mod executable;
pub mod folder;
pub mod helm;
mod http_get;
mod janitor;
pub mod kubectl;
pub mod logs;
pub mod node;
mod port;
pub mod postgres;
pub mod process;
pub mod sandbox;

pub use sandbox::{Options, Sandbox};
