//! What may go now: pure; the time is handed in.
//!
//! Meta counts what a number receives and sends together (80 messages a second unless upgraded) and what goes to one
//! person (one in 6 seconds, with 45 in advance). A replica's share of the number is its share of the lanes.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use wigwag_domain::ContactId;

/// Messages to one person that may go in advance (Meta, "Pair rate limits").
const PAIR_BURST: f64 = 45.0;
/// Seconds in which one more may go.
const PAIR_SECONDS: f64 = 6.0;
/// For how long a number is used at half its throughput after the provider said that it was too much.
const HALVED: Duration = Duration::from_secs(60);
/// Share of the throughput that sending always gets, however much comes in.
const RESERVED: f64 = 0.25;

/// Fills at `rate` tokens a second up to `size`.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: f64,
    size: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(rate: f64, size: f64, now: Instant) -> Self {
        Self { rate, size, tokens: size, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = self.rate.mul_add(seconds, self.tokens).min(self.size);
        self.at = now;
    }

    fn wait(&self) -> Duration {
        if self.tokens >= 1.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64((1.0 - self.tokens) / self.rate.max(0.001)).unwrap_or(Duration::MAX)
    }
}

/// The limits of one number.
#[derive(Debug)]
pub struct Limits {
    /// What receiving and sending share.
    shared: Bucket,
    /// What only sending gets.
    reserved: Bucket,
    halved_until: Option<Instant>,
    pairs: HashMap<ContactId, Pair>,
}

#[derive(Debug)]
struct Pair {
    bucket: Bucket,
    not_before: Instant,
    refusals: u32,
}

impl Limits {
    /// The limits of a number that carries `rate` messages a second.
    #[must_use]
    pub fn new(rate: f64, now: Instant) -> Self {
        let bucket = |share: f64| Bucket::full(rate * share, burst(rate * share), now);
        Self { shared: bucket(1.0 - RESERVED), reserved: bucket(RESERVED), halved_until: None, pairs: HashMap::new() }
    }

    /// Follows a change of throughput, or of this replica's share.
    pub fn set_rate(&mut self, rate: f64, now: Instant) {
        let halved = self.halved_until.is_some_and(|until| now < until);
        let rate = if halved { rate / 2.0 } else { rate };
        for (bucket, share) in [(&mut self.shared, 1.0 - RESERVED), (&mut self.reserved, RESERVED)] {
            bucket.refill(now);
            (bucket.rate, bucket.size) = (rate * share, burst(rate * share));
        }
    }

    /// So many messages came in by this number.
    pub fn received(&mut self, messages: u32, now: Instant) {
        self.shared.refill(now);
        // Not deeper than a second's worth: what came in long ago does not count.
        self.shared.tokens = (self.shared.tokens - f64::from(messages)).max(-self.shared.rate);
    }

    /// Takes the right to send one message to a contact, or says how long to wait.
    ///
    /// # Errors
    /// How long to wait before asking again.
    pub fn take(&mut self, contact: ContactId, now: Instant) -> Result<(), Duration> {
        let pair = self.pairs.entry(contact).or_insert_with(|| Pair {
            bucket: Bucket::full(1.0 / PAIR_SECONDS, PAIR_BURST, now),
            not_before: now,
            refusals: 0,
        });
        pair.bucket.refill(now);
        let wait = pair.bucket.wait().max(pair.not_before.saturating_duration_since(now));
        if !wait.is_zero() {
            return Err(wait);
        }
        self.shared.refill(now);
        self.reserved.refill(now);
        let from = if self.shared.tokens >= 1.0 { &mut self.shared } else { &mut self.reserved };
        let wait = from.wait();
        if !wait.is_zero() {
            return Err(wait.min(self.shared.wait()));
        }
        from.tokens -= 1.0;
        pair.bucket.tokens -= 1.0;
        Ok(())
    }

    /// The provider took a message to a contact.
    pub fn accepted(&mut self, contact: ContactId) {
        if let Some(pair) = self.pairs.get_mut(&contact) {
            pair.refusals = 0;
        }
    }

