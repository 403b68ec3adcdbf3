//! From `kubectl apply` to an answered customer, and back to nothing.

use std::time::{Duration, Instant};

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount},
    networking::v1::Ingress,
};
use serde_json::json;
use wigwag_crds::{Flow, WhatsAppTenant};
use wigwag_e2e::cluster::{OPERATOR, SOON, Town};
use wigwag_sandbox::eventually;

use crate::shared;

#[tokio::test]
async fn the_quickstart_leads_to_an_answered_customer() {
    let cluster = shared().await;
    let _logs = cluster.sandbox.logs_on_failure();
    let town = Town::found(cluster, "quickstart").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    let ana = town.customer("+34600111222", "Ana").unwrap();

    ana.say("hola").await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().line(), "Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]");
    ana.tap("Comprar").await.unwrap();
    assert!(ana.reply(SOON).await.unwrap().line().starts_with("¿Qué te apetece leer?"));
    ana.tap("Novela").await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "Gracias, Ana. Te preparamos algo de novela.");
    let read = "SELECT count(*) FROM outbound WHERE status = 'read'";
    eventually!(SOON, wigwag_e2e::tables::count(&town.pool, read).await.unwrap() == 3);

    let wat = cluster.kubectl(&["get", "wat", "-n", &town.namespace]).await.unwrap();
    let row: Vec<_> = wat.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..5], ["acme", "True", "primary", town.host.as_str(), "1/1"], "{wat}");
    let waf = cluster.kubectl(&["get", "waf", "-n", &town.namespace]).await.unwrap();
    let row: Vec<_> = waf.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..5], ["welcome", "True", "acme", "hola", "+2"], "{waf}");
}

#[tokio::test]
async fn an_edit_changes_the_next_answer_and_no_running_session_also_over_a_new_pod() {
    let cluster = shared().await;
    let _logs = cluster.sandbox.logs_on_failure();
    let town = Town::found(cluster, "edit").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    let ana = town.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    ana.reply(SOON).await.unwrap();

    let mut flow = town.flow().unwrap();
    flow["spec"]["nodes"][0]["options"]["text"] = json!("Buenas, {{ contact.name }}.");
    flow["spec"]["nodes"][2]["options"]["text"] = json!("Elige estante");
    town.apply::<Flow>(&flow).await.unwrap();
    let eva = town.customer("+34600111333", "Eva").unwrap();
    let generation = town.api::<Flow>().get("welcome").await.unwrap().metadata.generation;
    eventually!(SOON, town.api::<Flow>().get("welcome").await.unwrap(), |flow| {
        let status = flow.status.as_ref().unwrap();
        status.observed_generation == generation
            && status.conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
    });
    eva.say("hola").await.unwrap();
    assert_eq!(eva.reply(SOON).await.unwrap().line(), "Buenas, Eva. [1 Comprar] [2 Salir]");

    let pods = town.names::<Pod>().await.unwrap();
    town.delete::<Pod>(&pods[0]).await.unwrap();
    eventually!(SOON, town.names::<Pod>().await.unwrap(), |now| now.len() == 1 && now[0] != pods[0]);
    town.ready().await;
    ana.tap("Comprar").await.unwrap();
    assert!(ana.reply(SOON).await.unwrap().line().starts_with("¿Qué te apetece leer?"), "Ana's session began before");
    eva.tap("Comprar").await.unwrap();
    assert!(eva.reply(SOON).await.unwrap().line().starts_with("Elige estante"));
}

