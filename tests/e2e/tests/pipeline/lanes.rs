//! Several replicas: who works on what, and what happens when one is lost or frozen.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use wigwag_e2e::{
    gate::Gate,
    shop::{Clock, NUMBER, Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{LoadPlan, Receipts, Settings};

const SOON: Duration = Duration::from_secs(15);

fn quiet() -> Settings {
    Settings { receipts: Receipts::None, ..Settings::default() }
}

/// How many replicas own lanes.
async fn owners(shop: &Shop) -> Vec<(String, i64)> {
    sqlx::query_as("SELECT owner, count(*) FROM lane WHERE owner IS NOT NULL GROUP BY owner ORDER BY owner")
        .fetch_all(&shop.pool)
        .await
        .unwrap()
}

async fn statuses(shop: &Shop) -> Vec<String> {
    sqlx::query_scalar("SELECT status::text FROM outbound ORDER BY id").fetch_all(&shop.pool).await.unwrap()
}

#[tokio::test]
async fn answers_of_each_contact_stay_in_order_though_a_replica_is_killed_midway() {
    let clock = Clock { send_timeout: Duration::from_secs(30), ..Clock::default() };
    let plan = Plan { replicas: Some(2), simulator: Some(quiet()), clock, ..Plan::default() };
    let shop = Shop::with(plan).await.unwrap();
    eventually!(SOON, owners(&shop).await, |owners| owners.iter().map(|o| o.1).collect::<Vec<_>>() == [32, 32]);

    let mut load = LoadPlan::new(NUMBER, 200, Some(20));
    load.text = "message {n}".to_owned();
    load.concurrency = 32;
    let load = shop.simulator.load(load).unwrap();
    eventually!(Duration::from_secs(60), shop.simulator.ledger().sends.len() >= 1000);
    shop.route_to(0);
    shop.replicas[1].kill().await.unwrap();
    let report = load.finish().await.unwrap();

    assert_eq!(report.acknowledged().count(), 4000);
    let settled = "SELECT count(*) FROM outbound WHERE status IN ('accepted', 'unknown')";
    eventually!(Duration::from_secs(60), tables::count(&shop.pool, settled).await.unwrap(), |n| *n == 4000);
    let ledger = shop.simulator.ledger();
    assert!(ledger.duplicates().is_empty(), "{:?}", ledger.duplicates());
    let mut last: HashMap<String, usize> = HashMap::new();
    let mut seen: HashSet<(String, usize)> = HashSet::new();
    for sent in &ledger.sends {
        let place: usize = sent.text().rsplit(' ').next().unwrap().parse().unwrap();
        let before = last.insert(sent.customer.clone(), place);
        assert!(before.is_none_or(|before| before < place), "{}: {place} after {before:?}", sent.customer);
        assert!(seen.insert((sent.customer.clone(), place)), "{}: {place} twice", sent.customer);
    }
    let unknown = tables::count(&shop.pool, "SELECT count(*) FROM outbound WHERE status = 'unknown'").await.unwrap();
    let missing = 4000 - i64::try_from(ledger.sends.len()).unwrap();
    assert!(missing <= unknown, "{missing} messages are missing, {unknown} are unknown");
    assert!(unknown <= 64, "{unknown} unknown: no more than were in flight at the kill");
}

#[tokio::test]
async fn a_frozen_owner_commits_nothing_after_its_lanes_were_taken_and_its_late_answer_still_settles() {
    let clock =
        Clock { send_timeout: Duration::from_secs(30), unknown_hold: Duration::from_secs(60), ..Clock::default() };
    let mut shop = Shop::with(Plan { simulator: Some(quiet()), clock, ..Plan::default() }).await.unwrap();
    eventually!(SOON, owners(&shop).await, |owners| *owners == [("replica-0".to_owned(), 64)]);
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    let eva = shop.customer("+34600111333", "Eva").unwrap();
    let hold = shop.simulator.hold_answers();
    ana.say("posted before the freeze").await.unwrap();
    let posted = hold.wait_for(1, SOON).await.unwrap().remove(0);
    // A second message of Ana's waits behind the first, so the frozen owner still means to mark it.
    ana.say("second").await.unwrap();
    eventually!(SOON, tables::count(&shop.pool, "SELECT count(*) FROM outbox").await.unwrap() == 2);

    shop.replicas[0].process.freeze();
    shop.add_replica("replica-1").unwrap();
    shop.replicas[1].ready().await.unwrap();
    shop.route_to(1);
    eventually!(SOON, owners(&shop).await, |owners| *owners == [("replica-1".to_owned(), 64)]);
    eventually!(SOON, statuses(&shop).await, |statuses| *statuses == ["unknown", "queued"]);
    // Committed while the old owner sleeps; it must not be run again when it wakes.
    drop(hold);
    eva.say("after the takeover").await.unwrap();
    eventually!(SOON, shop.simulator.ledger().sends_to("34600111333").len() == 1);

    shop.replicas[0].process.thaw();
    let accepted = "SELECT count(*) FROM outbound WHERE status = 'accepted'";
    eventually!(SOON, tables::count(&shop.pool, accepted).await.unwrap() == 3);
    let first: (String, Option<String>) =
        sqlx::query_as("SELECT status::text, provider_id FROM outbound ORDER BY id LIMIT 1")
            .fetch_one(&shop.pool)
            .await
            .unwrap();
    assert_eq!(first, ("accepted".to_owned(), Some(posted.wamid)), "the answer that came to the old owner settled it");
    let ledger = shop.simulator.ledger();
    assert!(ledger.duplicates().is_empty());
    let said: Vec<String> = ledger.sends_to("34600111222").iter().map(|sent| sent.text()).collect();
    assert_eq!(said, ["echo posted before the freeze", "echo second"]);
    assert_eq!(tables::jobs(&shop.pool).await.unwrap(), [("completed".to_owned(), 3)]);
}

#[tokio::test]
async fn lanes_are_handed_over_within_two_seconds_when_a_replica_is_told_to_go() {
    let shop = Shop::with(Plan {
        replicas: Some(2),
        clock: Clock { lease: Duration::from_secs(30), ..Clock::default() },
        ..Plan::default()
    })
    .await
    .unwrap();
    eventually!(Duration::from_secs(40), owners(&shop).await, |owners| owners.len() == 2);

    shop.replicas[1].process.signal(nix::sys::signal::Signal::SIGTERM).unwrap();
    eventually!(Duration::from_secs(2), owners(&shop).await, |owners| owners.iter().all(|o| o.0 == "replica-0"));
    // It still stores what comes in: the other runs it.
    shop.route_to(1);
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    assert_eq!(ana.reply(Duration::from_secs(40)).await.unwrap().text(), "echo hola");
}

#[tokio::test]
async fn one_contact_with_a_thousand_waiting_messages_slows_no_other() {
    let shop = Shop::with(Plan { simulator: Some(quiet()), ..Plan::default() }).await.unwrap();
    let busy = shop.customer("+34600111222", "Busy").unwrap();
    let hold = shop.simulator.hold_answers_to("34600111222");
    let updates = (0..1000).map(|n| busy.update(wigwag_simulator::Inbound::text(format!("{n}"))).unwrap()).collect();
    assert!(shop.simulator.post_batch(updates, 1).await.unwrap().acknowledged);

    for n in 0..10 {
        let other = shop.customer(&format!("+3460022200{n}"), "Other").unwrap();
        other.say("hola").await.unwrap();
        assert_eq!(other.reply(Duration::from_secs(5)).await.unwrap().text(), "echo hola");
    }
    drop(hold);
}

#[tokio::test]
async fn a_process_works_on_nothing_before_it_has_a_configuration() {
    let shop = Shop::with(Plan { simulator: Some(quiet()), ..Plan::default() }).await.unwrap();
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    let mut gate = Gate::before(&shop, "session_event", "true").await.unwrap();
    ana.say("hola").await.unwrap();
    eventually!(SOON, gate.holds().await.unwrap());
    shop.replicas[0].kill().await.unwrap();
    eventually!(SOON, !gate.holds().await.unwrap());
    gate.open().await.unwrap();

    // The new process cannot store the revisions of its Flows, so that it does not run them yet.
    let mut lock = shop.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE flow_revision").execute(&mut *lock).await.unwrap();
    shop.replicas[0].process.start().unwrap();
    let log = || std::fs::read_to_string(shop.replicas[0].process.log()).unwrap();
    eventually!(SOON, log().contains("the new configuration waits for the database"));
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM job_ready").await.unwrap(), 1, "it waits");
    assert_eq!(owners(&shop).await, [("replica-0".to_owned(), 64)], "it gives away no lane of a tenant unread");
    lock.rollback().await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "echo hola");
}
