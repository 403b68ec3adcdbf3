//! The endpoint of somebody else, which flows call.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wigwag_simulator::{EndpointAnswer, EndpointRule};

use crate::bed::{Answered, Bed, call, call_with};

async fn get(bed: &Bed, path: &str) -> Result<Answered, String> {
    call("GET", &format!("{}{path}", bed.simulator.endpoint_url()), None, None).await
}

/// Posts `{"a": 1}` under a key.
async fn post(bed: &Bed, path: &str, key: &str) -> Result<Answered, String> {
    let url = format!("{}{path}", bed.simulator.endpoint_url());
    call_with("POST", &url, &[("idempotency-key", key.to_owned())], Some(json!({"a": 1}))).await
}

#[tokio::test]
async fn a_call_is_echoed_and_counted_by_its_key() {
    let bed = Bed::new().await;
    let echo = post(&bed, "/orders/7?x=1", "k-1").await.unwrap();
    assert_eq!(echo.status, 200);
    let asked = &echo.body;
    assert_eq!(
        (&asked["method"], &asked["path"], &asked["query"]),
        (&json!("POST"), &json!("/orders/7"), &json!("x=1"))
    );
    assert_eq!((&asked["headers"]["idempotency-key"], &asked["body"]), (&json!("k-1"), &json!({"a": 1})));
    post(&bed, "/orders/7", "k-1").await.unwrap();
    post(&bed, "/orders/7", "k-2").await.unwrap();
    get(&bed, "").await.unwrap();

    let ledger = bed.simulator.ledger();
    assert_eq!(ledger.calls_by_key(), BTreeMap::from([("k-1", 2), ("k-2", 1)]));
    assert_eq!((ledger.calls_to("/orders/7").len(), ledger.endpoint_calls.len()), (3, 4));
    let call = &ledger.endpoint_calls[0];
    assert_eq!((call.idempotency_key.as_deref(), call.read, call.answered), (Some("k-1"), true, Some(200)));
    assert!(ledger.sends.is_empty() && ledger.refused.is_empty(), "no part of Graph");
}

#[tokio::test]
async fn it_answers_what_it_was_told_counted_rules_first_and_the_newest_of_the_others() {
    let bed = Bed::new().await;
    let refuse = |status| {
        EndpointRule::at("/orders/*", EndpointAnswer::Reply { status, headers: BTreeMap::new(), body: Value::Null })
    };
    bed.simulator.answer_calls(EndpointRule::reply("GET", "/orders/7", json!({"state": "old"})));
    bed.simulator.answer_calls(EndpointRule::reply("GET", "/orders/7", json!({"state": "sent"})));
    bed.simulator.answer_calls(refuse(503).times(1));
    bed.simulator.answer_calls(refuse(404).times(1));
    let statuses = [get(&bed, "/orders/7").await.unwrap().status, get(&bed, "/orders/7").await.unwrap().status];
    assert_eq!(statuses, [503, 404]);
    assert_eq!(get(&bed, "/orders/7").await.unwrap().body, json!({"state": "sent"}));
    assert_eq!(get(&bed, "/orders/8").await.unwrap().body["path"], "/orders/8", "another path is echoed");
    assert_eq!(post(&bed, "/orders/7", "k").await.unwrap().body["method"], "POST", "another method is echoed");
    bed.simulator.clear_calls();
    assert_eq!(get(&bed, "/orders/7").await.unwrap().body["method"], "GET");
}

#[tokio::test]
async fn text_and_headers_go_out_as_they_are_and_a_redirect_points_elsewhere() {
    let bed = Bed::new().await;
    let headers = BTreeMap::from([("x-a".to_owned(), "1".to_owned())]);
    let text = EndpointAnswer::Reply { status: 201, headers, body: json!("no {json}") };
    bed.simulator.answer_calls(EndpointRule::at("/text", text));
    let to = "http://169.254.169.254/latest".to_owned();
    bed.simulator.answer_calls(EndpointRule::at("/moved", EndpointAnswer::Redirect { to: to.clone(), status: 307 }));
    let answer = get(&bed, "/text").await.unwrap();
    assert_eq!((answer.status, &answer.headers["x-a"], &answer.body), (201, &"1".parse().unwrap(), &Value::Null));
    assert_eq!(answer.headers["content-length"], "9");
    let answer = get(&bed, "/moved").await.unwrap();
    assert_eq!((answer.status, &answer.headers["location"]), (307, &to.parse().unwrap()));
}