    /// The provider said that it was too much for the number.
    pub fn throttled(&mut self, now: Instant) {
        self.halved_until = Some(now + HALVED);
    }

    /// The provider said that it was too much for this contact. Returns how long to wait: 4^n seconds, as Meta asks.
    pub fn pair_refused(&mut self, contact: ContactId, now: Instant) -> Duration {
        let Some(pair) = self.pairs.get_mut(&contact) else { return Duration::from_secs(1) };
        let wait = Duration::from_secs(4_u64.saturating_pow(pair.refusals).min(3600));
        pair.refusals += 1;
        pair.bucket.tokens = pair.bucket.tokens.min(1.0);
        pair.not_before = now + wait;
        wait
    }

    /// Forgets contacts whose bucket is full again.
    pub fn forget_idle(&mut self, now: Instant) {
        self.pairs.retain(|_, pair| {
            pair.bucket.refill(now);
            pair.bucket.tokens < pair.bucket.size || pair.not_before > now
        });
    }
}

/// A quarter of a second's worth, and at least one message.
fn burst(rate: f64) -> f64 {
    (rate / 4.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn contact(n: u128) -> ContactId {
        ContactId(Uuid::from_u128(n))
    }

    /// How many of a flood go within this time.
    fn sent(limits: &mut Limits, from: Instant, milliseconds: u64) -> u32 {
        let contacts = (0..milliseconds).map(|ms| (from + Duration::from_millis(ms), contact(u128::from(ms))));
        contacts.map(|(now, contact)| u32::from(limits.take(contact, now).is_ok())).sum()
    }

    #[test]
    fn a_number_sends_no_more_than_its_throughput() {
        let now = Instant::now();
        let sent = sent(&mut Limits::new(80.0, now), now, 10_000);
        assert!((800..=880).contains(&sent), "{sent} in 10 seconds, with a burst and the reserve");
    }

    #[test]
    fn however_much_comes_in_a_quarter_is_left_for_sending() {
        let now = Instant::now();
        let mut limits = Limits::new(80.0, now);
        let mut sent = 0;
        for ms in 0..10_000 {
            let at = now + Duration::from_millis(ms);
            limits.received(1, at);
            sent += u32::from(limits.take(contact(u128::from(ms)), at).is_ok());
        }
        assert!((190..=250).contains(&sent), "{sent} in 10 seconds");
    }

    #[test]
    fn a_person_gets_45_at_once_and_then_one_in_6_seconds() {
        let now = Instant::now();
        let mut limits = Limits::new(10_000.0, now);
        let at_once = (0..100).filter(|_| limits.take(contact(1), now).is_ok()).count();
        assert_eq!(at_once, 45);
        assert!(limits.take(contact(2), now).is_ok(), "others are not concerned");
        assert!(limits.take(contact(1), now + Duration::from_secs(5)).is_err());
        assert!(limits.take(contact(1), now + Duration::from_secs(7)).is_ok());
    }

    #[test]
    fn a_refused_pair_waits_four_times_longer_each_time() {
        let now = Instant::now();
        let mut limits = Limits::new(100.0, now);
        assert!(limits.take(contact(1), now).is_ok());
        let waits = [0, 1, 2].map(|_| limits.pair_refused(contact(1), now).as_secs());
        assert_eq!(waits, [1, 4, 16]);
        assert!(limits.take(contact(1), now).is_err());
        limits.accepted(contact(1));
        assert_eq!(limits.pair_refused(contact(1), now).as_secs(), 1, "an accepted message begins anew");
    }

    #[test]
    fn a_throttled_number_goes_at_half_speed_for_a_minute() {
        let now = Instant::now();
        let mut limits = Limits::new(80.0, now);
        limits.throttled(now);
        limits.set_rate(80.0, now);
        let half = sent(&mut limits, now, 10_000);
        assert!((400..=460).contains(&half), "{half}");
        limits.set_rate(80.0, now + Duration::from_secs(61));
        assert!(sent(&mut limits, now + Duration::from_secs(61), 10_000) > 780);
    }
}
