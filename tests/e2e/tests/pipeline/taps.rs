//! Taps on what was asked earlier: last week's menu, a double tap, two menus open, a question that is quoted.

use serde_json::json;
use wigwag_e2e::shop::{Plan, Shop};
use wigwag_simulator::{Customer, Inbound};

use crate::support::{ANA, ECHO, SOON, all_is_done, column, flow, heard, hears, make_due, quiet};

/// Asks for a size, then for a colour.
fn menu(name: &str, more: &str) -> String {
    flow(
        name,
        &format!(
            "  start: {first}
  nodes:
  - {{name: later, delay: {{for: 2h, next: size}}}}
  - name: size
    options:
      text: \"{name}: size?\"
      options: [{{id: s, title: Small, next: colour}}, {{id: l, title: Large, next: colour}}]
      {more}
  - {{name: colour, options: {{text: \"{name}: colour?\", options: [{{id: r, title: Red, next: done}}, {{id: s, title: Sand, next: done}}], {more}}}}}
  - {{name: done, message: {{text: \"{name}: done with {{{{ lastInteractiveId }}}}\"}}}}
  - {{name: old, message: {{text: \"{name}: that menu is old\"}}}}",
            first = if name == "later" { "later" } else { "size" },
            more = if more.is_empty() { "retries: 0" } else { more },
        ),
    )
}

async fn open(flows: &str) -> (Shop, Customer) {
    let shop = quiet(Plan { flows: Some(&format!("{flows}{ECHO}")), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    (shop, ana)
}

const SIZE: &str = "menu: size? [1 Small] [2 Large]";
const COLOUR: &str = "menu: colour? [1 Red] [2 Sand]";

#[tokio::test]
async fn a_tap_on_last_weeks_menu_makes_the_open_question_come_again() {
    let (shop, ana) = open(&menu("menu", "")).await;
    ana.say("menu").await.unwrap();
    let last_week = ana.reply(SOON).await.unwrap();
    for (choice, answer) in [("Small", COLOUR), ("Red", "menu: done with r")] {
        ana.tap(choice).await.unwrap();
        assert_eq!(hears(&ana).await, answer);
    }
    // Nobody asks anything: its words count, as those of any message.
    ana.tap_on(&last_week, "Large").await.unwrap();
    assert_eq!(hears(&ana).await, "echo Large");

    ana.say("menu").await.unwrap();
    let open = ana.reply(SOON).await.unwrap();
    ana.tap_on(&last_week, "Large").await.unwrap();
    let again = ana.reply(SOON).await.unwrap();
    assert_eq!(again.line(), SIZE, "the open question, not an answer to it");
    // Either copy of the open question answers it.
    ana.tap_on(&open, "Large").await.unwrap();
    assert_eq!(hears(&ana).await, COLOUR);
    ana.tap_on(&again, "Small").await.unwrap();
    assert_eq!(hears(&ana).await, COLOUR, "once");
    all_is_done(&shop).await;
}

#[tokio::test]
async fn a_tap_on_an_old_menu_leads_where_stale_says() {
    let (_shop, ana) = open(&menu("menu", "stale: old")).await;
    ana.say("menu").await.unwrap();
    let size = ana.reply(SOON).await.unwrap();
    ana.tap("Small").await.unwrap();
    assert_eq!(hears(&ana).await, COLOUR);
    ana.tap_on(&size, "Large").await.unwrap();
    assert_eq!(hears(&ana).await, "menu: that menu is old");
}

#[tokio::test]
async fn a_double_tap_answers_once_though_the_next_question_has_an_option_of_that_id() {
    let (shop, ana) = open(&menu("menu", "")).await;
    ana.say("menu").await.unwrap();
    let size = ana.reply(SOON).await.unwrap();
    let tapped = size.options()[0].clone();
    // Both taps in one POST: nothing is between them.
    let tap = || {
        let business = shop.simulator.number(wigwag_e2e::shop::NUMBER).unwrap().display_phone_number;
        ana.update(Inbound::button_reply(&tapped.id, &tapped.title).replying_to(&business, &size.wamid)).unwrap()
    };
    assert!(shop.simulator.post_batch(vec![tap(), tap()], 1).await.unwrap().acknowledged);
    assert_eq!(hears(&ana).await, COLOUR);
    assert_eq!(hears(&ana).await, COLOUR, "asked again: nobody chose Sand, whose id is s too");
    ana.tap("Red").await.unwrap();
    assert_eq!(hears(&ana).await, "menu: done with r");
    all_is_done(&shop).await;
    assert_eq!(heard(&shop, &ana).len(), 4);
}

/// Two menus, both open, the one of `later` asked last.
async fn two_menus() -> (Shop, Customer) {
    let (shop, ana) = open(&(menu("menu", "") + &menu("later", ""))).await;
    ana.say("later").await.unwrap();
    ana.say("menu").await.unwrap();
    assert_eq!(hears(&ana).await, SIZE);
    make_due(&shop, "later").await;
    assert_eq!(hears(&ana).await, "later: size? [1 Small] [2 Large]");
    (shop, ana)
}

#[tokio::test]
async fn of_two_open_menus_a_tap_answers_its_own_and_words_the_newest() {
    let (shop, ana) = two_menus().await;
    let first = shop.simulator.ledger().sends_to(&ana.key())[0].clone();
    ana.tap_on(&first, "Small").await.unwrap();
    assert_eq!(hears(&ana).await, COLOUR);
    // Now the first one asked last.
    ana.say("red").await.unwrap();
    assert_eq!(hears(&ana).await, "menu: done with", "words have no id");
    ana.say("small").await.unwrap();
    assert_eq!(hears(&ana).await, "later: colour? [1 Red] [2 Sand]");
}

#[tokio::test]
async fn words_that_quote_a_question_answer_that_question() {
    let (shop, ana) = two_menus().await;
    let first = shop.simulator.ledger().sends_to(&ana.key())[0].clone();
    ana.quote(&first.wamid, Inbound::text("large")).await.unwrap();
    assert_eq!(hears(&ana).await, COLOUR);
    let second = shop.simulator.ledger().sends_to(&ana.key())[1].clone();
    ana.quote(&second.wamid, Inbound::text("large")).await.unwrap();
    assert_eq!(hears(&ana).await, "later: colour? [1 Red] [2 Sand]");
}

#[tokio::test]
async fn a_form_that_was_sent_in_before_or_belongs_to_another_time_is_not_taken_twice() {
    let order = flow(
        "order",
        "  start: form
  nodes:
  - name: form
    whatsappFlow: {body: Your address, cta: Write, flowId: \"17\", screen: ADDRESS, into: address, next: sure}
  - {name: sure, ask: {text: \"{{ address.street }}, sure?\", into: sure, next: done}}
  - {name: done, message: {text: \"Done: {{ sure }}\"}}",
    );
    let (shop, ana) = open(&order).await;
    ana.say("order").await.unwrap();
    let form = ana.reply(SOON).await.unwrap();
    ana.submit(json!({"street": "Mayor 1"})).await.unwrap();
    assert_eq!(hears(&ana).await, "Mayor 1, sure?");
    ana.submit_to(&form, json!({"street": "Mayor 2"})).await.unwrap();
    all_is_done(&shop).await;
    let address = "SELECT context::jsonb->'variables'->'address'->>'street' FROM session WHERE flow = 'order'";
    assert_eq!(column(&shop, address).await, ["Mayor 1"]);
    ana.say("order").await.unwrap();
    let said = heard(&shop, &ana);
    assert!(!said.iter().any(|line| line.contains("Mayor 2")), "{said:?}");
}
