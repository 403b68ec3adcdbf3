//! A conversation that cannot go on and has no way for that: what the customer hears, and what people see.

use serde_json::{Value, json};
use wigwag_e2e::shop::{Plan, Shop};
use wigwag_sandbox::eventually;
use wigwag_simulator::{EndpointAnswer, EndpointRule};

use crate::support::{ANA, SOON, all_is_done, column, flow, hears, make_due, quiet};

/// Calls a program that is down, in a called Flow, and has no way for that.
fn flows() -> String {
    flow(
        "order",
        "  start: pay\n  nodes:\n  - {name: pay, call: {flow: till, next: done}}\n  - {name: done, message: {text: Done}}",
    ) + &flow("till", "  start: ask\n  nodes:\n  - {name: ask, http: {method: POST, url: \"$ENDPOINT/till\"}}")
}

async fn broken(spec: &str) -> Shop {
    let shop = quiet(Plan { flows: Some(&flows()), spec, ..Plan::default() }).await;
    let down = EndpointAnswer::Reply { status: 503, headers: Default::default(), body: Value::Null };
    shop.simulator.answer_calls(EndpointRule::at("/till", down));
    shop
}

#[tokio::test]
async fn a_failure_without_a_way_ends_the_session_with_the_tenants_words_and_is_counted_for_people() {
    let shop = broken("  fallbackMessage: \"Perdona, {{ contact.name }}, algo ha fallado.\"\n").await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("order").await.unwrap();
    assert_eq!(hears(&ana).await, "Perdona, Ana, algo ha fallado.");
    all_is_done(&shop).await;
    assert_eq!(column(&shop, "SELECT state FROM session").await, ["Errored"]);

    let admin = &shop.replicas[0];
    let standing = eventually!(SOON, admin.admin_get("/sessions").await.unwrap().1, |text| text.contains("errored"));
    let standing: Value = serde_json::from_str(&standing).unwrap();
    let errored = json!([{"node": "ask", "kind": "http-5xx", "sessions": 1}]);
    assert_eq!(standing["tenants"]["default/acme"], json!({"order": {"errored": errored}}));
    let metrics = admin.admin_get("/metrics").await.unwrap().1;
    let counted = metrics.lines().find(|line| line.starts_with("wigwag_flow_errors_total")).unwrap_or_default();
    assert!(["node=\"ask\"", "kind=\"http-5xx\"", "} 1"].iter().all(|part| counted.contains(part)), "{counted:?}");
}

#[tokio::test]
async fn without_words_of_the_tenant_a_failure_is_silent_and_the_next_message_begins_anew() {
    let shop = broken("").await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    for sessions in 1..=2 {
        ana.say("order").await.unwrap();
        eventually!(SOON, column(&shop, "SELECT state FROM session").await, |states| {
            states.len() == sessions && states.iter().all(|state| state == "Errored")
        });
    }
    assert!(shop.simulator.ledger().sends.is_empty());
}

/// Whatever is to go out, the database takes none of it.
const REFUSE: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
      AS 'BEGIN RAISE EXCEPTION ''no'' USING ERRCODE = ''22000''; END';
    CREATE TRIGGER refuse BEFORE INSERT ON outbound FOR EACH ROW EXECUTE FUNCTION refuse()";

#[tokio::test]
async fn a_session_whose_step_the_database_refuses_ends_and_does_not_wait_for_ever() {
    let nap = flow(
        "nap",
        "  start: nap\n  nodes:\n  - {name: nap, delay: {for: 2h, next: up}}\n  - {name: up, message: {text: Up}}",
    );
    let shop = quiet(Plan { flows: Some(&nap), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("nap").await.unwrap();
    all_is_done(&shop).await;
    sqlx::raw_sql(REFUSE).execute(&shop.pool).await.unwrap();
    make_due(&shop, "nap").await;
    eventually!(SOON, column(&shop, "SELECT state FROM session").await, |states| *states == ["Errored"]);
    assert_eq!(column(&shop, "SELECT reason FROM job_outcome").await.len(), 1);
    sqlx::raw_sql("DROP TRIGGER refuse ON outbound").execute(&shop.pool).await.unwrap();
    ana.say("nap").await.unwrap();
    eventually!(SOON, column(&shop, "SELECT state FROM session ORDER BY created_at").await, |states| {
        *states == ["Errored", "Active"]
    });
}

/// The first step is that of a timer which has not gone off yet.
#[tokio::test]
async fn what_two_steps_of_one_message_note_of_a_contact_is_kept_both() {
    let asks = flow(
        "ask",
        "  start: q\n  nodes:\n  - {name: q, ask: {text: \"?\", into: x, timeout: 2h, onTimeout: late}}
  - {name: late, assign: {set: {contact.late: \"'yes'\"}}}",
    );
    let sees = flow(
        "see",
        "  start: seen\n  nodes:\n  - {name: seen, assign: {set: {contact.seen: \"'yes'\"}, next: say}}
  - {name: say, message: {text: \"late {{ contact.late }}\"}}",
    );
    let shop = quiet(Plan { flows: Some(&(asks + &sees)), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("ask").await.unwrap();
    assert_eq!(hears(&ana).await, "?");
    all_is_done(&shop).await;
    let over =
        "UPDATE session SET context = jsonb_set(context::jsonb, '{wait,until}', '\"2020-01-01T00:00:00Z\"')::text";
    sqlx::raw_sql(over).execute(&shop.pool).await.unwrap();
    ana.say("see").await.unwrap();
    assert_eq!(hears(&ana).await, "late yes");
    all_is_done(&shop).await;
    let kept = "SELECT attributes::jsonb ->> 'late' || ' ' || (attributes::jsonb ->> 'seen') FROM contact";
    assert_eq!(column(&shop, kept).await, ["yes yes"]);
}
