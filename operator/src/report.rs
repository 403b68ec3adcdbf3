//! Around every reconcile: its turn, its time limit, what is counted and logged of it, and when it is tried again.

use std::{fmt::Debug, future::Future, sync::Arc, time::Duration};

use kube::{
    Resource, ResourceExt,
    runtime::controller::{Action, Error as ControllerError},
};
use tokio::time::{Instant, timeout};

use crate::{context::Context, error::Error};

/// Longer takes no reconcile; the API server is slow or gone then.
const LIMIT: Duration = Duration::from_secs(30);
/// Everything is looked at again after this, whether or not a watch told of a change.
const DRIFT: Duration = Duration::from_secs(300);
/// What is in the way belongs to somebody else or to the API server's rules: no watch tells when it is gone.
const BLOCKED: Duration = Duration::from_secs(10);
/// So many reconciles run at once.
pub const TURNS: usize = 8;

/// How a reconcile ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// All that could be done is done; watches tell when there is more.
    Done,
    /// Something is in the way that no watch sees go.
    Blocked,
}

/// Runs one reconcile of an object.
///
/// # Errors
/// The reconcile's own, or [`Error::Timeout`].
pub async fn run(
    context: &Context,
    controller: &'static str,
    object: &impl ResourceExt,
    work: impl Future<Output = Result<Pass, Error>>,
) -> Result<Action, Error> {
    context.metrics.queued(controller);
    // The semaphore is never closed.
    let turn = context.turns.acquire().await;
    context.metrics.dequeued(controller);
    let began = Instant::now();
    let result = timeout(LIMIT, work).await.unwrap_or(Err(Error::Timeout(LIMIT)));
    drop(turn);
    if result.is_ok() {
        context.attempts.succeeded(&key(controller, object));
    }
    let (label, took) = (result.as_ref().map_or_else(Error::label, |_| "ok"), began.elapsed());
    context.metrics.reconciled(controller, label, took, context.attempts.failing(controller));
    tracing::debug!(controller, object = key(controller, object), result = label, ?took, "reconciled");
    result.map(|pass| match pass {
        // Spread, so that many tenants do not come back together.
        Pass::Done => Action::requeue(DRIFT.mul_f64(1.0 + rand::random::<f64>())),
        Pass::Blocked => Action::requeue(BLOCKED),
    })
}

/// When a failed reconcile is tried again.
pub fn retry(context: &Context, controller: &'static str, object: &impl ResourceExt, error: &Error) -> Action {
    let wait = context.attempts.failed(&key(controller, object));
    let object = key(controller, object);
    tracing::warn!(object, %error, wait_ms = wait.as_millis(), "reconcile failed; trying again");
    Action::requeue(wait)
}

/// Logs what a controller says beyond its reconciles' own results.
pub fn log<R: Debug, Q: std::error::Error>(result: Result<R, ControllerError<Error, Q>>) {
    match result {
        Ok(_) | Err(ControllerError::ReconcilerFailed(..)) => {}
        // Woken for an object that has gone in the meantime.
        Err(ControllerError::ObjectNotFound(object)) => tracing::debug!(%object, "gone before its reconcile"),
        Err(error) => tracing::warn!(%error, "controller"),
    }
}

fn key(controller: &'static str, object: &impl ResourceExt) -> String {
    format!("{controller} {}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// A reconciler and an error policy in one, as `Controller::run` wants them.
pub fn policy<K>(controller: &'static str) -> impl Fn(Arc<K>, &Error, Arc<Context>) -> Action
where
    K: Resource<DynamicType = ()>,
{
    move |object, error, context| retry(&context, controller, object.as_ref(), error)
}
