//! Acked equals stored: processes are killed and frozen at random moments while customers write.

use std::{collections::HashSet, time::Duration};

use wigwag_e2e::{
    shop::{Clock, NUMBER, Plan, Shop},
    tables,
};
use wigwag_sandbox::{eventually, postgres::Server};
use wigwag_simulator::{Load, LoadPlan, LoadReport, RetryClock, Settings};

const ROUNDS: usize = 20;
const SOON: Duration = Duration::from_secs(30);

fn settings() -> Settings {
    let retry = RetryClock { max: Duration::from_millis(500), ..RetryClock::default() };
    Settings { retry, ..Settings::default() }
}

fn customers(shop: &Shop) -> Load {
    let mut plan = LoadPlan::new(NUMBER, 30, None);
    plan.concurrency = 8;
    shop.simulator.load(plan).unwrap()
}

/// Waits until so many more messages were answered 200: a moment that no clock chooses.
async fn more(load: &Load, messages: usize) {
    let before = load.progress().len();
    eventually!(SOON, load.progress().len() >= before + messages);
}

/// Attempts of webhooks so far.
fn attempts(shop: &Shop) -> usize {
    shop.simulator.ledger().deliveries.iter().map(|delivery| delivery.attempts.len()).sum()
}

/// Sends that a dead process left behind without an outcome.
async fn in_flight(shop: &Shop) -> i64 {
    tables::count(&shop.pool, "SELECT count(*) FROM outbox WHERE state = 'sending'").await.unwrap()
}

/// Everything that was answered 200 is stored once and had one effect; nothing was sent twice; what the provider lacks
/// is `unknown` here, and there are no more of these than were in flight when something was killed.
async fn nothing_is_lost_and_nothing_is_done_twice(shop: &Shop, report: &LoadReport, in_flight: i64) {
    assert!(report.messages.iter().all(|m| m.acknowledged), "customers gave up on a webhook");
    let sent: HashSet<&str> = report.messages.iter().map(|m| m.id.as_str()).collect();
    let stored: Vec<String> =
        sqlx::query_scalar("SELECT provider_id FROM inbound").fetch_all(&shop.pool).await.unwrap();
    let distinct: HashSet<&str> = stored.iter().map(String::as_str).collect();
    assert_eq!(stored.len(), distinct.len(), "stored twice");
    assert_eq!(sent, distinct, "answered 200 and stored are not the same");

    let waiting = "SELECT (SELECT count(*) FROM job_ready) + (SELECT count(*) FROM outbox)";
    eventually!(Duration::from_secs(60), tables::count(&shop.pool, waiting).await.unwrap(), |n| *n == 0);
    let effects = "SELECT count(*) FROM inbound i WHERE (SELECT count(*) FROM outbound o WHERE o.job = i.id) <> 1";
    assert_eq!(tables::count(&shop.pool, effects).await.unwrap(), 0, "one effect for each message");

    let ledger = shop.simulator.ledger();
    assert!(ledger.duplicates().is_empty(), "{:?}", ledger.duplicates());
    let accepted: HashSet<String> =
        ledger.sends.iter().filter_map(|sent| sent.biz_opaque_callback_data.clone()).collect();
    let ours: Vec<(String, String)> =
        sqlx::query_as("SELECT id::text, status::text FROM outbound").fetch_all(&shop.pool).await.unwrap();
    let missing: Vec<_> = ours.iter().filter(|(id, _)| !accepted.contains(id)).collect();
    assert!(missing.iter().all(|(_, status)| status == "unknown"), "{missing:?}");
    assert!(missing.len() as i64 <= in_flight, "{} are missing, {in_flight} were in flight", missing.len());
    // What the provider took is never left unknown: its receipts tell.
    eventually!(
        SOON,
        sqlx::query_as::<_, (String, String)>("SELECT id::text, status::text FROM outbound")
            .fetch_all(&shop.pool)
            .await
            .unwrap()
            .into_iter()
            .filter(|(id, status)| accepted.contains(id) && status != "read")
            .count(),
        |unsettled| *unsettled == 0
    );
}

#[tokio::test]
async fn whatever_was_answered_200_survives_twenty_kills_of_the_data_plane() {
    let plan = Plan { simulator: Some(settings()), ..Plan::default() };
    let shop = Shop::with(plan).await.unwrap();
    let load = customers(&shop);
    let mut in_flight_at_kills = 0;
    for round in 0..ROUNDS {
        more(&load, 5 + (round * 7) % 23).await;
        shop.replicas[0].kill().await.unwrap();
        in_flight_at_kills += in_flight(&shop).await;
        shop.replicas[0].restart().await.unwrap();
    }
    let report = load.stop().await.unwrap();
    nothing_is_lost_and_nothing_is_done_twice(&shop, &report, in_flight_at_kills).await;
}

#[tokio::test]
async fn whatever_was_answered_200_survives_kills_and_freezes_of_postgresql() {
    let server = Server::start().await.unwrap();
    // A send's outcome waits for the database, however long that takes.
    let clock = Clock { send_timeout: Duration::from_secs(30), ..Clock::default() };
    let plan = Plan { server: Some(&server), simulator: Some(settings()), clock, ..Plan::default() };
    let shop = Shop::with(plan).await.unwrap();
    let load = customers(&shop);
    for _ in 0..3 {
        more(&load, 20).await;
        server.kill().await.unwrap();
        server.restart().await.unwrap();
        more(&load, 20).await;
        server.freeze();
        let before = attempts(&shop);
        eventually!(SOON, attempts(&shop) >= before + 10);
        server.thaw();
    }
    more(&load, 20).await;
    let report = load.stop().await.unwrap();
    nothing_is_lost_and_nothing_is_done_twice(&shop, &report, 0).await;
}

#[tokio::test]
async fn a_webhook_is_answered_within_a_second_while_postgresql_is_frozen() {
    let server = Server::start().await.unwrap();
    let shop = Shop::with(Plan { server: Some(&server), ..Plan::default() }).await.unwrap();
    server.freeze();
    let body = serde_json::json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER},
         "messages": [{"from": "34600111222", "id": "wamid.X", "timestamp": "1749416383", "type": "text", "text": {"body": "x"}}]}}]}]})
    .to_string();
    let signature = wigwag_simulator::sign(&format!("{NUMBER}-app-secret"), body.as_bytes());
    for _ in 0..3 {
        let begun = std::time::Instant::now();
        let headers = [("X-Hub-Signature-256".to_owned(), signature.clone())];
        let answer = shop.simulator.post_raw(NUMBER, body.clone(), &headers).await.unwrap();
        assert_eq!(answer.status, 503);
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    }
    server.thaw();
}
