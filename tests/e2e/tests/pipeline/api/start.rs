//! Programs that start Flows.

use serde_json::{Value, json};
use wigwag_e2e::{shop::NUMBER, tables};
use wigwag_sandbox::eventually;

use super::{ANA, Caller, FLOWS, SOON, hears, open};

#[tokio::test]
async fn a_program_starts_a_flow_with_variables_and_speaks_in_the_session_that_is_open() {
    let (shop, caller, ana) = open().await;
    // Opens the window.
    ana.say("hello").await.unwrap();
    let caller = caller.with_token(None);
    let body = json!({"token": format!("{NUMBER}-verify-token"), "waId": "34600111222", "fullName": "Ana María",
                      "text": "now", "variables": {"plan": "gold"}});
    let (status, started) = caller.post("/api/webhook?flowId=offer", body).await;
    assert_eq!((status, &started["success"], &started["flowId"]), (200, &json!(true), &json!("offer")), "{started}");
    assert_eq!(hears(&ana).await, "Plan gold for Ana María: now");
    assert_eq!(hears(&ana).await, "Take it?");
    let (contact, name): (String, String) =
        sqlx::query_as("SELECT id::text, name FROM contact").fetch_one(&shop.pool).await.unwrap();
    assert_eq!((&started["contactId"], name.as_str()), (&json!(contact), "Ana María"));
    let session = Caller::of(&shop).session("offer", "Paused").await;
    assert_eq!(started["sessionId"], session);

    let query = format!("/api/webhook?flowId=offer&token={NUMBER}-verify-token");
    let tap = json!({"phone": ANA, "interactive": {"type": "button_reply", "id": "go", "title": "Yes"},
                     "variables": {"plan": "silver"}});
    let (status, said) = caller.post(&query, tap).await;
    assert_eq!((status, &said["sessionId"]), (200, &started["sessionId"]));
    assert_eq!(hears(&ana).await, "Taken: silver");
    let (_, anew) = Caller::of(&shop).post("/api/webhook?flowId=offer", json!({"from": ANA})).await;
    assert_ne!(anew["sessionId"], started["sessionId"], "the first one is over");
    assert_eq!(hears(&ana).await, "Plan  for Ana María:");
}

#[tokio::test]
async fn a_start_that_cannot_be_is_refused_in_the_editors_words() {
    let (shop, caller, _ana) = open().await;
    let start = async |query: &str, body: Value| {
        let (status, refused) = caller.post(&format!("/api/webhook{query}"), body).await;
        assert_eq!(refused["success"], false, "{refused}");
        (status, refused["error"].as_str().unwrap().to_owned())
    };
    let ok = json!({"from": ANA});
    assert_eq!(start("", ok.clone()).await.0, 400);
    assert_eq!(start("?flowId=offer", json!({})).await.0, 400);
    assert_eq!(start("?flowId=offer", json!({"from": "Ana"})).await.0, 400);
    assert_eq!(start("?flowId=offer", json!({"from": ANA, "variables": 1})).await.0, 400);
    let hides = json!({"from": ANA, "variables": {"lastInput": 1}});
    assert!(start("?flowId=offer", hides).await.1.starts_with("variables.lastInput: "));
    assert_eq!(start("?flowId=nothing", ok.clone()).await, (404, "Flow not found".to_owned()));
    assert_eq!(caller.post_text("/api/webhook?flowId=offer", "{".to_owned()).await.0, 400);
    for token in [None, Some("wrong"), Some("2002-verify-token")] {
        let (status, refused) = caller.with_token(token).post("/api/webhook?flowId=offer", ok.clone()).await;
        assert_eq!((status, &refused["success"]), (403, &json!(false)), "{token:?}");
    }
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM contact").await.unwrap(), 0);

    shop.write_flows(&FLOWS.replace("  triggers: [{manual: {}}]", "  suspend: true\n  triggers: [{manual: {}}]"))
        .unwrap();
    let refused =
        eventually!(SOON, caller.post("/api/webhook?flowId=offer", ok.clone()).await, |refused| refused.0 != 200);
    assert_eq!(refused, (409, json!({"success": false, "error": "Flow is not active"})));
    shop.write_flows(FLOWS).unwrap();
    std::fs::remove_file(shop.path("secrets/acme-meta/access-token")).unwrap();
    let refused = eventually!(SOON, caller.post("/api/webhook?flowId=offer", ok.clone()).await, |refused| {
        refused.1["error"].as_str().is_some_and(|error| error.contains("not configured"))
    });
    assert_eq!(refused.0, 409);
}

#[tokio::test]
async fn a_program_is_told_when_the_open_session_takes_no_messages() {
    let (_shop, caller, ana) = open().await;
    ana.say("pay").await.unwrap();
    hears(&ana).await;
    hears(&ana).await;
    ana.tap("Yes").await.unwrap();
    caller.session("pay", "Active").await;
    let (status, refused) = caller.post("/api/webhook?flowId=pay", json!({"from": ANA, "message": "hi"})).await;
    assert_eq!((status, &refused["success"]), (409, &json!(false)), "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("waits for resume"), "{refused}");
}
