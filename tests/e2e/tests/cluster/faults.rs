//! Whatever is killed, the cluster ends in the same state.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt};
use serde_json::json;
use wigwag_crds::Flow;
use wigwag_e2e::cluster::{Cluster, SOON, SYSTEM, Town};
use wigwag_sandbox::eventually;

async fn operators(cluster: &Cluster) -> Vec<String> {
    let client = cluster.control_plane().unwrap().client().await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client, SYSTEM);
    pods.list(&Default::default()).await.unwrap().iter().map(ResourceExt::name_any).collect()
}

#[tokio::test]
async fn api_server_restarts_operator_kills_and_a_second_operator_change_nothing_in_the_end() {
    let values = json!({"replicas": 2, "leaderElection": {"leaseDuration": "3s"}});
    let cluster = Cluster::start(values).await.unwrap();
    let _logs = cluster.sandbox.logs_on_failure();
    let town = Town::found(&cluster, "faults").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;

    // Both operators are killed in the middle of the reconciles that an edit leads to.
    let mut flow = town.flow().unwrap();
    for round in 0..3 {
        flow["spec"]["nodes"][0]["options"]["text"] = json!(format!("Round {round}"));
        town.apply::<Flow>(&flow).await.unwrap();
        for pod in operators(&cluster).await {
            let node = cluster.sandbox.node().unwrap();
            if let Ok(process) = node.process(SYSTEM, &pod, "operator") {
                process.kill().await.unwrap();
            }
        }
    }
    // Before the restart: an API server refuses everybody for a moment after it, until it knows the roles again.
    assert_eq!(cluster.forbidden().unwrap(), [""; 0]);
    cluster.control_plane().unwrap().restart_apiserver().await.unwrap();
    flow["spec"]["nodes"][0]["options"]["text"] = json!("The last word");
    eventually!(SOON, town.apply::<Flow>(&flow).await);

    let generation = town.api::<Flow>().get("welcome").await.unwrap().metadata.generation;
    eventually!(SOON, town.api::<Flow>().get("welcome").await, |flow| flow.as_ref().is_ok_and(|flow| {
        let status = flow.status.as_ref().unwrap();
        status.observed_generation == generation
            && status.conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
    }))
    .unwrap();
    let ana = town.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    assert!(ana.reply(SOON).await.unwrap().line().starts_with("The last word"));
    assert_eq!(town.names::<Pod>().await.unwrap().len(), 1);
}