#[tokio::test]
async fn a_connection_can_be_closed_before_and_after_the_request_was_read_and_within_the_answer() {
    let bed = Bed::new().await;
    for answer in [EndpointAnswer::Close, EndpointAnswer::CloseAfterReading, EndpointAnswer::CutOff] {
        bed.simulator.answer_calls(EndpointRule::at("/x", answer).times(1));
    }
    for _ in 0..3 {
        assert!(post(&bed, "/x", "k").await.is_err());
    }
    assert_eq!(post(&bed, "/x", "k").await.unwrap().status, 200);
    let ledger = bed.simulator.ledger();
    let seen: Vec<_> = ledger.endpoint_calls.iter().map(|c| (c.read, c.answered, c.body.is_null())).collect();
    let expected = [(false, None, true), (true, None, false), (true, Some(200), false), (true, Some(200), false)];
    assert_eq!(seen, expected);
    assert_eq!(ledger.calls_by_key()["k"], 4);
}

#[tokio::test]
async fn an_answer_can_be_late_or_never_come() {
    let bed = Bed::new().await;
    let late = EndpointRule::at("/late", EndpointAnswer::Echo).after(Duration::from_millis(200));
    bed.simulator.answer_calls(late);
    bed.simulator.answer_calls(EndpointRule::at("/never", EndpointAnswer::Hang));
    let begun = Instant::now();
    assert_eq!(get(&bed, "/late").await.unwrap().status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(get(&bed, "/never").await.unwrap_err(), "timed out");
    let ledger = bed.simulator.ledger();
    assert_eq!((ledger.endpoint_calls[1].read, ledger.endpoint_calls[1].answered), (true, None));
}

#[tokio::test]
async fn a_body_without_end_goes_on_until_the_caller_leaves() {
    let bed = Bed::new().await;
    bed.simulator.answer_calls(EndpointRule::at("/endless", EndpointAnswer::Endless));
    let mut stream = TcpStream::connect(bed.simulator.graph_url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"GET /http/endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut read = vec![0; 2 * 1024 * 1024];
    let whole = stream.read_exact(&mut read);
    tokio::time::timeout(Duration::from_secs(5), whole).await.expect("two megabytes within the deadline").unwrap();
    assert!(read.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn it_is_told_and_asked_with_curl() {
    let bed = Bed::new().await;
    let url = format!("{}/sim/endpoint", bed.simulator.graph_url());
    for rule in [
        json!({"method": "get", "path": "/orders/7", "answer": {"reply": {"body": {"state": "sent"}}}}),
        json!({"path": "/orders/8", "answer": "close_after_reading"}),
    ] {
        assert_eq!(call("POST", &url, None, Some(rule)).await.unwrap().status, 204);
    }
    assert_eq!(get(&bed, "/orders/7").await.unwrap().body, json!({"state": "sent"}));
    assert!(post(&bed, "/orders/8", "k").await.is_err());
    let seen = call("GET", &url, None, None).await.unwrap().body;
    assert_eq!((&seen["calls"][1]["path"], &seen["by_key"]), (&json!("/orders/8"), &json!({"k": 1})));
    assert_eq!(call("DELETE", &url, None, None).await.unwrap().status, 204);
    assert_eq!(post(&bed, "/orders/8", "k").await.unwrap().status, 200);
    let stats = call("GET", &url.replace("endpoint", "stats"), None, None).await.unwrap().body;
    assert_eq!((&stats["endpoint_calls"], &stats["endpoint_repeated"]), (&json!(3), &json!([["k", 2]])));
}
