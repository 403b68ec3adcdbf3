//! People who look at conversations and steer them.

use serde_json::{Value, json};
use wigwag_e2e::{shop::api_token, tables};
use wigwag_sandbox::eventually;
use wigwag_simulator::Number;

use super::{ANA, Caller, SOON, hears, open, path};

const NOBODY: &str = "01980000-0000-7000-8000-000000000000";

#[tokio::test]
async fn a_session_is_listed_shown_moved_restarted_and_ended() {
    let (shop, caller, ana) = open().await;
    ana.say("pay").await.unwrap();
    hears(&ana).await;
    assert_eq!(hears(&ana).await, "Ready?");
    let session = caller.session("pay", "Paused").await;
    let shown = caller.shown(&session).await;
    assert_eq!((&shown["node"], &shown["waitsFor"]), (&json!("ready"), &json!("answer")));
    assert_eq!(shown["contact"]["phone"], ANA);
    assert_eq!((&shown["context"]["input"], &shown["context"]["_meta"]), (&json!("pay"), &Value::Null));
    assert_eq!((&shown["history"][0]["direction"], &shown["events"][0]["kind"]), (&json!("in"), &json!("message")));

    let verb = |verb: &str| format!("/api/v1/sessions/{session}/{verb}");
    assert_eq!(caller.post(&verb("release"), json!({"to": "next"})).await.0, 409, "it is with nobody");
    let (status, unknown) = caller.post(&verb("move"), json!({"node": "nowhere"})).await;
    assert_eq!((status, &unknown["error"]["details"]["value"]), (422, &json!("nowhere")));
    assert_eq!(caller.post(&verb("move"), json!({"to": "late"})).await.0, 400);
    assert_eq!(caller.post(&verb("move"), json!({"node": "late"})).await.0, 202);
    assert_eq!(hears(&ana).await, "Late");
    caller.session("pay", "Completed").await;
    for (verb, body) in [("move", json!({"node": "late"})), ("end", Value::Null), ("restart", Value::Null)] {
        let (status, over) = caller.post(&format!("/api/v1/sessions/{session}/{verb}"), body).await;
        assert_eq!((status, &over["error"]["details"]["status"]), (409, &json!("Completed")), "{verb}");
    }

    ana.say("pay").await.unwrap();
    let first = hears(&ana).await;
    assert_eq!(hears(&ana).await, "Ready?");
    let second = caller.session("pay", "Paused").await;
    assert_eq!(caller.post(&format!("/api/v1/sessions/{second}/restart"), Value::Null).await.0, 202);
    assert_ne!(hears(&ana).await, first, "another session has another URL");
    assert_eq!(hears(&ana).await, "Ready?");
    let third = caller.session("pay", "Paused").await;
    assert_ne!(third, second);
    assert_eq!(caller.shown(&second).await["context"]["endReason"], "restarted");

    let (_, page) = caller.get("/api/v1/sessions?limit=2").await;
    let ids =
        |page: &Value| page["sessions"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&page), [json!(third), json!(second)]);
    let (_, rest) = caller.get(&format!("/api/v1/sessions?before={}", page["next"].as_str().unwrap())).await;
    assert_eq!((ids(&rest), &rest["next"]), (vec![json!(session)], &Value::Null));
    assert_eq!(ids(&caller.get("/api/v1/sessions?status=Paused").await.1), [json!(third)]);
    assert_eq!(ids(&caller.get("/api/v1/sessions?contact=34999999999").await.1), Vec::<Value>::new());
    for query in ["status=Open", "limit=0", "limit=many", "before=yesterday", "flow=%00", "statsu=Paused"] {
        assert_eq!(caller.get(&format!("/api/v1/sessions?{query}")).await.0, 400, "{query}");
    }

    let standing =
        eventually!(SOON, shop.replicas[0].admin_get("/sessions").await.unwrap().1, |text| text.contains("pay"));
    let standing: Value = serde_json::from_str(&standing).unwrap();
    let revision = caller.shown(&third).await["revision"].as_str().unwrap().to_owned();
    assert_eq!(standing, json!({"tenants": {"default/acme": {"pay": {"open": {revision.clone(): {"ready": 1}}}}}}));

    let all = "/api/v1/flows/pay/sessions/end";
    assert_eq!(caller.post(&format!("{all}?revison={revision}"), Value::Null).await.0, 400, "a slip ends nobody's");
    assert_eq!(caller.post("/api/v1/flows/nothing/sessions/end", Value::Null).await.0, 404);
    let none = caller.post(&format!("{all}?revision=000000000000"), Value::Null).await;
    assert_eq!(none, (202, json!({"accepted": true, "sessions": 0})));
    let ended = caller.post(&format!("{all}?revision={revision}"), Value::Null).await;
    assert_eq!(ended, (202, json!({"accepted": true, "sessions": 1})));
    caller.session("pay", "Completed").await;
}

