//! Who may bring webhooks, and for whom.

use std::time::Duration;

use serde_json::{Map, json};
use wigwag_e2e::{
    shop::{NUMBER, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Inbound, Number, Update, sign};

const SOON: Duration = Duration::from_secs(10);
const ELSEWHERE: &str = "beta.localhost";

async fn nothing_is_stored(shop: &Shop) {
    for sql in [
        "SELECT count(*) FROM inbound",
        "SELECT count(*) FROM contact",
        "SELECT count(*) FROM dead_letter",
        "SELECT count(*) FROM dedupe",
        "SELECT count(*) FROM receipt",
    ] {
        assert_eq!(tables::count(&shop.pool, sql).await.unwrap(), 0, "{sql}");
    }
}

/// A shop with a second tenant of another Meta app on the same replica.
async fn two_tenants() -> Shop {
    let shop = Shop::open().await.unwrap();
    shop.simulator.register(Number::new("2002", format!("http://{ELSEWHERE}/webhooks/primary"))).unwrap();
    shop.simulator.connect(ELSEWHERE, &[shop.replicas[0].listen]);
    shop.write_tenant("beta", ELSEWHERE, "2002").unwrap();
    eventually!(SOON, shop.replicas[0].configz().await.unwrap()["tenants"].as_object().unwrap().len(), |n| *n == 2);
    shop
}

#[tokio::test]
async fn a_webhook_without_the_right_signature_is_401_and_stores_nothing() {
    let shop = two_tenants().await;
    let body = r#"{"object":"whatsapp_business_account","entry":[]}"#;
    let right = sign(&format!("{NUMBER}-app-secret"), body.as_bytes());
    let other_tenants = sign("2002-app-secret", body.as_bytes());
    let upper = right.to_uppercase();
    let cut = right[..right.len() - 1].to_owned();
    for signature in
        [None, Some(""), Some("sha256="), Some("sha256=zz"), Some(&other_tenants), Some(&upper), Some(&cut)]
    {
        let headers: Vec<_> = signature.map(|s| ("X-Hub-Signature-256".to_owned(), s.to_owned())).into_iter().collect();
        let answer = shop.simulator.post_raw(NUMBER, body, &headers).await.unwrap();
        assert_eq!(answer.status, 401, "{signature:?}: {:?}", answer.body);
        let told = format!("{:?}", answer.body);
        assert!(!told.contains(&right[7..]) && !told.contains("app-secret"), "an answer must not help: {told}");
    }
    nothing_is_stored(&shop).await;
    let headers = [("X-Hub-Signature-256".to_owned(), right)];
    assert_eq!(shop.simulator.post_raw(NUMBER, body, &headers).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_one_tenants_secret_signed_touches_no_other_tenant() {
    let shop = two_tenants().await;
    // The victim has a customer, whose message is handled.
    let ana = shop.simulator.customer("2002", "+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    eventually!(SOON, tables::jobs(&shop.pool).await.unwrap(), |jobs| *jobs == [("completed".to_owned(), 1)]);
    let victim = "SELECT md5(string_agg(t, '|' ORDER BY t)) FROM (
        SELECT c::text AS t FROM contact c WHERE tenant = 'default/beta'
        UNION ALL SELECT i::text FROM inbound i WHERE tenant = 'default/beta'
        UNION ALL SELECT o::text FROM outbound o WHERE tenant = 'default/beta'
        UNION ALL SELECT r::text FROM receipt r WHERE tenant = 'default/beta') rows";
    let before: Option<String> = sqlx::query_scalar(victim).fetch_one(&shop.pool).await.unwrap();
    let sent = "SELECT count(*) FROM outbound WHERE tenant = 'default/beta'";
    let sends = tables::count(&shop.pool, sent).await.unwrap();
    let number = shop.simulator.number(NUMBER).unwrap();
    let forged = |field: &str, items: serde_json::Value| {
        Update::raw(
            &number,
            "messages",
            Map::from_iter([
                ("messaging_product".to_owned(), json!("whatsapp")),
                ("metadata".to_owned(), json!({"display_phone_number": "1", "phone_number_id": "2002"})),
                (field.to_owned(), items),
            ]),
        )
    };
    let message = json!([{"from": "34600111222", "id": "wamid.forged", "timestamp": "1749416383", "type": "text", "text": {"body": "hola"}}]);
    let receipt =
        json!([{"id": "wamid.forged", "status": "failed", "timestamp": "1749416383", "recipient_id": "34600111222"}]);
    let own = shop.customer("+34600999999", "Eva").unwrap().update(Inbound::text("mine")).unwrap();

    let posted = shop
        .simulator
        .post_batch(vec![forged("messages", message), own, forged("statuses", receipt)], 1)
        .await
        .unwrap();

    assert!(posted.acknowledged);
    eventually!(SOON, shop.simulator.ledger().sends.iter().any(|sent| sent.text() == "echo mine"));
    let foreign = "SELECT count(*) FROM dead_letter WHERE reason = 'foreign-number' AND tenant = 'default/acme'";
    assert_eq!(tables::count(&shop.pool, foreign).await.unwrap(), 2);
    let after: Option<String> = sqlx::query_scalar(victim).fetch_one(&shop.pool).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(tables::count(&shop.pool, sent).await.unwrap(), sends);
}

#[tokio::test]
async fn the_handshake_gives_the_challenge_back_for_the_right_token_only() {
    let shop = Shop::open().await.unwrap();
    shop.simulator.verify(NUMBER).await.unwrap();
    let wrong = shop.simulator.challenge(NUMBER, "subscribe", "wrong", "115").await.unwrap();
    assert_eq!(wrong.status, 403);
    assert!(!format!("{:?}", wrong.body).contains("115"));
}

#[tokio::test]
async fn a_missing_credential_is_503_for_its_provider_until_the_file_is_there() {
    let shop = Shop::open().await.unwrap();
    std::fs::remove_file(shop.path("secrets/acme-meta/app-secret")).unwrap();
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    let body = r#"{"object":"whatsapp_business_account","entry":[]}"#;
    let headers = [("X-Hub-Signature-256".to_owned(), sign(&format!("{NUMBER}-app-secret"), body.as_bytes()))];
    eventually!(SOON, shop.simulator.post_raw(NUMBER, body, &headers).await.unwrap().status, |s| *s == 503);

    let waiting = tokio::spawn(async move {
        ana.say("hola").await.unwrap();
        ana
    });
    shop.write_secret("acme-meta", "app-secret", &format!("{NUMBER}-app-secret\n")).unwrap();

    let ana = waiting.await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "echo hola");
}