#[tokio::test]
async fn deleting_a_tenant_removes_all_that_was_made_for_it_and_nothing_else() {
    let cluster = shared().await;
    let _logs = cluster.sandbox.logs_on_failure();
    let town = Town::found(cluster, "deletion").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.apply::<ConfigMap>(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a-persons-own"}}))
        .await
        .unwrap();
    let before = (town.names::<Secret>().await.unwrap(), town.names::<ServiceAccount>().await.unwrap().len());
    town.ready().await;
    assert_eq!(town.names::<Ingress>().await.unwrap().len(), 1);

    town.delete::<WhatsAppTenant>("acme").await.unwrap();

    eventually!(SOON, town.names::<Deployment>().await.unwrap().is_empty());
    eventually!(SOON, town.names::<ReplicaSet>().await.unwrap().is_empty());
    eventually!(SOON, town.names::<Pod>().await.unwrap().is_empty());
    eventually!(SOON, town.names::<Service>().await.unwrap().is_empty());
    eventually!(SOON, town.names::<Ingress>().await.unwrap().is_empty());
    eventually!(SOON, town.names::<ServiceAccount>().await.unwrap().len() == before.1 - 1 || before.1 == 1);
    eventually!(SOON, town.names::<ConfigMap>().await.unwrap(), |maps| {
        maps.iter().all(|name| ["a-persons-own", "kube-root-ca.crt"].contains(&name.as_str())) && maps.len() == 2
    });
    assert_eq!(town.names::<Secret>().await.unwrap(), before.0);
    assert_eq!(town.names::<Flow>().await.unwrap(), ["welcome"], "the Flow is a person's");
    let orphan = eventually!(SOON, town.flow_condition("welcome", "Resolved").await.unwrap(), |c| c.0 == "False");
    assert_eq!(orphan.1, "TenantMissing");
}

#[tokio::test]
async fn a_route_that_is_taken_back_goes_and_the_rest_stays() {
    let cluster = shared().await;
    let town = Town::found(cluster, "route").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    let mut tenant = town.tenant().unwrap();
    tenant["spec"]["route"].as_object_mut().unwrap().remove("ingress");
    town.apply::<WhatsAppTenant>(&tenant).await.unwrap();
    eventually!(SOON, town.names::<Ingress>().await.unwrap().is_empty());
    assert_eq!(town.names::<Service>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_reconcile_that_changes_nothing_writes_nothing() {
    let cluster = shared().await;
    let town = Town::found(cluster, "quiet").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    let audit = cluster.control_plane().unwrap().audit();
    let writes = |mark: u64| -> Vec<String> {
        let entries = audit.since(mark).unwrap();
        let ours = entries.iter().filter(|e| e.user.username == OPERATOR && e.is_write());
        ours.filter(|e| e.request_uri.contains(&format!("/{}/", town.namespace)))
            .map(|e| format!("{} {}", e.verb, e.request_uri))
            .collect()
    };
    // Until what follows from becoming ready is written: no write for two seconds.
    let mut quiet = (audit.mark(), Instant::now());
    eventually!(SOON, {
        if !writes(quiet.0).is_empty() {
            quiet = (audit.mark(), Instant::now());
        }
        quiet.1.elapsed() > Duration::from_secs(2)
    });
    let mark = audit.mark();
    let reconciles = async || {
        let metrics = operator_metrics(cluster).await;
        let counts = metrics.lines().filter(|line| line.contains("reconcile") && line.contains("_total{"));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };
    let before = reconciles().await;
    // A label that is none of the operator's business makes it look again.
    let annotate = ["annotate", "wat", "acme", "-n", &town.namespace, "example.com/look=again"];
    cluster.kubectl(&annotate).await.unwrap();
    let touch = ["label", "deployment", "--all", "-n", &town.namespace, "example.com/look=again"];
    cluster.kubectl(&touch).await.unwrap();
    eventually!(SOON, reconciles().await > before);
    assert_eq!(writes(mark), [""; 0]);
}

/// `/metrics` of the operator's leader.
async fn operator_metrics(cluster: &wigwag_e2e::cluster::Cluster) -> String {
    let query = ["get", "pods", "-n", wigwag_e2e::cluster::SYSTEM, "-o", "jsonpath={.items[0].status.podIP}"];
    let address = cluster.kubectl(&query).await.unwrap();
    reqwest::get(format!("http://{address}:8080/metrics")).await.unwrap().text().await.unwrap()
}
