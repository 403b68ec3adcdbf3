//! Control plane, node and edge together: what a Deployment gets from them that a real cluster would give it.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "cluster/echo.rs"]
mod echo;
#[path = "cluster/edge.rs"]
mod edge;
#[path = "cluster/faults.rs"]
mod faults;
#[path = "cluster/node.rs"]
mod node;
#[path = "cluster/owners.rs"]
mod owners;
#[path = "cluster/tools.rs"]
mod tools;

use std::time::Duration;

use tokio::sync::OnceCell;
use wigwag_sandbox::node::Images;
use wigwag_sandbox::{Options, Sandbox};

/// Long enough for a busy machine; what is right comes in a second or two.
const SOON: Duration = Duration::from_secs(30);

fn options() -> Options {
    let echo = env!("CARGO_BIN_EXE_wigwag-sandbox-echo").into();
    let images = Images::from([("wigwag-sandbox-echo".into(), echo)]);
    Options { postgres: false, control_plane: true, node: Some(images), edge: Some(0) }
}

/// The sandbox of all tests that break nothing.
async fn shared() -> &'static Sandbox {
    static SHARED: OnceCell<Sandbox> = OnceCell::const_new();
    SHARED.get_or_init(async || Sandbox::start(options()).await.unwrap()).await
}
