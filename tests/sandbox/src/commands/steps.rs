//! What a person reads while things start: one line for each step when it is done, with the time that it took.

use std::fmt::Display;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Where the times begin.
const TITLE: usize = 64;

/// Does `work` and prints `name` with its time.
///
/// # Errors
/// Those of `work`, with `name` before them.
pub(super) async fn step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    step_titled(name, work, |_| name.to_owned()).await
}

/// As [`step`], where the line says more than the name does: something that only `work` finds out.
///
/// # Errors
/// Those of `work`, with `name` before them.
pub(super) async fn step_titled<T>(
    name: &str,
    work: impl Future<Output = Result<T>>,
    title: impl FnOnce(&T) -> String,
) -> Result<T> {
    let begun = Instant::now();
    let made = work.await.with_context(|| name.to_owned())?;
    say(done(&title(&made), begun.elapsed()))?;
    Ok(made)
}

/// Prints a line.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn say(line: impl Display) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Prints several lines, each as far in as steps are.
///
/// # Errors
/// When nobody reads them any more.
pub(super) fn say_indented(text: &str) -> Result<()> {
    text.lines().try_for_each(|line| say(format!("  {line}").trim_end()))
}

fn done(title: &str, took: Duration) -> String {
    format!("  {title:<TITLE$}{:>5.1} s", took.as_secs_f32())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_stand_below_each_other() {
        let short = done("helm install", Duration::from_millis(4800));
        let long = done("Kubernetes: ñandú", Duration::from_secs(112));
        assert_eq!(short.trim_end(), short);
        assert!(short.starts_with("  helm install  ") && short.ends_with("  4.8 s"), "{short}");
        assert_eq!(short.chars().count(), long.chars().count());
    }

    #[tokio::test]
    async fn a_step_that_fails_is_named_before_its_cause() {
        let failed = step("helm install", async { Err::<(), _>(anyhow::anyhow!("no such chart")) }).await;
        assert_eq!(format!("{:#}", failed.unwrap_err()), "helm install: no such chart");
    }
}
