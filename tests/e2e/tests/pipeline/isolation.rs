//! What waits, waits alone: a conversation whose call hangs, an endpoint that answers nobody, a contact with a thousand
//! messages.

use std::time::Duration;

use futures::future::join_all;
use wigwag_e2e::{
    shop::{NUMBER, Plan},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{EndpointAnswer, EndpointRule, Inbound, LoadPlan, Settings, Simulator};

use crate::support::{ANA, ECHO, EVA, SOON, all_is_done, column, flow, heard, hears, quiet};

/// What nobody has to wait for is there within this, on a busy machine too.
const PROMPT: Duration = Duration::from_secs(3);

fn ask(name: &str, url: &str) -> String {
    flow(
        name,
        &format!(
            "  start: call
  nodes:
  - {{name: call, http: {{url: \"{url}\", timeout: 60s, onError: {{timeout: late, network: late}}, next: done}}}}
  - {{name: done, message: {{text: {name} is answered}}}}
  - {{name: late, message: {{text: {name} is late}}}}"
        ),
    )
}

#[tokio::test]
async fn messages_that_come_while_a_call_runs_are_answered_after_it_in_order() {
    let flows = ask("order", "$ENDPOINT/order") + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let slow = EndpointRule::at("/order", EndpointAnswer::Echo).after(Duration::from_secs(4));
    shop.simulator.answer_calls(slow);
    let (ana, eva) = (shop.customer(ANA, "Ana").unwrap(), shop.customer(EVA, "Eva").unwrap());
    ana.say("order").await.unwrap();
    eventually!(SOON, shop.simulator.ledger().endpoint_calls.len() == 1);
    for word in ["one", "two", "three"] {
        ana.say(word).await.unwrap();
    }
    eva.say("hola").await.unwrap();
    assert_eq!(eva.reply(PROMPT).await.unwrap().text(), "echo hola");
    assert_eq!(heard(&shop, &ana), [""; 0], "the call still runs");

    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(hears(&ana).await);
    }
    assert_eq!(answers, ["order is answered", "echo one", "echo two", "echo three"]);
    all_is_done(&shop).await;
}

#[tokio::test]
async fn an_endpoint_that_hangs_slows_nobody_who_does_not_wait_for_it() {
    let other = Simulator::start(Settings::default()).await.unwrap();
    let flows = ask("stuck", "$ENDPOINT/stuck") + &ask("fine", &format!("{}/fine", other.endpoint_url())) + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    shop.simulator.answer_calls(EndpointRule::at("/stuck", EndpointAnswer::Hang));
    let mut stuck = LoadPlan::new(NUMBER, 200, Some(1));
    stuck.text = "stuck".to_owned();
    shop.simulator.load(stuck).unwrap().finish().await.unwrap();
    // More wait for it than may be under way at once.
    eventually!(SOON, shop.simulator.ledger().calls_to("/stuck").len() == 64);

    let others = (0..20).map(async |n| {
        let customer = shop.customer(&format!("+346002220{n:02}"), "Other").unwrap();
        customer.say("hola").await.unwrap();
        assert_eq!(customer.reply(PROMPT).await.unwrap().text(), "echo hola");
        customer.say("fine").await.unwrap();
        assert_eq!(customer.reply(PROMPT).await.unwrap().text(), "fine is answered");
    });
    join_all(others).await;
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM effect").await.unwrap(), 200, "the stuck still wait");
}

#[tokio::test]
async fn a_thousand_messages_behind_a_call_are_taken_in_order_after_it_and_slow_nobody() {
    let log = flow(
        "log",
        "  start: note
  nodes:
  - {name: note, assign: {set: {contact.log: \"text(contact.log) + ',' + input\"}}}",
    )
    .replace("[{keyword: log, match: Exact}]", "[{default: {}}]");
    let begin = flow(
        "stuck",
        "  start: note
  nodes:
  - {name: note, assign: {set: {contact.log: \"'log'\"}, next: call}}
  - {name: call, http: {url: \"$ENDPOINT/stuck\", timeout: 60s}}",
    );
    let flows = begin + &log + &ECHO.replace("[{default: {}}]", "[{keyword: hola}]");
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    shop.simulator.answer_calls(EndpointRule::at("/stuck", EndpointAnswer::Hang));
    let busy = shop.customer(ANA, "Busy").unwrap();
    busy.say("stuck").await.unwrap();
    eventually!(SOON, shop.simulator.ledger().endpoint_calls.len() == 1);
    let updates = (0..1000).map(|n| busy.update(Inbound::text(n.to_string())).unwrap()).collect();
    assert!(shop.simulator.post_batch(updates, 1).await.unwrap().acknowledged);

    let prompt = async |round: usize| {
        for n in 0..5 {
            let other = shop.customer(&format!("+3460022{round}00{n}"), "Other").unwrap();
            other.say("hola").await.unwrap();
            assert_eq!(other.reply(PROMPT).await.unwrap().text(), "echo hola");
        }
    };
    prompt(0).await;
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM job_ready").await.unwrap(), 1000, "they wait");
    // The call's time is over for the process as well as for the session when the process is gone: a GET is made again.
    shop.simulator.clear_calls();
    shop.replicas[0].kill().await.unwrap();
    shop.replicas[0].restart().await.unwrap();
    prompt(1).await;

    let left = "SELECT count(*) FROM job_ready";
    eventually!(Duration::from_secs(60), tables::count(&shop.pool, left).await.unwrap(), |left| *left == 0);
    let log = column(&shop, "SELECT attributes::jsonb->>'log' FROM contact WHERE attributes::jsonb ? 'log'").await;
    let wanted: Vec<_> = std::iter::once("log".to_owned()).chain((0..1000).map(|n| n.to_string())).collect();
    assert_eq!(log, [wanted.join(",")]);
}
