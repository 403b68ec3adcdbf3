//! The runtime of everything that must outlive one test: node, edge, simulator.
//!
//! Each `#[tokio::test]` has a runtime of its own, which takes its tasks with it when it ends. A sandbox that many
//! tests share therefore keeps its tasks here.

use std::future::Future;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs `task` until it ends or its handle is aborted, whatever becomes of the caller's runtime.
///
/// # Errors
/// When the machine gives no more threads.
pub fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Result<JoinHandle<T>> {
    if RUNTIME.get().is_none() {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("sandbox").enable_all().build();
        // A second caller at the same moment drops its own runtime again, from a thread that may block.
        if let Err(surplus) = RUNTIME.set(runtime.context("cannot start the sandbox's threads")?) {
            surplus.shutdown_background();
        }
    }
    Ok(RUNTIME.get().context("the sandbox's threads are gone")?.spawn(task))
}
