//! What providers tell of messages: late, early, and of sends whose answer was lost.

use std::time::Duration;

use wigwag_e2e::{
    shop::{Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Receipts, Settings, Status};

const SOON: Duration = Duration::from_secs(10);

async fn quiet_shop() -> Shop {
    let simulator = Settings { receipts: Receipts::None, ..Settings::default() };
    Shop::with(Plan { simulator: Some(simulator), ..Plan::default() }).await.unwrap()
}

async fn status(shop: &Shop) -> (String, Option<String>) {
    sqlx::query_as("SELECT status::text, provider_id FROM outbound").fetch_one(&shop.pool).await.unwrap()
}

#[tokio::test]
async fn a_late_sent_after_read_changes_nothing() {
    let shop = quiet_shop().await;
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    let wamid = ana.reply(SOON).await.unwrap().wamid;
    eventually!(SOON, status(&shop).await, |s| s.0 == "accepted");
    let row = "SELECT md5(o::text) FROM outbound o";

    assert!(shop.simulator.post_status(&wamid, Status::Read).await.unwrap().acknowledged);
    assert_eq!(status(&shop).await.0, "read");
    let before: String = sqlx::query_scalar(row).fetch_one(&shop.pool).await.unwrap();
    for late in [Status::Sent, Status::Delivered, Status::Failed(131_026), Status::Read] {
        assert!(shop.simulator.post_status(&wamid, late).await.unwrap().acknowledged);
    }
    let after: String = sqlx::query_scalar(row).fetch_one(&shop.pool).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_receipt_that_is_faster_than_our_own_commit_is_applied_once_the_message_is_there() {
    let shop = quiet_shop().await;
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    let hold = shop.simulator.hold_answers();
    ana.say("hola").await.unwrap();
    let wamid = hold.wait_for(1, SOON).await.unwrap().remove(0).wamid;

    // Our own id comes back with it, so the message is found although its answer is still on its way.
    assert!(shop.simulator.post_status(&wamid, Status::Delivered).await.unwrap().acknowledged);
    assert_eq!(status(&shop).await, ("delivered".to_owned(), Some(wamid.clone())));
    drop(hold);

    // An orphan has no id of ours: it waits for the message's commit.
    let number = shop.simulator.number(wigwag_e2e::shop::NUMBER).unwrap();
    let eva = shop.customer("+34600111333", "Eva").unwrap();
    let hold = shop.simulator.hold_answers();
    eva.say("hola").await.unwrap();
    let wamid = hold.wait_for(1, SOON).await.unwrap().remove(0).wamid;
    let bare =
        serde_json::json!([{"id": wamid, "status": "read", "timestamp": "1749416383", "recipient_id": "34600111333"}]);
    let update = wigwag_simulator::Update::raw(
        &number,
        "messages",
        serde_json::Map::from_iter([
            ("messaging_product".to_owned(), serde_json::json!("whatsapp")),
            (
                "metadata".to_owned(),
                serde_json::json!({"display_phone_number": "1", "phone_number_id": number.phone_number_id}),
            ),
            ("statuses".to_owned(), bare),
        ]),
    );
    assert!(shop.simulator.post_batch(vec![update], 1).await.unwrap().acknowledged);
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM receipt").await.unwrap(), 1, "an orphan waits");
    hold.release_all();
    let read = "SELECT count(*) FROM outbound WHERE status = 'read'";
    eventually!(SOON, tables::count(&shop.pool, read).await.unwrap() == 1);
    eventually!(SOON, tables::count(&shop.pool, "SELECT count(*) FROM receipt").await.unwrap() == 0);
}

#[tokio::test]
async fn an_expired_token_pauses_sending_and_inbound_goes_on() {
    let shop = quiet_shop().await;
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    let mut number = shop.simulator.number(wigwag_e2e::shop::NUMBER).unwrap();
    number.access_tokens = vec!["a new token".to_owned()];
    shop.simulator.register(number).unwrap();

    ana.say("one").await.unwrap();
    let paused = eventually!(
        SOON,
        shop.replicas[0].configz().await.unwrap()["tenants"]["default/acme"]["channels"]["primary"]["paused"].clone(),
        |paused| paused.is_string()
    );
    assert!(paused.as_str().unwrap().contains("190"), "{paused}");
    ana.say("two").await.unwrap();
    eventually!(SOON, tables::jobs(&shop.pool).await.unwrap(), |jobs| *jobs == [("completed".to_owned(), 2)]);
    assert!(shop.simulator.ledger().sends.is_empty());

    shop.write_secret("acme-meta", "access-token", "a new token").unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "echo one");
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "echo two");
}
