//! SIGKILL in each window of a send, opened from outside. Never two sends; the message ends with its receipt's status,
//! or `unknown` where there is none. What a killed process asked the database for is not carried out behind its back.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use wigwag_e2e::{
    shop::{Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Backlog, Customer, Receipts, Settings, Status};

const SOON: Duration = Duration::from_secs(10);

async fn shop(receipts: Receipts) -> (Shop, Customer) {
    let simulator = Settings { receipts, ..Settings::default() };
    let shop = Shop::with(Plan { simulator: Some(simulator), ..Plan::default() }).await.unwrap();
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    (shop, ana)
}

async fn kill_and_restart(shop: &Shop) {
    shop.replicas[0].kill().await.unwrap();
    shop.replicas[0].restart().await.unwrap();
}

/// Holds after everything that might still be sent has gone.
async fn nothing_is_sent_twice(shop: &Shop) {
    eventually!(SOON, tables::count(&shop.pool, "SELECT count(*) FROM outbox").await.unwrap() == 0);
    let ledger = shop.simulator.ledger();
    assert!(ledger.duplicates().is_empty(), "{:?}", ledger.duplicates());
}

async fn statuses(shop: &Shop) -> Vec<String> {
    sqlx::query_scalar("SELECT status::text FROM outbound ORDER BY id").fetch_all(&shop.pool).await.unwrap()
}

#[tokio::test]
async fn a_kill_before_the_mark_loses_nothing() {
    let (shop, ana) = shop(Receipts::All).await;
    // The first answer is held, so the second message stands queued; its row is locked; the first may go.
    let hold = shop.simulator.hold_answers();
    ana.say("one").await.unwrap();
    hold.wait_for(1, SOON).await.unwrap();
    ana.say("two").await.unwrap();
    eventually!(SOON, tables::count(&shop.pool, "SELECT count(*) FROM outbox").await.unwrap() == 2);
    let mut lock = PgConnection::connect(&shop.database.url()).await.unwrap();
    let mut transaction = lock.begin().await.unwrap();
    sqlx::query("SELECT FROM outbox WHERE state = 'queued' FOR UPDATE").execute(&mut *transaction).await.unwrap();
    drop(hold);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%SET state = ''sending''%'
                      AND datname = current_database()";
    eventually!(SOON, tables::count(&shop.pool, waiting).await.unwrap() == 1);

    shop.replicas[0].kill().await.unwrap();
    eventually!(SOON, tables::count(&shop.pool, waiting).await.unwrap() == 0);
    transaction.rollback().await.unwrap();
    shop.replicas[0].restart().await.unwrap();

    eventually!(SOON, statuses(&shop).await, |s| *s == ["read", "read"]);
    nothing_is_sent_twice(&shop).await;
    assert_eq!(shop.simulator.ledger().sends.len(), 2);
}

#[tokio::test]
async fn a_kill_after_the_mark_leaves_unknown_and_never_sends_again() {
    let (shop, ana) = shop(Receipts::All).await;
    shop.simulator.pause_accepting().await;
    ana.say("one").await.unwrap();
    eventually!(
        SOON,
        tables::count(&shop.pool, "SELECT count(*) FROM outbox WHERE state = 'sending'").await.unwrap() == 1
    );

    kill_and_restart(&shop).await;
    shop.simulator.resume_accepting(Backlog::Discard);

    eventually!(SOON, statuses(&shop).await, |s| *s == ["unknown"]);
    // The next message of the contact goes on after the hold.
    ana.say("two").await.unwrap();
    eventually!(SOON, statuses(&shop).await, |s| *s == ["unknown", "read"]);
    assert_eq!(shop.simulator.ledger().sends.len(), 1);
    nothing_is_sent_twice(&shop).await;
}

#[tokio::test]
async fn a_kill_after_acceptance_is_settled_by_the_receipt() {
    let (shop, ana) = shop(Receipts::None).await;
    let hold = shop.simulator.hold_answers();
    ana.say("one").await.unwrap();
    let wamid = hold.wait_for(1, SOON).await.unwrap().remove(0).wamid;
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM outbox WHERE state = 'sending'").await.unwrap(), 1);

    kill_and_restart(&shop).await;
    drop(hold);

    eventually!(SOON, statuses(&shop).await, |s| *s == ["unknown"]);
    nothing_is_sent_twice(&shop).await;
    assert!(shop.simulator.post_status(&wamid, Status::Sent).await.unwrap().acknowledged);
    assert_eq!(statuses(&shop).await, ["sent"]);
    assert_eq!(shop.simulator.ledger().sends.len(), 1);
}

#[tokio::test]
async fn a_kill_before_the_outcome_is_stored_is_settled_by_the_receipt() {
    let (shop, ana) = shop(Receipts::None).await;
    let hold = shop.simulator.hold_answers();
    ana.say("one").await.unwrap();
    let wamid = hold.wait_for(1, SOON).await.unwrap().remove(0).wamid;
    let mut lock = PgConnection::connect(&shop.database.url()).await.unwrap();
    let mut transaction = lock.begin().await.unwrap();
    sqlx::query("SELECT FROM outbound FOR UPDATE").execute(&mut *transaction).await.unwrap();
    drop(hold);
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR NO KEY UPDATE%'
                      AND datname = current_database()";
    eventually!(SOON, tables::count(&shop.pool, waiting).await.unwrap() >= 1);

    shop.replicas[0].kill().await.unwrap();
    eventually!(SOON, tables::count(&shop.pool, waiting).await.unwrap() == 0);
    transaction.rollback().await.unwrap();
    shop.replicas[0].restart().await.unwrap();

    eventually!(SOON, statuses(&shop).await, |s| *s == ["unknown"]);
    nothing_is_sent_twice(&shop).await;
    assert!(shop.simulator.post_status(&wamid, Status::Delivered).await.unwrap().acknowledged);
    assert_eq!(statuses(&shop).await, ["delivered"]);
    assert_eq!(shop.simulator.ledger().sends.len(), 1);
}
