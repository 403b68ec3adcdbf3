//! What people who write Flows see of conversations of the past: `wigwag-dataplane flow replay`, and the counts of
//! `flow graph`.

use std::{fs, process::Output};

use serde_json::json;
use tokio::process::Command;
use uuid::Uuid;
use wigwag_e2e::{binary::binary, shop::Plan, shop::Shop, tables};
use wigwag_sandbox::eventually;
use wigwag_simulator::EndpointRule;

use crate::support::{ANA, SOON, hears};

/// Asks for an order's number, looks it up, thanks, and asks whether that is all.
const ORDERS: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: orders}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: pedido}]
  start: which
  nodes:
  - {name: which, ask: {text: 'Which order, {{ contact.name }}?', type: Number, into: order, next: look}}
  - name: look
    http: {url: '$ENDPOINT/orders/{{ order }}', into: found, next: count}
  - {name: count, assign: {set: {contact.asked: 'has(contact.asked) ? contact.asked + 1 : 1'}, next: tell}}
  - {name: tell, message: {text: 'Order {{ order }} is {{ found.body.state }}.', next: pause}}
  - {name: pause, delay: {for: 1s, next: more}}
  - name: more
    options:
      text: 'Anything else? ({{ contact.asked }})'
      options: [{id: more, title: 'Yes', next: which}, {id: enough, title: 'No', next: bye}]
  - {name: bye, message: {text: Bye!}}
";

async fn replay(shop: &Shop, session: Uuid, more: &[&str]) -> (Option<i32>, String) {
    let session = session.to_string();
    let args: Vec<_> = ["replay", session.as_str()].into_iter().chain(more.iter().copied()).collect();
    flow(shop, &args).await
}

/// Runs a command about Flows: its exit code, and what it says.
async fn flow(shop: &Shop, args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(binary("wigwag-dataplane").unwrap())
        .arg("flow")
        .args(args)
        .env("WIGWAG_DATABASE_URL", shop.database.url())
        .output()
        .await
        .unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[tokio::test]
async fn a_conversation_with_a_call_and_a_pause_is_stepped_again_to_the_same_and_an_edit_shows() {
    let shop = Shop::with(Plan { flows: Some(ORDERS), ..Plan::default() }).await.unwrap();
    shop.simulator.answer_calls(EndpointRule::reply("GET", "/orders/42", json!({"state": "on its way"})));
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("pedido").await.unwrap();
    assert_eq!(hears(&ana).await, "Which order, Ana?");
    ana.say("the 42").await.unwrap();
    assert_eq!(hears(&ana).await, "Order 42 is on its way.");
    assert_eq!(hears(&ana).await, "Anything else? (1) [1 Yes] [2 No]");
    ana.tap("No").await.unwrap();
    assert_eq!(hears(&ana).await, "Bye!");
    let over = "SELECT count(*) FROM session WHERE state = 'Completed'";
    eventually!(SOON, tables::count(&shop.pool, over).await.unwrap() == 1);
    let session: Uuid = sqlx::query_scalar("SELECT id FROM session").fetch_one(&shop.pool).await.unwrap();

    let (code, said) = replay(&shop, session, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("4 messages, all as they were sent\n"), "{said}");
    assert!(said.contains("result  200 {\"state\":\"on its way\"}\n     Order 42 is on its way.\n"), "{said}");
    let tenant = shop.path("config/tenant-acme.yaml");
    let (code, said) = replay(&shop, session, &["--tenant", tenant.to_str().unwrap()]).await;
    assert_eq!(code, Some(0), "{said}");

    let edited = shop.path("edited.yaml");
    let flows = ORDERS.replace("$ENDPOINT", &shop.simulator.endpoint_url());
    fs::write(&edited, flows.replace("is {{ found.body.state }}.", "is {{ upper(found.body.state) }}!")).unwrap();
    let (code, said) = replay(&shop, session, &["--against", edited.to_str().unwrap()]).await;
    assert_eq!(code, Some(2), "{said}");
    fs::write(&edited, flows.replace("is {{ found.body.state }}.", "is still {{ found.body.state }}.")).unwrap();
    let (code, said) = replay(&shop, session, &["--against", edited.to_str().unwrap()]).await;
    assert_eq!(code, Some(1), "{said}");
    let difference = "   - Order 42 is on its way.\n   + Order 42 is still on its way.\n";
    assert!(said.contains(difference) && said.ends_with("4 messages, 1 differences\n"), "{said}");

    // An edit that asks again where a call was made.
    let asks = flows.replace("type: Number, into: order, next: look", "type: Number, into: order, next: sure")
        + "  - {name: sure, ask: {text: Sure?, into: sure, next: look}}\n";
    fs::write(&edited, asks).unwrap();
    let (code, said) = replay(&shop, session, &["--against", edited.to_str().unwrap()]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("   + Sure?\n") && said.contains("the session does not take it now"), "{said}");

    let (code, said) = replay(&shop, Uuid::nil(), &[]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is no session"), "{said}");
}

#[tokio::test]
async fn a_diagram_tells_how_many_came_by_each_node() {
    let shop = Shop::with(Plan { flows: Some(ORDERS), ..Plan::default() }).await.unwrap();
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("pedido").await.unwrap();
    hears(&ana).await;
    ana.say("none").await.unwrap();
    assert_eq!(hears(&ana).await, "Which order, Ana?");
    let file = shop.path("config/flows.yaml");
    let metrics = format!("http://{}/metrics", shop.replicas[0].admin);
    let args = ["graph", file.to_str().unwrap(), "--counts", &metrics];
    let (code, said) = flow(&shop, &args).await;
    assert_eq!(code, Some(0), "{said}");
    let node = "[/\"ask for number: which<br/>Which order, {{ contact.name }}?<br/>1 entered, 1 no match\"/]";
    assert!(said.contains(node), "{said}");
    let (code, said) = flow(&shop, &["graph", file.to_str().unwrap(), "--counts", "http://127.0.0.1:9/metrics"]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("--counts http://127.0.0.1:9/metrics: "), "{said}");
}
