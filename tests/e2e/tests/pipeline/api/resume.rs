//! Programs that resume conversations by a URL.

use futures::future::join_all;
use serde_json::{Value, json};
use wigwag_e2e::tables;
use wigwag_sandbox::eventually;

use super::{Caller, SOON, hears, open, path};

#[tokio::test]
async fn a_call_that_comes_before_its_node_is_kept_and_the_second_is_refused() {
    let (shop, caller, ana) = open().await;
    let caller = caller.with_token(None);
    ana.say("pay").await.unwrap();
    let url = path(&hears(&ana).await);
    assert_eq!(hears(&ana).await, "Ready?");

    assert_eq!(caller.post(&url, json!({"amount": 12})).await, (200, json!({"resumed": true})));
    let (status, again) = caller.post(&url, json!({"amount": 13})).await;
    assert_eq!((status, &again["error"]["code"]), (409, &json!("CONFLICT")));
    let run = "SELECT count(*) FROM job_ready WHERE kind = 'signal'";
    eventually!(SOON, tables::count(&shop.pool, run).await.unwrap() == 0);
    assert_eq!(shop.simulator.ledger().sends.len(), 2, "the session does not stand there yet");

    ana.tap("Yes").await.unwrap();
    assert_eq!(hears(&ana).await, "Paid 12");
    assert_eq!(caller.post(&url, json!({"amount": 14})).await.0, 409);
}

#[tokio::test]
async fn a_call_resumes_the_session_that_waits_for_it_with_its_json() {
    let (shop, caller, ana) = open().await;
    ana.say("pay").await.unwrap();
    let url = path(&hears(&ana).await);
    hears(&ana).await;
    ana.tap("Yes").await.unwrap();
    let session = caller.session("pay", "Active").await;
    assert_eq!(caller.shown(&session).await["waitsFor"], "resume");

    let big = format!("\"{}\"", "x".repeat(64 * 1024));
    for (body, refused) in [("{", 400), ("{} {}", 400), (big.as_str(), 413)] {
        assert_eq!(caller.post_text(&url, body.to_owned()).await.0, refused);
    }
    let token = url.strip_prefix("/resume/").unwrap();
    let other = if token.ends_with('A') { "B" } else { "A" };
    for wrong in [format!("/resume/{}{other}", &token[..token.len() - 1]), "/resume/AAAA".to_owned()] {
        assert_eq!(caller.post(&wrong, json!({})).await.0, 404, "{wrong}");
    }
    assert_eq!(caller.get(&url).await.0, 405);

    let at_once = join_all((0..8).map(|_| caller.post(&url, json!({"amount": 12.5})))).await;
    let mut statuses: Vec<_> = at_once.into_iter().map(|(status, _)| status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(hears(&ana).await, "Paid 12.5");
    let log = std::fs::read_to_string(shop.replicas[0].process.log()).unwrap();
    assert!(log.contains("resumed"), "the log tells that somebody came");
    assert!(!log.contains(&token[..40]), "the log must not hold the token");
    let metrics = shop.replicas[0].admin_get("/metrics").await.unwrap().1;
    assert!(!metrics.contains(&token[..40]));
}

#[tokio::test]
async fn a_call_without_a_body_is_null_and_works_under_the_tenants_prefix_too() {
    let (_shop, caller, ana) = open().await;
    ana.say("pay").await.unwrap();
    let url = path(&hears(&ana).await);
    hears(&ana).await;
    ana.tap("Yes").await.unwrap();
    let caller = Caller { host: "elsewhere.example".to_owned(), ..caller };
    assert_eq!(caller.post_text(&format!("/t/acme{url}"), String::new()).await.0, 200);
    assert_eq!(hears(&ana).await, "Paid");
}

#[tokio::test]
async fn a_call_that_comes_after_the_time_or_the_end_is_gone() {
    let (_shop, caller, ana) = open().await;
    ana.say("quick").await.unwrap();
    let late = path(&hears(&ana).await);
    assert_eq!(hears(&ana).await, "Late");
    assert_eq!(hears(&ana).await, "Again?", "the session goes on");
    let (status, gone) = caller.post(&late, json!({})).await;
    assert_eq!((status, &gone["error"]["code"]), (410, &json!("GONE")));

    // Its open question would take the next word.
    let quick = caller.session("quick", "Paused").await;
    assert_eq!(caller.post(&format!("/api/v1/sessions/{quick}/end"), Value::Null).await.0, 202);
    caller.session("quick", "Completed").await;
    ana.say("pay").await.unwrap();
    let url = path(&hears(&ana).await);
    let pay = caller.session("pay", "Paused").await;
    assert_eq!(caller.post(&format!("/api/v1/sessions/{pay}/end"), Value::Null).await.0, 202);
    caller.session("pay", "Completed").await;
    assert_eq!(caller.post(&url, json!({})).await.0, 410);
}

#[tokio::test]
async fn the_url_of_a_visit_from_which_people_moved_the_session_is_gone() {
    let (_shop, caller, ana) = open().await;
    ana.say("pay").await.unwrap();
    let url = path(&hears(&ana).await);
    hears(&ana).await;
    ana.tap("Yes").await.unwrap();
    let session = caller.session("pay", "Active").await;
    assert_eq!(caller.post(&format!("/api/v1/sessions/{session}/move"), json!({"node": "ready"})).await.0, 202);
    assert_eq!(hears(&ana).await, "Ready?");
    assert_eq!(caller.post(&url, json!({"amount": 1})).await.0, 410);
}
