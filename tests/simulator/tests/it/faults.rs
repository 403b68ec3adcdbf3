//! What can go wrong with a send.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wigwag_simulator::{Backlog, Receipts, Rule, SendFault};

use crate::bed::{ANA, Bed, SOON, eventually, message};

#[tokio::test]
async fn refusals_come_once_each_in_the_order_asked_for() {
    let bed = Bed::new().await;
    for fault in [
        SendFault::throttle(7),
        SendFault::server_error(),
        SendFault::graph(131_047),
        SendFault::graph(190),
        SendFault::Refuse { status: 429, code: Some(130_429), retry_after: Some(3) },
    ] {
        bed.simulator.fail_sends(Rule::once(fault));
    }
    let mut seen = Vec::new();
    for _ in 0..6 {
        let answer = bed.send(message(ANA, "m", "x")).await.unwrap();
        seen.push((answer.status, answer.body["error"]["code"].as_i64(), answer.retry_after));
    }
    let after = |seconds: &str| Some(seconds.to_owned());
    assert_eq!(
        seen,
        [
            (429, None, after("7")),
            (500, None, None),
            (400, Some(131_047), None),
            (401, Some(190), None),
            (429, Some(130_429), after("3")),
            (200, None, None),
        ]
    );
    let ledger = bed.simulator.ledger();
    assert_eq!((ledger.sends.len(), ledger.refused.len()), (1, 5));
}

#[tokio::test]
async fn a_rule_for_one_customer_leaves_the_others_alone() {
    let bed = Bed::new().await;
    bed.simulator.fail_sends(Rule::always(SendFault::graph(131_056)).customer(ANA));
    assert_eq!(bed.send(message(ANA, "m", "x")).await.unwrap().status, 400);
    assert_eq!(bed.send(message("+34600000001", "m", "x")).await.unwrap().status, 200);
    bed.simulator.clear_faults();
    assert_eq!(bed.send(message(ANA, "m", "x")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_hanging_or_closed_call_is_not_accepted_but_one_closed_after_acceptance_is() {
    let bed = Bed::new().await;
    bed.simulator.fail_sends(Rule::once(SendFault::Hang));
    bed.simulator.fail_sends(Rule::once(SendFault::Close));
    bed.simulator.fail_sends(Rule::once(SendFault::AcceptAndClose));
    assert_eq!(bed.send(message(ANA, "m-1", "x")).await.unwrap_err(), "timed out");
    assert!(bed.send(message(ANA, "m-2", "x")).await.is_err());
    assert!(bed.simulator.ledger().sends.is_empty());
    assert!(bed.send(message(ANA, "m-3", "x")).await.is_err());
    let ledger = bed.simulator.ledger();
    assert_eq!(ledger.sends[0].biz_opaque_callback_data.as_deref(), Some("m-3"));
    assert_eq!(ledger.refused.len(), 2);
}

#[tokio::test]
async fn an_accepted_message_can_fail_later() {
    let bed = Bed::new().await;
    bed.simulator.fail_sends(Rule::once(SendFault::AcceptAndFail { code: 131_026 }));
    bed.say(ANA, "m-1", "x").await;
    let status = eventually("a receipt", || bed.receiver.all("statuses").pop()).await;
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_026)));
}

#[tokio::test]
async fn a_held_answer_is_accepted_at_once_and_answered_on_release() {
    let bed = Bed::new().await;
    bed.simulator.set_receipts(Receipts::None);
    let hold = bed.simulator.hold_answers_to(ANA);
    let other = bed.say("+34600000001", "m-0", "x").await;

    let sending = bed.send(message(ANA, "m-1", "x"));
    let releasing = async {
        let held = hold.wait_for(1, SOON).await.unwrap();
        assert_ne!(held[0].wamid, other);
        assert_eq!(bed.simulator.ledger().sends_to(ANA).len(), 1, "in the ledger while its answer is held");
        assert!(hold.release_one());
        held[0].wamid.clone()
    };
    let (answer, wamid) = tokio::join!(sending, releasing);
    assert_eq!(answer.unwrap().body["messages"][0]["id"], wamid.as_str());

    // A sender that gives up is not held any more, but what it sent is.
    assert_eq!(bed.send(message(ANA, "m-2", "x")).await.unwrap_err(), "timed out");
    eventually("nobody held", || hold.held().is_empty().then_some(())).await;
    assert!(!hold.release_one());
    assert_eq!(bed.simulator.ledger().sends_to(ANA).len(), 2);

    drop(hold);
    bed.say(ANA, "m-3", "x").await;
}

#[tokio::test]
async fn listening_without_accepting_connects_and_reads_nothing() {
    let bed = Bed::new().await;
    bed.simulator.set_receipts(Receipts::None);
    bed.say(ANA, "m-0", "x").await;

    let mut idle = TcpStream::connect(bed.simulator.graph_url().trim_start_matches("http://")).await.unwrap();
    idle.write_all(b"GET /sim/stats HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(idle.read(&mut [0; 4096]).await.unwrap() > 0);
    tokio::time::timeout(Duration::from_secs(1), bed.simulator.pause_accepting()).await.expect("closes what is idle");
    assert_eq!(idle.read(&mut [0; 64]).await.unwrap(), 0, "a kept connection would be read");
    assert_eq!(bed.send(message(ANA, "m-1", "x")).await.unwrap_err(), "timed out", "connected, never answered");
    bed.simulator.resume_accepting(Backlog::Discard);
    bed.say(ANA, "m-2", "x").await;

    bed.simulator.pause_accepting().await;
    let sending = bed.send(message(ANA, "m-3", "x"));
    let resuming = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(bed.simulator.ledger().sends.len(), 2);
        bed.simulator.resume_accepting(Backlog::Serve);
    };
    let (answer, ()) = tokio::join!(sending, resuming);
    assert_eq!(answer.unwrap().status, 200);

    let accepted: Vec<_> =
        bed.simulator.ledger().sends.iter().map(|s| s.biz_opaque_callback_data.clone().unwrap()).collect();
    assert_eq!(accepted, ["m-0", "m-2", "m-3"]);
}
