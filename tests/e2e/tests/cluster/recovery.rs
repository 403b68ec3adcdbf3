//! What is wrong is told in conditions, with the next step, and is over soon after it was put right.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Pod, Secret};
use serde_json::json;
use wigwag_crds::{Flow, WhatsAppTenant};
use wigwag_e2e::cluster::{SOON, Town};
use wigwag_sandbox::eventually;
use wigwag_simulator::Receipts;

use crate::shared;

/// What is right on a quiet machine within 2 seconds gets a little more on a busy one.
const RECOVERY: Duration = Duration::from_secs(4);
const DATABASE_RECOVERY: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_missing_secret_is_told_and_its_arrival_is_enough() {
    let cluster = shared().await;
    let _logs = cluster.sandbox.logs_on_failure();
    let town = Town::found(cluster, "secret").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "acme-meta"},
        "stringData": {"access-token": "simulated-access-token", "verify-token": "simulated-verify-token"}});
    town.delete::<Secret>("acme-meta").await.unwrap();
    town.apply::<Secret>(&secret).await.unwrap();
    let told = eventually!(SOON, town.tenant_condition("Ready").await.unwrap(), |c| c.1 == "SecretMissing"
        && c.2.contains("has no key \"app-secret\""));
    assert!(told.2.contains("\"acme-meta\"") && told.2.contains("add it"), "{told:?}");
    let wide = cluster.kubectl(&["get", "wat", "-o", "wide", "-n", &town.namespace]).await.unwrap();
    assert!(wide.contains("SecretMissing") && wide.contains("app-secret"), "{wide}");

    let events = cluster.kubectl(&["get", "events", "-n", &town.namespace]).await.unwrap();
    assert!(events.contains("SecretMissing"), "{events}");

    let mut whole = secret.clone();
    whole["stringData"]["app-secret"] = json!("simulated-app-secret");
    town.apply::<Secret>(&whole).await.unwrap();
    let begun = Instant::now();
    eventually!(SOON, town.tenant_condition("Ready").await.unwrap(), |c| c.0 == "True");
    assert!(begun.elapsed() < RECOVERY, "recovered after {:?}", begun.elapsed());
    let ana = town.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    ana.reply(SOON).await.unwrap();
}

#[tokio::test]
async fn a_broken_flow_names_node_and_field_and_takes_nothing_down() {
    let cluster = shared().await;
    let town = Town::found(cluster, "broken").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    let good = town.api::<Flow>().get("welcome").await.unwrap().status.unwrap().revision.unwrap();
    let mut flow = town.flow().unwrap();
    flow["spec"]["nodes"][0]["options"]["options"][0]["next"] = json!("nowhere");
    town.apply::<Flow>(&flow).await.unwrap();

    let told = eventually!(SOON, town.flow_condition("welcome", "Ready").await.unwrap(), |c| c.0 == "False");
    assert!(told.2.contains("welcome") && told.2.contains("nowhere"), "{told:?}");
    let status = town.api::<Flow>().get("welcome").await.unwrap().status.unwrap();
    assert!(
        status.findings.iter().any(|f| f.node.as_deref() == Some("welcome") && f.field == "options[0].next"),
        "{:?}",
        status.findings
    );
    assert_eq!(status.summary.unwrap().revision, format!("({good})"), "the last good one goes on running");
    let ana = town.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    assert!(ana.reply(SOON).await.unwrap().line().starts_with("Hola Ana."));

    town.apply::<Flow>(&town.flow().unwrap()).await.unwrap();
    let begun = Instant::now();
    eventually!(SOON, town.flow_condition("welcome", "Ready").await.unwrap(), |c| c.0 == "True");
    assert!(begun.elapsed() < RECOVERY, "recovered after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_flow_of_a_tenant_that_does_not_exist_waits_for_it() {
    let town = Town::found(shared().await, "orphan").await.unwrap();
    town.apply_secrets().await.unwrap();
    town.apply::<Flow>(&town.flow().unwrap()).await.unwrap();
    let told =
        eventually!(SOON, town.flow_condition("welcome", "Ready").await, |c| c.as_ref().is_ok_and(|c| c.0 == "False"));
    let told = told.unwrap();
    assert_eq!(told.1, "TenantMissing");
    assert!(told.2.contains("\"acme\""), "{told:?}");
    town.apply::<WhatsAppTenant>(&town.tenant().unwrap()).await.unwrap();
    let begun = Instant::now();
    eventually!(SOON, town.flow_condition("welcome", "Resolved").await.unwrap(), |c| c.0 == "True");
    assert!(begun.elapsed() < RECOVERY, "recovered after {:?}", begun.elapsed());
    town.ready().await;
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_told_and_its_right_secret_is_enough() {
    let cluster = shared().await;
    let town = Town::found(cluster, "database").await.unwrap();
    town.apply_quickstart().await.unwrap();
    let wrong = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "acme-database"},
        "stringData": {"url": "postgres://nobody:hunter2@127.0.0.1:1/nothing"}});
    town.apply::<Secret>(&wrong).await.unwrap();
    let told = eventually!(SOON, town.tenant_condition("DatabaseReady").await, |c| {
        c.as_ref().is_ok_and(|c| c.1 == "DatabaseUnreachable")
    });
    assert!(!told.unwrap().2.contains("hunter2"), "a condition never holds a secret");
    town.apply_database_secret().await.unwrap();
    let begun = Instant::now();
    eventually!(SOON, town.tenant_condition("DatabaseReady").await.unwrap(), |c| c.0 == "True");
    assert!(begun.elapsed() < DATABASE_RECOVERY, "recovered after {:?}", begun.elapsed());
    town.ready().await;
}

#[tokio::test]
async fn a_refused_token_raises_send_ready_and_a_new_one_ends_it() {
    let town = Town::found(shared().await, "token").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    town.simulator.set_receipts(Receipts::None);
    let mut number = town.simulator.number("106540352242922").unwrap();
    number.access_tokens = vec!["another-token".to_owned()];
    town.simulator.register(number).unwrap();
    let ana = town.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    let told = eventually!(SOON, town.tenant_condition("SendReady").await.unwrap(), |c| c.0 == "False");
    assert_eq!(told.1, "TokenRefused");
    assert!(told.2.contains("primary"), "{told:?}");

    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "acme-meta"}, "stringData": {
        "access-token": "another-token", "verify-token": "simulated-verify-token", "app-secret": "simulated-app-secret"}});
    town.apply::<Secret>(&secret).await.unwrap();
    ana.reply(SOON).await.unwrap();
    eventually!(SOON, town.tenant_condition("SendReady").await.unwrap(), |c| c.0 == "True");
    assert_eq!(town.names::<Pod>().await.unwrap().len(), 1, "no rollout for a new token");
}

#[tokio::test]
async fn two_tenants_of_one_host_do_not_fight_for_it() {
    let cluster = shared().await;
    let first = Town::found(cluster, "firsthost").await.unwrap();
    first.apply_quickstart().await.unwrap();
    first.ready().await;
    let second = Town::found(cluster, "secondhost").await.unwrap();
    second.apply_secrets().await.unwrap();
    let mut tenant = second.tenant().unwrap();
    tenant["spec"]["route"]["host"] = json!(first.host);
    second.apply::<WhatsAppTenant>(&tenant).await.unwrap();
    let told = eventually!(SOON, second.tenant_condition("RouteProgrammed").await, |c| c
        .as_ref()
        .is_ok_and(|c| c.1 == "HostConflict"));
    assert!(told.unwrap().2.contains(&first.host));
    assert_eq!(first.tenant_condition("Ready").await.unwrap().0, "True");
}
