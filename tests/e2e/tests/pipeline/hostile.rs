//! What customers write is data, whatever it looks like: over the real webhook, into texts, triggers, options, URLs and
//! headers.

use wigwag_e2e::{
    shop::{Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Customer, Inbound};

use crate::support::{ANA, ECHO, SOON, all_is_done, flow, hears, quiet};

async fn open(flows: &str) -> (Shop, Customer) {
    let shop = quiet(Plan { flows: Some(flows), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "{{ input }} ${7*7} {{ tenant }}").unwrap();
    (shop, ana)
}

#[tokio::test]
async fn expressions_in_what_a_customer_writes_or_is_called_are_text() {
    let keep = flow(
        "keep",
        "  start: ask
  nodes:
  - {name: ask, ask: {text: \"Hi {{ contact.name }}\", into: said, next: set}}
  - {name: set, assign: {set: {again: \"said\", size: \"string(size(said))\"}, next: say}}
  - {name: say, message: {text: \"{{ again }}|{{ size }}\"}}",
    );
    let (_shop, ana) = open(&(keep + ECHO)).await;
    for text in
        ["{{ contact.name }}", "{{ input }}", "${{7*7}}", "{% raw %}", "contact.name == 'Ana'", "{{", "}}{{ 1 }}"]
    {
        ana.say("keep").await.unwrap();
        assert_eq!(hears(&ana).await, "Hi {{ input }} ${7*7} {{ tenant }}");
        ana.say(text).await.unwrap();
        assert_eq!(hears(&ana).await, format!("{text}|{}", text.chars().count()));
        ana.say(text).await.unwrap();
        assert_eq!(hears(&ana).await, format!("echo {text}"));
    }
}

#[tokio::test]
async fn a_message_of_a_megabyte_is_stored_whole_and_the_next_one_is_answered() {
    let count = flow(
        "long",
        "  start: size
  nodes:
  - {name: size, assign: {set: {size: \"string(size(input))\"}, next: say}}
  - {name: say, message: {text: \"{{ size }} characters\"}}",
    )
    .replace("match: Exact", "match: Contains");
    let (shop, ana) = open(&(count + ECHO)).await;
    let long = format!("long {}", "é".repeat(512 * 1024));
    ana.say(&long).await.unwrap();
    let stored = "SELECT max(length(payload::jsonb->>'message'))::bigint FROM inbound";
    assert_eq!(tables::count(&shop.pool, stored).await.unwrap(), 512 * 1024 + 5);
    all_is_done(&shop).await;
    ana.say("hola").await.unwrap();
    assert_eq!(hears(&ana).await, "4096 characters", "a conversation sees what WhatsApp lets people write");
    assert_eq!(hears(&ana).await, "echo hola");
    let session = "SELECT max(length(context))::bigint FROM session";
    let kept = tables::count(&shop.pool, session).await.unwrap();
    assert!(kept < 64 * 1024, "a session of {kept} bytes");
}

#[tokio::test]
async fn emoji_right_to_left_and_combining_marks_work_in_triggers_and_options() {
    let cafe = flow(
        "cafe",
        "  start: ask
  nodes:
  - name: ask
    options:
      text: \"שלום ¿café o 🍕?\"
      options:
      - {id: a, title: \"👩‍👩‍👧‍👦 👩‍👩‍👧‍👦 la familia entera\", next: a}
      - {id: b, title: \"نعم\", next: b}
      - {id: c, title: \"Cafe\\u0301\", next: c}
  - {name: a, message: {text: \"a {{ lastSelectedOption }}\"}}
  - {name: b, message: {text: \"b {{ lastSelectedOption }}\"}}
  - {name: c, message: {text: \"c {{ lastSelectedOption }}\"}}",
    )
    .replace(
        "triggers: [{keyword: cafe, match: Exact}]",
        "triggers: [{keyword: \"café\"}, {keyword: \"🍕\"}, {keyword: \"مرحبا\", match: Word}]",
    );
    let (shop, ana) = open(&(cafe + ECHO)).await;
    let greetings = ["CAFE\u{301}", "un 🍕 por favor", "\u{200f}مرحبا يا صديقي", "cafe"];
    let answers = ["نعم", "CAFÉ", "3", "2"];
    let told = ["b نعم", "c Cafe\u{301}", "c Cafe\u{301}", "b نعم"];
    for ((greeting, answer), told) in greetings.into_iter().zip(answers).zip(told) {
        ana.say(greeting).await.unwrap();
        let asked = ana.reply(SOON).await.unwrap();
        assert!(asked.text().starts_with("שלום"), "{greeting}: {}", asked.line());
        for option in asked.options() {
            assert!(option.title.encode_utf16().count() <= 20, "{:?}", option.title);
        }
        ana.say(answer).await.unwrap();
        assert_eq!(hears(&ana).await, told, "{answer}");
    }
    ana.say("🍕🍕").await.unwrap();
    let family = ana.reply(SOON).await.unwrap().options()[0].title.clone();
    assert!(family.starts_with("👩‍👩‍👧‍👦") && family.ends_with('…'), "cut between two people of a family: {family:?}");
    ana.tap(1).await.unwrap();
    assert!(hears(&ana).await.starts_with("a 👩‍👩‍👧‍👦"));
    assert!(shop.simulator.ledger().refused.is_empty(), "{:?}", shop.simulator.ledger().refused);
}

#[tokio::test]
async fn what_a_customer_writes_never_changes_where_a_call_goes() {
    let order = flow(
        "order",
        "  start: ask
  nodes:
  - {name: ask, ask: {text: \"Which?\", into: which, next: call}}
  - name: call
    http:
      url: \"$ENDPOINT/orders/{{ which }}/lines?of={{ which }}\"
      headers: [{name: x-which, value: \"w {{ which }}\"}]
      body: {which: \"{{ which }}\"}
      method: POST
      into: answer
      onError: {invalid: refused}
      next: done
  - {name: done, message: {text: done}}
  - {name: refused, message: {text: refused}}",
    );
    let (shop, ana) = open(&(order + ECHO)).await;
    let mut calls = 0;
    for (which, told) in [
        ("7", "done"),
        ("../../admin", "done"),
        ("..", "refused"),
        (".", "refused"),
        ("%2e%2e", "done"),
        ("..\\..\\admin", "done"),
        ("//evil.example/@x:y#z?q=1&of=2", "done"),
        ("\"}, \"admin\": true, {\"x\": \"", "done"),
        ("7\r\nX-Evil: 1", "refused"),
        ("7\nHost: evil.example", "refused"),
        ("año 🍕", "done"),
    ] {
        ana.say("order").await.unwrap();
        assert_eq!(hears(&ana).await, "Which?");
        ana.say(which).await.unwrap();
        assert_eq!(hears(&ana).await, told, "{which:?}");
        let ledger = shop.simulator.ledger();
        if told == "refused" {
            assert_eq!(ledger.endpoint_calls.len(), calls, "{which:?} went out");
            continue;
        }
        calls += 1;
        assert_eq!(ledger.endpoint_calls.len(), calls);
        let call = ledger.endpoint_calls.last().unwrap();
        let segments: Vec<_> = call.path.split('/').collect();
        assert_eq!((segments.len(), segments[1], segments[3]), (4, "orders", "lines"), "{}", call.path);
        let query = call.query.as_deref().unwrap();
        assert!(query.starts_with("of=") && query.matches(['&', '=', '#']).count() == 1, "{query}");
        assert_eq!(call.body, serde_json::json!({"which": which}));
        assert!(!call.headers.contains_key("x-evil"));
        assert!(call.headers["host"].starts_with("127.0.0.1:"));
    }
    eventually!(SOON, tables::count(&shop.pool, "SELECT count(*) FROM job_outcome").await.unwrap() == 0);
}

#[tokio::test]
async fn a_message_with_nul_and_a_lone_surrogate_is_answered() {
    let (_shop, ana) = open(ECHO).await;
    assert!(ana.post(Inbound::text("a\0b")).await.unwrap().acknowledged);
    assert_eq!(hears(&ana).await, "echo a\u{fffd}b");
}
