//! The parts of the process that nothing works without. A part that panics takes the process down, and whoever runs it
//! starts it anew: a data plane that stores messages and answers none would look healthy. (A panic in the handling of
//! one HTTP request ends that request alone.)

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::{sync::mpsc, task::JoinHandle};

/// Starts parts.
#[derive(Clone, Debug)]
pub struct Parts(mpsc::UnboundedSender<&'static str>);

impl Parts {
    /// A starter of parts, and where the name of one that panicked comes out.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<&'static str>) {
        let (failed, names) = mpsc::unbounded_channel();
        (Self(failed), names)
    }

    /// Starts a part.
    pub fn start(&self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let failed = self.0.clone();
        tokio::spawn(async move {
            if AssertUnwindSafe(part).catch_unwind().await.is_err() {
                // Nobody listens only when the process is ending anyway.
                let _ = failed.send(name);
            }
        })
    }
}
