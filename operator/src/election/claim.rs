//! Whether the lease may be taken: pure, the time is passed in.

use std::time::Duration;

use tokio::time::Instant;

/// What the Lease says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Who leads; `None` after it let go.
    pub holder: Option<String>,
    /// How long its word is good without a renewal.
    pub lease: Duration,
    /// How often leadership has changed hands.
    pub transitions: i32,
    /// Version of the stored record, for writes that must not overwrite another's.
    pub version: Option<String>,
}

/// Which version of the record we saw last, and since when by our own clock.
#[derive(Debug, Default)]
pub struct Observed(Option<(String, Instant)>);

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Another leads.
    Wait,
    /// Write this record; where that works, we lead.
    Write(Record),
}

/// Our wish to lead.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Our name.
    pub identity: &'a str,
    /// For how long we claim.
    pub lease: Duration,
}

impl Claim<'_> {
    /// Takes a lease that is free, ours, or unchanged for its whole duration.
    #[must_use]
    pub fn step(&self, record: Option<&Record>, seen: &mut Observed, now: Instant) -> Step {
        let Some(record) = record else { return Step::Write(self.record(0, None)) };
        let since = seen.since(record.version.as_deref().unwrap_or_default(), now);
        let version = record.version.clone();
        match record.holder.as_deref() {
            Some(holder) if holder == self.identity => Step::Write(self.record(record.transitions, version)),
            Some(_) if now < since + record.lease => Step::Wait,
            _ => Step::Write(self.record(record.transitions.saturating_add(1), version)),
        }
    }

    fn record(&self, transitions: i32, version: Option<String>) -> Record {
        Record { holder: Some(self.identity.to_owned()), lease: self.lease, transitions, version }
    }
}

impl Observed {
    /// Since when this version stands.
    fn since(&mut self, version: &str, now: Instant) -> Instant {
        match &self.0 {
            Some((known, since)) if known == version => *since,
            _ => {
                self.0 = Some((version.to_owned(), now));
                now
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);
    const US: Claim<'_> = Claim { identity: "us", lease: LEASE };

    fn of(holder: Option<&str>, version: &str) -> Record {
        Record { holder: holder.map(str::to_owned), lease: LEASE, transitions: 3, version: Some(version.to_owned()) }
    }

    fn step(record: Option<&Record>, seen: &mut Observed, now: Instant) -> Step {
        US.step(record, seen, now)
    }

    #[test]
    fn a_lease_that_nobody_ever_held_is_taken() {
        let mut seen = Observed::default();
        let expected = Record { holder: Some("us".into()), lease: LEASE, transitions: 0, version: None };
        assert_eq!(step(None, &mut seen, Instant::now()), Step::Write(expected));
    }

    #[test]
    fn another_s_lease_is_taken_only_after_it_stood_unchanged_for_its_duration_by_our_clock() {
        let (mut seen, start) = (Observed::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(step(Some(&of(Some("they"), "1")), &mut seen, start), Step::Wait);
        assert_eq!(step(Some(&of(Some("they"), "1")), &mut seen, start + LEASE - second), Step::Wait);
        // A renewal begins the wait anew.
        assert_eq!(step(Some(&of(Some("they"), "2")), &mut seen, start + LEASE), Step::Wait);
        assert_eq!(step(Some(&of(Some("they"), "2")), &mut seen, start + LEASE * 2 - second), Step::Wait);
        let taken = step(Some(&of(Some("they"), "2")), &mut seen, start + LEASE * 2);
        assert_eq!(taken, Step::Write(Record { transitions: 4, ..of(Some("us"), "2") }));
    }

    #[test]
    fn a_released_lease_is_taken_at_once_and_our_own_is_renewed_without_a_transition() {
        let now = Instant::now();
        let taken = step(Some(&of(None, "1")), &mut Observed::default(), now);
        assert_eq!(taken, Step::Write(Record { transitions: 4, ..of(Some("us"), "1") }));
        let renewed = step(Some(&of(Some("us"), "1")), &mut Observed::default(), now);
        assert_eq!(renewed, Step::Write(of(Some("us"), "1")));
    }
}
