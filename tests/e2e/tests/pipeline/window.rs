//! The 24 hours after a customer's message, in which anything may be sent: shut between question and answer; and sends
//! that fail late, or wait for a token, in the middle of a conversation.

use wigwag_e2e::{
    shop::{NUMBER, Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Customer, Rule, SendFault, Status, Template};

use crate::support::{ANA, ECHO, SOON, all_is_done, as_if_received_before, column, flow, hears, make_due, quiet};

/// Speaks, pauses for two hours, and speaks again.
fn reminder(second: &str) -> String {
    flow(
        "remind",
        &format!(
            "  start: first
  nodes:
  - {{name: first, message: {{text: \"Later, {{{{ contact.name }}}}\", next: pause}}}}
  - {{name: pause, delay: {{for: 2h, next: second}}}}
  - {{name: second, message: {{text: \"It is time\", {second}next: wait}}}}
  - {{name: wait, waitFor: {{timeout: 1h, onTimeout: failed}}}}
  - {{name: failed, assign: {{set: {{contact.missed: \"'yes'\"}}, next: over}}}}
  - {{name: over, end: {{reason: missed}}}}"
        ),
    )
}

const TEMPLATE: &str =
    "template: {name: it_is_time, language: es, parameters: [{value: \"{{ contact.name }}\"}]}, onFail: failed, ";

async fn begun(flows: &str) -> (Shop, Customer) {
    let shop = quiet(Plan { flows: Some(&format!("{flows}{ECHO}")), ..Plan::default() }).await;
    shop.simulator.register_template(Template::new("it_is_time", "es", "Es hora, {{1}}"));
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("remind").await.unwrap();
    assert_eq!(hears(&ana).await, "Later, Ana");
    all_is_done(&shop).await;
    (shop, ana)
}

async fn missed(shop: &Shop) -> bool {
    tables::count(&shop.pool, "SELECT count(*) FROM contact WHERE attributes::jsonb->>'missed' = 'yes'").await.unwrap()
        == 1
}

#[tokio::test]
async fn after_a_day_the_template_goes_instead() {
    let (shop, ana) = begun(&reminder(TEMPLATE)).await;
    as_if_received_before(&shop, "25 hours").await;
    make_due(&shop, "remind").await;
    let sent = ana.reply(SOON).await.unwrap();
    let template = &sent.body["template"];
    assert_eq!((&template["name"], &template["language"]["code"]), (&"it_is_time".into(), &"es".into()));
    assert_eq!(template["components"][0]["parameters"][0]["text"], "Ana");
    all_is_done(&shop).await;
    assert!(shop.simulator.ledger().refused.is_empty(), "nothing that Meta would refuse was tried");
    assert!(!missed(&shop).await);
    let stored = column(&shop, "SELECT body FROM outbound ORDER BY id DESC LIMIT 1").await;
    assert!(stored[0].contains("it_is_time"), "what is stored is what was sent: {stored:?}");
}

#[tokio::test]
async fn within_a_day_the_message_itself_goes() {
    let (shop, ana) = begun(&reminder(TEMPLATE)).await;
    as_if_received_before(&shop, "23 hours").await;
    make_due(&shop, "remind").await;
    assert_eq!(hears(&ana).await, "It is time");
    // Its day is over, but they wrote again since.
    as_if_received_before(&shop, "25 hours").await;
    ana.say("remind").await.unwrap();
    assert_eq!(hears(&ana).await, "echo remind");
}

#[tokio::test]
async fn after_a_day_a_message_without_a_template_fails_without_being_tried() {
    let (shop, _ana) = begun(&reminder("onFail: failed, ")).await;
    as_if_received_before(&shop, "25 hours").await;
    make_due(&shop, "remind").await;
    eventually!(SOON, missed(&shop).await);
    let ledger = shop.simulator.ledger();
    assert_eq!((ledger.sends.len(), ledger.refused.len()), (1, 0));
    let failed = column(&shop, "SELECT status || ' ' || error_code FROM outbound ORDER BY id DESC LIMIT 1").await;
    assert_eq!(failed, ["failed 131047"]);
}

#[tokio::test]
async fn a_window_that_the_provider_finds_shut_fails_the_message() {
    let (shop, _ana) = begun(&reminder("onFail: failed, ")).await;
    shop.simulator.fail_sends(Rule::once(SendFault::ShutWindow));
    make_due(&shop, "remind").await;
    eventually!(SOON, missed(&shop).await);
    assert_eq!(shop.simulator.ledger().refused.len(), 1, "it was tried, once");
}

#[tokio::test]
async fn where_the_provider_finds_the_window_shut_the_template_goes_instead() {
    let (shop, ana) = begun(&reminder(TEMPLATE)).await;
    shop.simulator.fail_sends(Rule::once(SendFault::ShutWindow));
    make_due(&shop, "remind").await;
    assert_eq!(ana.reply(SOON).await.unwrap().body["template"]["name"], "it_is_time");
    all_is_done(&shop).await;
    assert!(!missed(&shop).await);
    assert_eq!(shop.simulator.ledger().refused.len(), 1, "the message itself was tried, once");
    let stored = column(&shop, "SELECT body FROM outbound ORDER BY id DESC LIMIT 1").await;
    assert!(stored[0].contains("it_is_time"), "what is stored is what was sent: {stored:?}");
}

#[tokio::test]
async fn a_message_that_fails_by_a_later_webhook_leads_to_its_nodes_on_fail() {
    let (shop, ana) = begun(&reminder("onFail: failed, ")).await;
    make_due(&shop, "remind").await;
    let sent = ana.reply(SOON).await.unwrap();
    let standing = "SELECT node FROM session WHERE flow = 'remind' AND state = 'Active'";
    eventually!(SOON, column(&shop, standing).await, |node| *node == ["wait"]);
    // Twice: it fails once.
    for _ in 0..2 {
        assert!(shop.simulator.post_status(&sent.wamid, Status::Failed(131_026)).await.unwrap().acknowledged);
    }
    eventually!(SOON, missed(&shop).await);
    all_is_done(&shop).await;
    let failures = "SELECT count(*) FROM session_event WHERE kind = 'send_failed'";
    assert_eq!(tables::count(&shop.pool, failures).await.unwrap(), 1);
}

#[tokio::test]
async fn a_message_that_fails_when_its_session_has_gone_on_changes_nothing() {
    let (shop, ana) = begun(&reminder("onFail: failed, ")).await;
    make_due(&shop, "remind").await;
    hears(&ana).await;
    let first = shop.simulator.ledger().sends[0].wamid.clone();
    assert!(shop.simulator.post_status(&first, Status::Failed(131_026)).await.unwrap().acknowledged);
    eventually!(SOON, column(&shop, "SELECT status::text FROM outbound ORDER BY id LIMIT 1").await[0] == "failed");
    all_is_done(&shop).await;
    assert!(!missed(&shop).await);
    let standing = column(&shop, "SELECT node FROM session WHERE flow = 'remind' AND state = 'Active'").await;
    assert_eq!(standing, ["wait"]);
}

#[tokio::test]
async fn a_message_that_the_provider_accepts_and_fails_later_reaches_its_conversation() {
    let (shop, _ana) = begun(&reminder("onFail: failed, ")).await;
    shop.simulator.fail_sends(Rule::once(SendFault::AcceptAndFail { code: 131_049 }));
    make_due(&shop, "remind").await;
    eventually!(SOON, missed(&shop).await);
    assert_eq!(shop.simulator.ledger().sends.len(), 2);
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_makes_a_conversation_wait_and_ends_none() {
    let asks = flow(
        "order",
        "  start: size
  nodes:
  - {name: size, ask: {text: \"Size?\", into: size, next: colour}}
  - {name: colour, ask: {text: \"Colour?\", into: colour, next: done}}
  - {name: done, message: {text: \"{{ size }}, {{ colour }}\"}}",
    );
    let shop = quiet(Plan { flows: Some(&asks), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("order").await.unwrap();
    assert_eq!(hears(&ana).await, "Size?");
    let mut number = shop.simulator.number(NUMBER).unwrap();
    number.access_tokens = vec!["a new token".to_owned()];
    shop.simulator.register(number).unwrap();

    ana.say("large").await.unwrap();
    let paused = async || {
        shop.replicas[0].configz().await.unwrap()["tenants"]["default/acme"]["channels"]["primary"]["paused"]
            .is_string()
    };
    eventually!(SOON, paused().await);
    // They write on: nothing is lost, and it is in order.
    ana.say("red").await.unwrap();
    let completed = "SELECT count(*) FROM session WHERE state = 'Completed'";
    eventually!(SOON, tables::count(&shop.pool, completed).await.unwrap() == 1);
    shop.replicas[0].kill().await.unwrap();
    shop.replicas[0].restart().await.unwrap();
    eventually!(SOON, paused().await);
    shop.write_secret("acme-meta", "access-token", "a new token").unwrap();
    assert_eq!(hears(&ana).await, "Colour?");
    assert_eq!(hears(&ana).await, "large, red");
    all_is_done(&shop).await;
    assert_eq!(shop.simulator.ledger().sends.len(), 3);
}
