//! How webhooks travel: repetition, several replicas, disturbance, batches, load.

use std::collections::HashMap;

use serde_json::json;
use wigwag_simulator::{Inbound, LoadPlan, Number, Receipts, Rule, Spread, Status, WebhookFault, sign};

use crate::bed::{ANA, Bed, ID, Receiver, number};

fn bodies(bed: &Bed) -> Vec<String> {
    bed.receiver.all("messages").iter().map(|m| m["text"]["body"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_webhook_is_repeated_with_the_same_bytes_until_it_is_answered_200() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    bed.receiver.answer(&[503, 500, 204]);
    let posted = ana.say("hola").await.unwrap();
    let statuses: Vec<_> = posted.attempts.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [Some(503), Some(500), Some(204), Some(200)]);
    let posts = bed.receiver.posts();
    assert!(posts.iter().all(|p| p.raw == posts[0].raw));
    let ledger = bed.simulator.ledger();
    assert!(ledger.deliveries[0].acknowledged_at.is_some());
    assert_eq!(ledger.acknowledged_messages().collect::<Vec<_>>(), [posted.id]);
    bed.check_signatures();
}

#[tokio::test]
async fn a_webhook_that_is_never_answered_200_is_given_up_and_says_why() {
    let bed = Bed::new().await;
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    bed.simulator.connect("acme.localhost", &[nowhere]);
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    let problem = ana.say("hola").await.unwrap_err().to_string();
    assert!(problem.contains("not answered 200") && problem.contains("Connect"), "{problem}");
}

#[tokio::test]
async fn several_addresses_take_turns_or_all_get_everything() {
    let bed = Bed::new().await;
    let ((first, a), (second, b)) = (Receiver::start().await, Receiver::start().await);
    bed.simulator.connect("acme.localhost", &[a, b]);
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    for n in 0..4 {
        ana.say(&n.to_string()).await.unwrap();
    }
    assert_eq!((first.posts().len(), second.posts().len()), (2, 2));

    first.answer(&[503]);
    bed.simulator.set_spread(Spread::All);
    let posted = ana.say("both").await.unwrap();
    assert_eq!(posted.attempts.len(), 3);
    assert_eq!((first.posts().len(), second.posts().len()), (4, 3));
}

#[tokio::test]
async fn a_message_can_be_duplicated_dropped_delayed_and_overtaken() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    let leo = bed.simulator.customer(ID, "+34600000001", "Leo").unwrap();

    bed.simulator.disturb_messages(Rule::once(WebhookFault::Duplicate { copies: 50 }));
    assert_eq!(ana.say("many").await.unwrap().attempts.len(), 50);
    assert_eq!(bed.receiver.all("messages").len(), 50);

    bed.simulator.disturb_messages(Rule::once(WebhookFault::Drop));
    assert!(!ana.post(Inbound::text("lost")).await.unwrap().acknowledged);
    assert_eq!(bed.simulator.ledger().dropped.len(), 1);

    for fault in [WebhookFault::Reorder, WebhookFault::Delay { ms: 200 }] {
        bed.receiver.received.lock().unwrap().clear();
        bed.simulator.disturb_messages(Rule::once(fault).customer(ANA));
        let (late, soon) = tokio::join!(ana.say("first"), leo.say("second"));
        assert!(late.unwrap().acknowledged && soon.unwrap().acknowledged);
        assert_eq!(bodies(&bed), ["second", "first"]);
    }
}

#[tokio::test]
async fn updates_are_gathered_into_one_post_with_several_entries() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    bed.simulator.disturb_messages(Rule::always(WebhookFault::Batch { window_ms: 100, entries: 2 }));
    let texts: Vec<_> = (0..5).map(|n| n.to_string()).collect();
    let posted = futures::future::join_all(texts.iter().map(|t| ana.say(t))).await;
    assert!(posted.into_iter().all(|p| p.unwrap().acknowledged));
    assert_eq!(bed.receiver.posts().len(), 1);
    assert_eq!(bed.receiver.posts()[0].body["entry"].as_array().unwrap().len(), 2);
    assert_eq!(bed.receiver.all("messages").len(), 5);
}

