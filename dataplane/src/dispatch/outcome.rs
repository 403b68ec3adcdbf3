//! What an outcome means for its message: sent, failed, again after a while, or `unknown`. Pure, but for the jitter of
//! the back-off and the line in the log.

use std::time::{Duration, Instant};

use rand::Rng;
use tracing::info;
use wigwag_providers::Outcome;
use wigwag_store::settle::SendResult;

use super::{Letter, Outgoing};

/// Code of a result that says: too much for the number.
pub(super) const THROUGHPUT: i32 = 130_429;
/// Code of a result that says: too much for this recipient.
pub(super) const PAIR_RATE: i32 = 131_056;
/// Tries of a message that the provider keeps refusing for a while.
const MAX_ATTEMPTS: i32 = 12;
/// Back-off of such a message: doubled from the first to the second, with full jitter.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(300));

/// What an outcome means for the message.
pub(super) fn result(outcome: Outcome, attempt: i32, hold: Duration) -> SendResult {
    let again = |after: Duration, code: i32, title: &str| {
        if attempt >= MAX_ATTEMPTS {
            SendResult::Failed { code, title: format!("gave up after {attempt} tries: {title}") }
        } else {
            SendResult::Again { after, code, title: title.to_owned() }
        }
    };
    match outcome {
        Outcome::Accepted { provider_id } => SendResult::Accepted { provider_id },
        Outcome::Failed { code, title } => SendResult::Failed { code, title },
        Outcome::Unknown { .. } => SendResult::Unknown { hold },
        Outcome::Retry { code, after } => {
            again(after.unwrap_or_else(|| back_off(attempt)), code, "the provider asks to come again")
        }
        Outcome::Later { code, after } => again(after, code, "the provider asks to come later"),
        // Limits and pauses are no fault of the message: it waits as long as they last.
        Outcome::Throttled { after, .. } => SendResult::Again {
            after: after.unwrap_or_else(|| back_off(attempt)),
            code: THROUGHPUT,
            title: "the number is over its throughput".to_owned(),
        },
        Outcome::PairLimited { .. } => SendResult::Again {
            after: Duration::from_secs(1),
            code: PAIR_RATE,
            title: "too many messages to this recipient".to_owned(),
        },
        Outcome::Paused { code, reason } => SendResult::Again { after: Duration::ZERO, code, title: reason },
    }
}

fn back_off(attempt: i32) -> Duration {
    let (first, most) = BACK_OFF;
    let doubled = first.saturating_mul(1_u32.checked_shl(attempt.clamp(0, 20).unsigned_abs()).unwrap_or(u32::MAX));
    doubled.min(most).mul_f64(rand::rng().random_range(0.05..1.0))
}

/// The outcome as a metric's label.
pub(super) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Retry { .. } => "retry",
        Outcome::PairLimited { .. } => "pair-limited",
        Outcome::Throttled { .. } => "throttled",
        Outcome::Later { .. } => "later",
        Outcome::Paused { .. } => "paused",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown { .. } => "unknown",
    }
}

/// One line for each send.
pub(super) fn log(message: &Outgoing, letter: &Letter, outcome: &Outcome, begun: Instant) {
    let (provider_id, code, why) = match outcome {
        Outcome::Accepted { provider_id } => (Some(provider_id.as_str()), None, None),
        Outcome::Retry { code, .. }
        | Outcome::PairLimited { code }
        | Outcome::Throttled { code, .. }
        | Outcome::Later { code, .. } => (None, Some(*code), None),
        Outcome::Paused { code, reason } => (None, Some(*code), Some(reason.as_str())),
        Outcome::Failed { code, title } => (None, Some(*code), Some(title.as_str())),
        Outcome::Unknown { detail } => (None, None, Some(detail.as_str())),
    };
    info!(
        tenant = %message.queued.tenant,
        contact = %message.queued.contact,
        job = letter.job.map(|job| job.to_string()),
        message = %message.queued.id,
        provider = %letter.provider,
        provider_id,
        attempt = message.queued.attempt,
        outcome = word(outcome),
        code,
        why,
        ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "send"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_secs(30);

    #[test]
    fn a_message_that_is_refused_again_and_again_is_given_up() {
        let refused = || Outcome::Retry { code: 131_016, after: None };
        assert!(matches!(result(refused(), 1, HOLD), SendResult::Again { .. }));
        assert!(matches!(result(refused(), MAX_ATTEMPTS, HOLD), SendResult::Failed { code: 131_016, .. }));
    }

    #[test]
    fn a_pause_does_not_use_up_the_messages_tries() {
        let paused = Outcome::Paused { code: 190, reason: "expired".to_owned() };
        assert!(matches!(result(paused, 1000, HOLD), SendResult::Again { code: 190, .. }));
    }

    #[test]
    fn the_providers_own_wait_is_kept() {
        let after = Some(Duration::from_secs(7));
        let again = result(Outcome::Retry { code: 429, after }, 1, HOLD);
        assert!(matches!(again, SendResult::Again { after, .. } if after == Duration::from_secs(7)));
    }

    #[test]
    fn back_off_grows_to_five_minutes_and_no_further() {
        assert!(back_off(1) <= Duration::from_secs(1));
        for attempt in 0..1000 {
            assert!(back_off(attempt) <= Duration::from_secs(300));
        }
    }
}
