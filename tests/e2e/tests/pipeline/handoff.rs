//! While people speak to a contact, no Flow of the tenant does; what the others meant to say comes after the release.

use serde_json::json;
use wigwag_e2e::{
    shop::{HOST, Plan, Shop, api_token},
    tables,
};
use wigwag_sandbox::eventually;

use crate::support::{ANA, ECHO, EVA, SOON, all_is_done, column, flow, hears, make_due, quiet};

fn flows() -> String {
    let reminder = flow(
        "remind",
        "  start: pause
  nodes:
  - {name: pause, delay: {for: 2h, next: say}}
  - {name: say, message: {text: It is time}}",
    );
    let help = flow(
        "help",
        "  start: say
  nodes:
  - {name: say, message: {text: One moment, next: person}}
  - {name: person, handoff: {timeout: 2h, onTimeout: alone, next: back}}
  - {name: back, message: {text: Back}}
  - {name: alone, message: {text: Nobody came}}",
    );
    let asks = flow(
        "ask",
        "  start: ask
  session: {timeout: 2h, onTimeout: late}
  nodes:
  - {name: ask, ask: {text: \"Who?\", into: who, next: done}}
  - {name: done, message: {text: \"{{ who }}\"}}
  - {name: late, message: {text: Too late}}",
    )
    .replace("match: Exact", "interrupt: true");
    reminder + &help + &asks + ECHO
}

async fn with_people() -> (Shop, wigwag_simulator::Customer) {
    let shop = quiet(Plan { flows: Some(&flows()), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    for word in ["remind", "help"] {
        ana.say(word).await.unwrap();
    }
    assert_eq!(hears(&ana).await, "One moment");
    let people = "SELECT count(*) FROM session WHERE flow = 'help' AND state = 'Paused'";
    eventually!(SOON, tables::count(&shop.pool, people).await.unwrap() == 1);
    (shop, ana)
}

/// The other Flow's time comes while people speak.
async fn time_comes(shop: &Shop) {
    make_due(shop, "remind").await;
    let put_off =
        "SELECT count(*) FROM job_ready WHERE kind = 'timer' AND run_at > clock_timestamp() + interval '1 hour'";
    eventually!(SOON, tables::count(&shop.pool, put_off).await.unwrap() == 1);
}

#[tokio::test]
async fn what_another_flow_meant_to_say_during_a_handoff_comes_after_the_release() {
    let (shop, ana) = with_people().await;
    time_comes(&shop).await;
    // Neither words, nor triggers, nor a keyword that interrupts: and others are served as ever.
    for word in ["hola", "ask", "remind"] {
        ana.say(word).await.unwrap();
    }
    let eva = shop.customer(EVA, "Eva").unwrap();
    eva.say("hola").await.unwrap();
    assert_eq!(hears(&eva).await, "echo hola");
    shop.replicas[0].kill().await.unwrap();
    shop.replicas[0].restart().await.unwrap();
    let left = "SELECT count(*) FROM job_ready WHERE run_at <= clock_timestamp()";
    eventually!(SOON, tables::count(&shop.pool, left).await.unwrap() == 0);
    assert_eq!(shop.simulator.ledger().sends_to(&ana.key()).len(), 1, "the bot is silent");

    let help = column(&shop, "SELECT id::text FROM session WHERE flow = 'help'").await;
    let release = format!("http://{}/api/v1/sessions/{}/release", shop.replicas[0].listen, help[0]);
    let released = reqwest::Client::new()
        .post(release)
        .header("host", HOST)
        .bearer_auth(api_token("acme"))
        .body(json!({"to": "next"}).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(released.status().as_u16(), 202);
    let mut said = [hears(&ana).await, hears(&ana).await];
    said.sort();
    assert_eq!(said, ["Back", "It is time"]);
    all_is_done(&shop).await;
    assert_eq!(shop.simulator.ledger().sends_to(&ana.key()).len(), 3, "what was said meanwhile was for the people");
}

#[tokio::test]
async fn a_handoff_that_nobody_releases_ends_with_its_time_and_lets_the_others_speak() {
    let (shop, ana) = with_people().await;
    time_comes(&shop).await;
    make_due(&shop, "help").await;
    let mut said = [hears(&ana).await, hears(&ana).await];
    said.sort();
    assert_eq!(said, ["It is time", "Nobody came"]);
    ana.say("hola").await.unwrap();
    assert_eq!(hears(&ana).await, "echo hola");
}
