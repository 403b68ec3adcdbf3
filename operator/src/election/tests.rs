//! Candidates over a store in memory, on tokio's paused clock.

use std::sync::{Arc, Mutex};

use super::*;

const LEASE: Duration = Duration::from_secs(15);

/// A record with versions, which can be made to hang or fail.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    record: Option<Record>,
    version: u64,
    fault: Option<Fault>,
}

#[derive(Clone, Copy)]
enum Fault {
    Hangs,
    Fails,
}

impl Memory {
    fn set(&self, fault: Option<Fault>) {
        self.0.lock().unwrap().fault = fault;
    }

    fn holder(&self) -> Option<String> {
        self.0.lock().unwrap().record.as_ref().and_then(|record| record.holder.clone())
    }

    async fn meet_fault(&self) -> Result<(), Error> {
        let fault = self.0.lock().unwrap().fault;
        match fault {
            None => Ok(()),
            Some(Fault::Fails) => Err(Error::ControllerStopped),
            Some(Fault::Hangs) => std::future::pending().await,
        }
    }
}

impl LeaseStore for Memory {
    async fn read(&self) -> Result<Option<Record>, Error> {
        self.meet_fault().await?;
        Ok(self.0.lock().unwrap().record.clone())
    }

    async fn write(&self, record: Record, over: Option<String>) -> Result<bool, Error> {
        self.meet_fault().await?;
        let mut state = self.0.lock().unwrap();
        if state.record.as_ref().and_then(|record| record.version.clone()) != over {
            return Ok(false);
        }
        state.version += 1;
        state.record = Some(Record { version: Some(state.version.to_string()), ..record });
        Ok(true)
    }
}

fn candidate(store: &Memory, name: &str) -> Candidate<Memory> {
    Candidate::new(store.clone(), name.to_owned(), LEASE)
}

#[tokio::test(start_paused = true)]
async fn of_two_candidates_one_leads_and_the_other_follows_when_it_lets_go() {
    let (store, never) = (Memory::default(), CancellationToken::new());
    let (a, b) = (candidate(&store, "a"), candidate(&store, "b"));
    let since = a.win(&never).await.expect("leads");
    tokio::select! {
        lost = a.hold(since) => unreachable!("a renews, so it keeps the lease: {lost}"),
        won = tokio::time::timeout(LEASE * 4, b.win(&never)) => assert!(won.is_err(), "b must not lead while a renews"),
    }
    a.release().await;
    let before = Instant::now();
    b.win(&never).await.expect("leads");
    assert!(before.elapsed() < Duration::from_secs(3), "a released lease needs no waiting");
    assert_eq!(store.holder().as_deref(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_requests_hang_or_fail_gives_up_before_the_lease_ends_for_others() {
    for fault in [Fault::Hangs, Fault::Fails] {
        let (store, never) = (Memory::default(), CancellationToken::new());
        let a = candidate(&store, "a");
        let since = a.win(&never).await.expect("leads");
        store.set(Some(fault));
        assert!(matches!(a.hold(since).await, Error::LeaseLost(_)));
        let held = since.elapsed();
        assert!(held >= LEASE * 2 / 3 && held < LEASE, "gave up after {held:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_leader_is_followed_after_its_lease() {
    let (store, never) = (Memory::default(), CancellationToken::new());
    candidate(&store, "dead").win(&never).await.expect("leads");
    let before = Instant::now();
    candidate(&store, "next").win(&never).await.expect("leads");
    let waited = before.elapsed();
    assert!(waited >= LEASE && waited < LEASE + Duration::from_secs(5), "waited {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_finds_another_s_name_stops_at_once() {
    let (store, never) = (Memory::default(), CancellationToken::new());
    let a = candidate(&store, "a");
    let since = a.win(&never).await.expect("leads");
    let version = store.0.lock().unwrap().record.clone().unwrap().version;
    let other = Record { holder: Some("b".into()), lease: LEASE, transitions: 1, version: None };
    assert!(store.write(other, version).await.expect("written"));
    assert!(matches!(a.hold(since).await, Error::LeaseLost("another replica holds it")));
    a.release().await;
    assert_eq!(store.holder().as_deref(), Some("b"), "a must not release what is b's");
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_is_told_to_stop_does_not_wait_for_its_turn() {
    let store = Memory::default();
    candidate(&store, "leader").win(&CancellationToken::new()).await.expect("leads");
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(candidate(&store, "other").win(&stop).await.is_none());
}
