//! Batches, repetitions and poison.

use std::{collections::HashMap, time::Duration};

use serde_json::{Map, Value, json};
use wigwag_e2e::{
    shop::{Clock, NUMBER, Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Inbound, Receipts, Rule, Settings, Spread, Update, WebhookFault};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn fifty_copies_of_one_webhook_at_once_on_two_replicas_have_one_effect() {
    let shop = Shop::with(Plan { replicas: Some(2), ..Plan::default() }).await.unwrap();
    shop.simulator.set_spread(Spread::All);
    shop.simulator.disturb_messages(Rule::always(WebhookFault::Duplicate { copies: 25 }));
    let senders: Vec<_> = (0..8).map(|n| shop.customer(&format!("+3460000000{n}"), "Ana").unwrap()).collect();

    let posted = futures::future::join_all(senders.iter().map(|customer| customer.post(Inbound::text("hola")))).await;

    for posted in posted {
        let posted = posted.unwrap();
        assert!(posted.acknowledged);
        assert!(posted.attempts.len() >= 50, "{} copies", posted.attempts.len());
    }
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM inbound").await.unwrap(), 8);
    eventually!(SOON, shop.simulator.ledger().sends.len(), |sends| *sends == 8);
    eventually!(SOON, tables::outbound(&shop.pool).await.unwrap(), |s| *s == [("read".to_owned(), 8)]);
    assert_eq!(shop.simulator.ledger().sends.len(), 8, "one answer each");
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(tables::count(&shop.pool, deadlocks).await.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_of_a_thousand_updates_over_three_entries_is_all_there_and_in_order() {
    let simulator = Settings { receipts: Receipts::None, ..Settings::default() };
    let clock = Clock { send_timeout: Duration::from_secs(30), ..Clock::default() };
    let shop = Shop::with(Plan { simulator: Some(simulator), clock, ..Plan::default() }).await.unwrap();
    let senders: Vec<_> = (0..50).map(|n| shop.customer(&format!("+346001{n:05}"), "Ana").unwrap()).collect();
    let updates: Vec<Update> = (0..1000)
        .map(|n| senders[n % senders.len()].update(Inbound::text(format!("message {:03}", n / senders.len()))).unwrap())
        .collect();

    let posted = shop.simulator.post_batch(updates, 3).await.unwrap();

    assert!(posted.acknowledged, "{:?}", posted.attempts);
    assert_eq!(posted.attempts.len(), 1, "within the second that a webhook may take: {:?}", posted.attempts);
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM inbound").await.unwrap(), 1000);
    let out_of_order = "SELECT count(*) FROM (
        SELECT payload::jsonb->>'message' AS said, lag(payload::jsonb->>'message') OVER (PARTITION BY contact ORDER BY id) AS before
          FROM inbound) m WHERE before > said";
    assert_eq!(tables::count(&shop.pool, out_of_order).await.unwrap(), 0);
    eventually!(Duration::from_secs(60), shop.simulator.ledger().sends.len(), |sends| *sends == 1000);
    let mut last: HashMap<String, String> = HashMap::new();
    for sent in shop.simulator.ledger().sends {
        let before = last.insert(sent.customer.clone(), sent.text());
        assert!(before.is_none_or(|before| before < sent.text()), "{} after a later one", sent.text());
    }
}

#[tokio::test]
async fn one_poisoned_item_does_not_keep_the_good_ones_from_going_through() {
    let shop = Shop::open().await.unwrap();
    let number = shop.simulator.number(NUMBER).unwrap();
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    let good = |n: u32| ana.update(Inbound::text(format!("good {n}"))).unwrap();
    let value = |message: Value| {
        let metadata = json!({"display_phone_number": "15550783881", "phone_number_id": NUMBER});
        Update::raw(
            &number,
            "messages",
            Map::from_iter([
                ("messaging_product".to_owned(), json!("whatsapp")),
                ("metadata".to_owned(), metadata),
                ("contacts".to_owned(), json!([{"profile": {"name": "Ana\u{0}"}, "wa_id": "34600111222"}])),
                ("messages".to_owned(), json!([message])),
            ]),
        )
    };
    let from = |id: &str, rest: Value| {
        let mut message = json!({"from": "34600111222", "id": id, "timestamp": "1749416383"});
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        message
    };
    let updates = vec![
        good(1),
        value(from("wamid.nul", json!({"type": "text", "text": {"body": "a\u{0}b"}}))),
        good(2),
        value(from(
            "wamid.future",
            json!({"type": "text", "text": {"body": "x"}, "timestamp": "99999999999999999999"}),
        )),
        value(from("wamid.place", json!({"type": "location", "location": {"latitude": "north", "longitude": 2}}))),
        value(from("wamid.unheard", json!({"type": "hologram", "hologram": {"depth": 3}}))),
        value(json!("no object")),
        value(from(&"wamid.long".repeat(2000), json!({"type": "text", "text": {"body": "long id"}}))),
        Update::raw(&number, "solar_flares", Map::from_iter([("strength".to_owned(), json!(9))])),
        good(3),
    ];

    let posted = shop.simulator.post_batch(updates, 2).await.unwrap();

    assert!(posted.acknowledged, "{:?}", posted.attempts);
    for n in 1..=3 {
        let answer = format!("echo good {n}");
        eventually!(SOON, shop.simulator.ledger().sends.iter().any(|sent| sent.text() == answer));
    }
    // Every stored payload casts; NUL is U+FFFD.
    let nul = "SELECT count(*) FROM jobs WHERE payload->>'message' = 'a\u{fffd}b'";
    assert_eq!(tables::count(&shop.pool, nul).await.unwrap(), 1);
    let reasons: Vec<String> =
        sqlx::query_scalar("SELECT reason FROM dead_letter ORDER BY reason").fetch_all(&shop.pool).await.unwrap();
    assert!(reasons.len() >= 4, "{reasons:?}");
    let kept = "SELECT count(*) FROM dead_letter WHERE convert_from(raw, 'UTF8') LIKE '%hologram%'";
    assert_eq!(tables::count(&shop.pool, kept).await.unwrap(), 1, "kept as it came");
}

#[tokio::test]
async fn a_poisoned_number_in_raw_json_fails_alone() {
    let shop = Shop::open().await.unwrap();
    let message = |id: &str, body: &str| {
        format!(
            r#"{{"from":"34600111222","id":"{id}","timestamp":"1749416383","type":"text","text":{{"body":{body}}}}}"#
        )
    };
    let messages = [
        message("wamid.A", r#""good \ud83d\ude00""#),
        message("wamid.B", r#""lone \ud83d surrogate""#),
        message("wamid.C", "1e400"),
        message("wamid.D", r#""also good""#),
    ]
    .join(",");
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"messaging_product":"whatsapp","metadata":{{"phone_number_id":"{NUMBER}"}},"messages":[{messages}]}}}}]}}]}}"#
    );
    let signature = wigwag_simulator::sign(&format!("{NUMBER}-app-secret"), body.as_bytes());
    let headers = [("X-Hub-Signature-256".to_owned(), signature)];

    let answer = shop.simulator.post_raw(NUMBER, body, &headers).await.unwrap();

    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let stored: Vec<String> =
        sqlx::query_scalar("SELECT payload->>'message' FROM jobs ORDER BY id").fetch_all(&shop.pool).await.unwrap();
    assert_eq!(stored, ["good 😀", "lone \u{fffd} surrogate", "also good"]);
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM dead_letter").await.unwrap(), 1);
}