#[tokio::test]
async fn a_batch_made_by_hand_may_mix_messages_receipts_and_anything_else() {
    let bed = Bed::new().await;
    bed.simulator.set_receipts(Receipts::None);
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    let wamid = bed.say(ANA, "m-1", "x").await;
    let mut updates: Vec<_> = (0..998).map(|n| ana.update(Inbound::text(n.to_string())).unwrap()).collect();
    updates.push(bed.simulator.status_update(&wamid, Status::Delivered).unwrap());
    let alert = json!({"event": "ACCOUNT_DELETED"}).as_object().unwrap().clone();
    updates.push(wigwag_simulator::Update::raw(&number(), "account_update", alert));

    let posted = bed.simulator.post_batch(updates, 3).await.unwrap();
    assert!(posted.acknowledged);
    let posts = bed.receiver.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].body["entry"].as_array().unwrap().len(), 3);
    assert_eq!(bodies(&bed), (0..998).map(|n| n.to_string()).collect::<Vec<_>>());
    let receipts = bed.simulator.ledger().sends[0].receipts.clone();
    assert_eq!((receipts[0].status.as_str(), receipts[0].acknowledged), ("delivered", true));
}

#[tokio::test]
async fn raw_bytes_go_out_as_they_are_and_only_once() {
    let bed = Bed::new().await;
    let body = &b"{\"entry\": \"\xff\xfe"[..];
    let signed = [("x-hub-signature-256".to_owned(), sign("other", body))];
    bed.receiver.answer(&[401]);
    assert_eq!(bed.simulator.post_raw(ID, body, &signed).await.unwrap().status, 401);
    let posts = bed.receiver.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!((&posts[0].raw[..], posts[0].signature.as_str()), (body, signed[0].1.as_str()));
}

#[tokio::test]
async fn the_handshake_wants_its_challenge_back() {
    let bed = Bed::new().await;
    bed.simulator.verify(ID).await.unwrap();
    assert_eq!(bed.simulator.challenge(ID, "subscribe", "wrong", "1").await.unwrap().status, 403);
    bed.simulator.register(Number { verify_token: "other".into(), ..number() }).unwrap();
    assert!(bed.simulator.verify(ID).await.is_err());
}

#[tokio::test]
async fn a_load_writes_in_order_per_customer_through_failures_and_loses_nothing() {
    let bed = Bed::new().await;
    bed.receiver.answer(&[503, 200, 500, 200, 200, 503, 503, 503]);
    let plan = LoadPlan { concurrency: 8, ..LoadPlan::new(ID, 20, Some(10)) };
    let report = bed.simulator.load(plan).unwrap().finish().await.unwrap();
    assert_eq!((report.messages.len(), report.acknowledged().count()), (200, 200));
    assert!(report.messages.iter().any(|m| m.attempts > 1));

    let mut seen: HashMap<String, Vec<String>> = HashMap::new();
    for message in bed.receiver.all("messages") {
        let texts = seen.entry(message["from"].as_str().unwrap().to_owned()).or_default();
        texts.push(message["text"]["body"].as_str().unwrap().to_owned());
        texts.dedup();
    }
    assert_eq!(seen.len(), 20);
    let in_order: Vec<_> = (0..10).map(|n| format!("message {n}")).collect();
    assert!(seen.values().all(|texts| *texts == in_order), "{seen:?}");
}

#[tokio::test]
async fn an_endless_load_runs_until_it_is_stopped_and_has_every_message_answered() {
    let bed = Bed::new().await;
    for in_order in [true, false] {
        let plan = LoadPlan { in_order, ..LoadPlan::new(ID, 5, None) };
        let load = bed.simulator.load(plan).unwrap();
        crate::bed::eventually("fifty messages", || (load.progress().len() >= 50).then_some(())).await;
        let report = load.stop().await.unwrap();
        assert_eq!(report.acknowledged().count(), report.messages.len());
    }
    assert_eq!(bed.simulator.ledger().pending_webhooks(), 0);
}