#[tokio::test]
async fn while_people_speak_no_flow_does_and_a_release_leads_where_it_says() {
    let (shop, caller, ana) = open().await;
    ana.say("pay").await.unwrap();
    hears(&ana).await;
    hears(&ana).await;
    ana.tap("Yes").await.unwrap();
    let waiting = caller.session("pay", "Active").await;
    for (to, variables, said) in [
        ("next", json!({}), Some("Back with nothing")),
        ("next", json!({"answer": 42}), Some("Back with 42")),
        ("other", json!({"answer": "us"}), Some("Elsewhere with us")),
        ("end", json!({}), None),
    ] {
        ana.say("help").await.unwrap();
        assert_eq!(hears(&ana).await, "One moment");
        let session = caller.session("help", "Paused").await;
        let shown = caller.shown(&session).await;
        assert_eq!((&shown["waitsFor"], &shown["context"]["handoffQueue"]), (&json!("people"), &json!("sales")));
        let before = shop.simulator.ledger().sends.len();
        ana.say("pay").await.unwrap();
        eventually!(SOON, tables::count(&shop.pool, "SELECT count(*) FROM job_ready").await.unwrap() == 0);
        assert_eq!(shop.simulator.ledger().sends.len(), before, "the bot is silent");
        let (status, refused) = caller.post("/api/webhook?flowId=offer", json!({"from": ANA})).await;
        assert_eq!((status, &refused["success"]), (409, &json!(false)), "{refused}");
        assert_eq!(caller.post(&format!("/api/v1/sessions/{waiting}/restart"), Value::Null).await.0, 409);

        let release = format!("/api/v1/sessions/{session}/release");
        assert_eq!(caller.post(&release, json!({"to": "nowhere"})).await.0, 422);
        assert_eq!(caller.post(&release, json!({"variables": {}})).await.0, 400);
        let accepted = caller.post(&release, json!({"to": to, "variables": variables})).await;
        assert_eq!(accepted, (202, json!({"accepted": true})));
        if let Some(said) = said {
            assert_eq!(hears(&ana).await, said);
        }
        caller.session("help", "Completed").await;
        assert_eq!(caller.post(&release, json!({"to": "next"})).await.0, 409);
    }
}

#[tokio::test]
async fn a_tenants_sessions_are_its_own() {
    let (shop, caller, ana) = open().await;
    shop.simulator.register(Number::new("2002", "http://beta.localhost/webhooks/primary")).unwrap();
    shop.write_tenant("beta", "beta.localhost", "2002").unwrap();
    ana.say("pay").await.unwrap();
    let url = path(&hears(&ana).await);
    let session = caller.session("pay", "Paused").await;
    let show = format!("/api/v1/sessions/{session}");

    let beta = Caller { host: "beta.localhost".to_owned(), ..caller.with_token(Some(&api_token("beta"))) };
    eventually!(SOON, beta.get("/api/v1/sessions").await, |answer| *answer
        == (200, json!({"sessions": [], "next": null})));
    let (status, other) = beta.get(&show).await;
    assert_eq!((status, &other["error"]["code"]), (404, &json!("NOT_FOUND")));
    assert_eq!(beta.post(&format!("{show}/end"), Value::Null).await.0, 404);
    assert_eq!(beta.post("/api/v1/flows/pay/sessions/end", Value::Null).await.0, 404);
    assert_eq!(beta.post(&url, json!({})).await.0, 404, "a URL is its tenant's alone");
    for unknown in [NOBODY, "nothing"] {
        assert_eq!(caller.get(&format!("/api/v1/sessions/{unknown}")).await.0, 404);
    }
    for token in [None, Some(""), Some("wrong"), Some(&*api_token("beta"))] {
        let (status, refused) = caller.with_token(token).get(&show).await;
        assert_eq!((status, &refused["error"]["code"]), (401, &json!("UNAUTHORIZED")), "{token:?}");
        assert!(refused["error"]["request_id"].is_string() && refused["error"]["timestamp"].is_string());
    }
    assert_eq!(caller.shown(&session).await["status"], "Paused");

    std::fs::remove_dir_all(shop.path("secrets/beta-api")).unwrap();
    let advice = eventually!(SOON, beta.get("/api/v1/sessions").await, |answer| answer.0 == 401);
    assert!(advice.1["error"]["message"].as_str().unwrap().contains("tokensSecretRef"), "{advice:?}");
}
