//! The log, the metrics and `/configz`: enough to find a message, and nothing that a person wrote or a secret.

use std::{fs, time::Duration};

use wigwag_e2e::{
    shop::{NUMBER, Shop},
    tables,
};
use wigwag_sandbox::eventually;

const SOON: Duration = Duration::from_secs(10);

/// The value of a field in a line of the log.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = &line[line.find(&format!("{name}="))? + name.len() + 1..];
    rest.split_whitespace().next().map(|value| value.trim_matches('"'))
}

async fn after_a_conversation() -> (Shop, String) {
    let shop = Shop::open().await.unwrap();
    let ana = shop.customer("+34600111222", "Ana Secretaria").unwrap();
    ana.say("my card is 4111").await.unwrap();
    ana.reply(SOON).await.unwrap();
    eventually!(SOON, tables::outbound(&shop.pool).await.unwrap(), |s| *s == [("read".to_owned(), 1)]);
    shop.simulator.challenge(NUMBER, "subscribe", "a wrong token", "1").await.unwrap();
    let log = fs::read_to_string(shop.replicas[0].process.log()).unwrap();
    (shop, log)
}

#[tokio::test]
async fn one_id_leads_through_webhook_step_and_send_in_the_log() {
    let (_shop, log) = after_a_conversation().await;
    let line = |what: &str| log.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}:\n{log}"));
    let lines = [line("webhook stored"), line("job done"), line(" send ")];
    let jobs = lines.map(|line| field(line, "job"));
    assert!(jobs[0].is_some());
    assert_eq!(jobs, [jobs[0]; 3]);
    for line in lines {
        assert_eq!(field(line, "tenant"), Some("default/acme"), "{line}");
        assert!(field(line, "contact").is_some(), "{line}");
    }
}

#[tokio::test]
async fn neither_log_nor_metrics_nor_configz_hold_people_words_or_secrets() {
    let (shop, log) = after_a_conversation().await;
    let metrics = shop.replicas[0].admin_get("/metrics").await.unwrap().1;
    let configz = shop.replicas[0].admin_get("/configz").await.unwrap().1;
    let secrets = ["access-token", "app-secret", "verify-token"].map(|key| format!("{NUMBER}-{key}"));
    let forbidden = ["34600111222", "Secretaria", "4111", "a wrong token", &secrets[0], &secrets[1], &secrets[2]];
    for (place, text) in [("log", &log), ("metrics", &metrics), ("configz", &configz)] {
        for word in forbidden {
            assert!(!text.contains(word), "{place} holds {word:?}:\n{text}");
        }
    }
}

#[tokio::test]
async fn metrics_tell_how_much_waits_and_how_long_things_take() {
    let (shop, _) = after_a_conversation().await;
    let metrics = eventually!(SOON, shop.replicas[0].admin_get("/metrics").await.unwrap().1, |text| {
        text.contains("wigwag_queue_depth{tenant=\"default/acme\"} 0")
    });
    for line in [
        "wigwag_queue_oldest_seconds{tenant=\"default/acme\"}",
        "wigwag_ingest_to_commit_seconds_count",
        "wigwag_commit_to_first_send_seconds_count 1",
        "wigwag_sends_total{tenant=\"default/acme\",outcome=\"accepted\"} 1",
        "wigwag_jobs_total{tenant=\"default/acme\",outcome=\"Completed\"} 1",
        "wigwag_lanes_owned 64",
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
}

#[tokio::test]
async fn a_bad_file_keeps_the_old_configuration_running_and_configz_says_why() {
    let shop = Shop::open().await.unwrap();
    shop.write_flows("apiVersion: wigwag.dev/v1alpha1\nkind: Flow\nmetadata: {name: echo}\nspec: {tenantRef: {name: acme}, start: nowhere}\n")
        .unwrap();
    let problems = eventually!(SOON, shop.replicas[0].configz().await.unwrap()["problems"].clone(), |problems| {
        !problems.as_array().unwrap().is_empty()
    });
    assert!(problems.to_string().contains("flows.yaml"), "{problems}");
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    ana.say("still there").await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "echo still there");
}
