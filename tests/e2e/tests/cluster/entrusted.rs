//! Secrets that a tenant gives its Flows' calls and the users of its API: they reach the data plane, and while one is
//! missing the tenant says so and goes on receiving.

use k8s_openapi::api::core::v1::{Pod, Secret};
use serde_json::{Value, json};
use wigwag_crds::{Flow, WhatsAppTenant};
use wigwag_e2e::cluster::{SOON, Town};
use wigwag_sandbox::eventually;

use crate::shared;

fn secret(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"token": value}})
}

#[tokio::test]
async fn a_missing_secret_of_calls_is_told_takes_nothing_down_and_is_loaded_when_it_comes() {
    let cluster = shared().await;
    let _logs = cluster.sandbox.logs_on_failure();
    let town = Town::found(cluster, "entrusted").await.unwrap();
    let mut tenant = town.tenant().unwrap();
    tenant["spec"]["api"] = json!({"tokensSecretRef": {"name": "acme-tokens"}});
    tenant["spec"]["flowSecrets"] = json!([{"name": "crm", "hosts": ["crm.example.com"]}]);
    town.apply_secrets().await.unwrap();
    town.apply::<Secret>(&secret("acme-tokens", "too short")).await.unwrap();
    town.apply::<WhatsAppTenant>(&tenant).await.unwrap();
    town.apply::<Flow>(&town.flow().unwrap()).await.unwrap();

    let told = "Secret \"crm\" does not exist: create it. Until then calls with it fail; receiving goes on. Secret \
                \"acme-tokens\" has no token: add one of at least 16 characters, under any key. Until then the API \
                refuses everybody; receiving goes on.";
    eventually!(SOON, town.tenant_condition("CredentialsValid").await, |condition| condition
        .as_ref()
        .is_ok_and(|(status, reason, message)| status == "False" && reason == "SecretMissing" && message == told))
    .ok();
    eventually!(SOON, town.flow_condition("welcome", "Ready").await, |c| c.as_ref().is_ok_and(|c| c.0 == "True")).ok();
    let ana = town.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().line(), "Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]");

    let pods = town.names::<Pod>().await.unwrap();
    town.apply::<Secret>(&secret("crm", "s3cr3t")).await.unwrap();
    town.apply::<Secret>(&secret("acme-tokens", "long enough to be a token")).await.unwrap();
    town.ready().await;
    assert_eq!(town.names::<Pod>().await.unwrap(), pods, "it was loaded without a rollout");

    town.delete::<Secret>("crm").await.unwrap();
    eventually!(SOON, town.tenant_condition("CredentialsValid").await, |c| c.as_ref().is_ok_and(|c| c.0 == "False"))
        .ok();
    assert_eq!(town.tenant_condition("SendReady").await.unwrap().0, "True");
}
