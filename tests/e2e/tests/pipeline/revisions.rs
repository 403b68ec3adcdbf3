//! A session stays on the revisions with which it began, its own and those of the Flows that it calls, though they are
//! changed and deleted, and the process is another.

use wigwag_e2e::shop::{Plan, Shop};
use wigwag_sandbox::eventually;
use wigwag_simulator::Customer;

use crate::support::{ANA, ECHO, EVA, SOON, column, flow, hears, quiet};

const LEO: &str = "+34600111444";

/// Asks twice, and then calls another Flow that asks too.
fn order(revision: u8) -> String {
    flow(
        "order",
        &format!(
            "  start: size
  nodes:
  - {{name: size, ask: {{text: \"{revision}: size?\", into: size, next: colour}}}}
  - {{name: colour, ask: {{text: \"{revision}: colour?\", into: colour, next: pay}}}}
  - {{name: pay, call: {{flow: pay, args: {{size: size}}, into: paid, next: thanks}}}}
  - {{name: thanks, message: {{text: \"{revision}: {{{{ size }}}}, {{{{ colour }}}}, {{{{ paid.how }}}}\"}}}}"
        ),
    )
}

fn pay(revision: u8) -> String {
    flow(
        "pay",
        &format!(
            "  start: how
  nodes:
  - {{name: how, ask: {{text: \"{revision}: how to pay for {{{{ args.size }}}}?\", into: how, next: done}}}}
  - {{name: done, end: {{result: {{how: \"how + ' by {revision}'\"}}}}}}"
        ),
    )
}

async fn asks(customer: &Customer, says: &str, hears_then: &str) {
    customer.say(says).await.unwrap();
    assert_eq!(hears(customer).await, hears_then);
}

async fn restart(shop: &Shop) {
    shop.replicas[0].kill().await.unwrap();
    shop.replicas[0].restart().await.unwrap();
}

#[tokio::test]
async fn a_session_ends_on_its_revision_while_new_ones_begin_on_another_and_after_its_flow_is_deleted() {
    let flows = order(1) + &pay(1) + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let [ana, eva, leo] = [ANA, EVA, LEO].map(|phone| shop.customer(phone, "Somebody").unwrap());
    asks(&ana, "order", "1: size?").await;
    shop.change_flows(&(order(2) + &pay(2) + ECHO)).await.unwrap();
    asks(&ana, "large", "1: colour?").await;
    asks(&eva, "order", "2: size?").await;
    restart(&shop).await;
    asks(&ana, "red", "1: how to pay for large?").await;
    asks(&eva, "small", "2: colour?").await;

    shop.change_flows(ECHO).await.unwrap();
    asks(&ana, "cash", "1: large, red, cash by 1").await;
    restart(&shop).await;
    asks(&eva, "blue", "2: how to pay for small?").await;
    asks(&eva, "card", "2: small, blue, card by 2").await;
    asks(&leo, "order", "echo order").await;
    asks(&ana, "order", "echo order").await;
    let ended = "SELECT state || ' ' || count(*) FROM session WHERE flow = 'order' GROUP BY state";
    eventually!(SOON, column(&shop, ended).await, |ended| *ended == ["Completed 2"]);
}

#[tokio::test]
async fn a_flow_that_is_only_called_stays_pinned_for_who_began_before_it_changed() {
    let flows = order(1) + &pay(1) + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let [ana, eva] = [ANA, EVA].map(|phone| shop.customer(phone, "Somebody").unwrap());
    asks(&ana, "order", "1: size?").await;
    shop.change_flows(&(order(1) + &pay(2) + ECHO)).await.unwrap();
    asks(&eva, "order", "1: size?").await;
    for (customer, revision) in [(&ana, 1), (&eva, 2)] {
        asks(customer, "large", "1: colour?").await;
        asks(customer, "red", &format!("{revision}: how to pay for large?")).await;
        asks(customer, "cash", &format!("1: large, red, cash by {revision}")).await;
    }
}
