//! Waiting for what must become true, instead of sleeping and hoping.
//!
//! [`eventually!`](crate::eventually!) is for tests: it panics at the caller's line, with what was seen last.
//! [`until`] is the same as a `Result`, for code.

use std::fmt::{Debug, Display};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep, timeout_at};

/// Short enough not to be noticed, long enough to leave the machine to what is waited for.
const PAUSE: Duration = Duration::from_millis(25);

/// What one attempt came to: `true`, `Some(value)` and `Ok(value)` end the wait.
pub trait Attempt {
    /// What the wait gives.
    type Value;

    /// The value, or what was seen instead of it.
    ///
    /// # Errors
    /// The words for the failure message.
    fn outcome(self) -> Result<Self::Value, String>;
}

impl Attempt for bool {
    type Value = ();

    fn outcome(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".into()) }
    }
}

impl<T> Attempt for Option<T> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing".into())
    }
}

impl<T, E: Display> Attempt for Result<T, E> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        // The alternate form of anyhow's errors names their causes.
        self.map_err(|error| format!("{error:#}"))
    }
}

/// A value beside whether it is the one that is waited for; [`eventually!`](crate::eventually!) makes these.
#[derive(Debug)]
pub struct Seen<T>(pub T, pub bool);

impl<T: Debug> Attempt for Seen<T> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        if self.1 { Ok(self.0) } else { Err(format!("{:#?}", self.0)) }
    }
}

/// Repeats `attempt` until it succeeds; an attempt that hangs is cut off at the deadline.
///
/// # Errors
/// After `within`: what was waited for and what the last attempt saw.
pub async fn until<A: Attempt>(within: Duration, what: &str, mut attempt: impl AsyncFnMut() -> A) -> Result<A::Value> {
    let deadline = Instant::now() + within;
    let mut seen = String::from("no attempt came to an end");
    loop {
        match timeout_at(deadline, attempt()).await {
            Ok(made) => match made.outcome() {
                Ok(value) => return Ok(value),
                Err(instead) => seen = instead,
            },
            Err(_) => bail!("not within {within:?}: {what}\nlast seen: {seen}\n(the last attempt was cut off)"),
        }
        if Instant::now() + PAUSE >= deadline {
            bail!("not within {within:?}: {what}\nlast seen: {seen}");
        }
        sleep(PAUSE).await;
    }
}

/// Waits for `attempt`, an expression that may `.await`, to become `true`, `Some` or `Ok`, and gives its value.
///
/// With a third argument the value itself is judged, and shown when it never was right:
///
/// ```ignore
/// eventually!(Duration::from_secs(5), client.get("/readyz").send().await);
/// let pods = eventually!(Duration::from_secs(5), pods(&client).await, |pods| pods.len() == 2);
/// ```
///
/// # Panics
/// After the deadline, at the caller's line, with the expression and what was seen last.
#[macro_export]
macro_rules! eventually {
    (@ $within:expr, $what:expr, $attempt:expr) => {
        match $crate::eventually::until($within, $what, async || $attempt).await {
            Ok(value) => value,
            Err(error) => panic!("{error:#}"),
        }
    };
    ($within:expr, $attempt:expr, $is_right:expr $(,)?) => {
        $crate::eventually!(@ $within, stringify!($attempt), {
            let value = $attempt;
            let is_right = $crate::eventually::judged(&value, $is_right);
            $crate::eventually::Seen(value, is_right)
        })
    };
    ($within:expr, $attempt:expr $(,)?) => {
        $crate::eventually!(@ $within, stringify!($attempt), $attempt)
    };
}

/// Gives a closure's argument its type, which a macro cannot.
#[doc(hidden)]
pub fn judged<T>(value: &T, is_right: impl FnOnce(&T) -> bool) -> bool {
    is_right(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_first_success_ends_the_wait_with_its_value() {
        let mut attempts = 0;
        let value = until(Duration::from_secs(5), "the third attempt", async || {
            attempts += 1;
            (attempts == 3).then_some("third")
        });
        assert_eq!(value.await.unwrap(), "third");
        assert_eq!(attempts, 3);
    }

    #[tokio::test]
    async fn a_failure_names_what_was_waited_for_and_what_was_seen_last() {
        let mut attempts = 0;
        let error = until(Duration::from_millis(200), "a miracle", async || {
            attempts += 1;
            Err::<(), _>(format!("attempt {attempts}"))
        });
        let error = error.await.unwrap_err().to_string();
        assert!(error.contains("a miracle") && error.contains(&format!("last seen: attempt {attempts}")), "{error}");
    }

    #[tokio::test]
    async fn an_attempt_that_hangs_is_cut_off_at_the_deadline() {
        let error = until(Duration::from_millis(50), "an answer", std::future::pending::<bool>).await;
        assert!(error.unwrap_err().to_string().contains("cut off"));
    }

    #[tokio::test]
    async fn the_macro_judges_a_value_and_shows_the_last_one_that_was_wrong() {
        let value = eventually!(Duration::from_secs(1), async { vec![1, 2] }.await, |value| value.len() == 2);
        assert_eq!(value, [1, 2]);
        let wait = async { eventually!(Duration::from_millis(50), async { vec![7] }.await, |value| value.is_empty()) };
        let panic = AssertUnwindSafe(wait).catch_unwind().await.unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains('7') && message.contains("vec![7]"), "{message}");
    }
}
