//! The real kubectl and helm against the control plane.

use std::fs;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use serde_json::json;
use wigwag_sandbox::{helm, kubectl};

use super::shared;

#[tokio::test]
async fn helm_installs_a_chart_with_values_upgrades_it_and_removes_it() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let chart = tempfile::tempdir().unwrap();
    fs::create_dir(chart.path().join("templates")).unwrap();
    fs::write(chart.path().join("Chart.yaml"), "apiVersion: v2\nname: tiny\nversion: 0.1.0\n").unwrap();
    fs::write(chart.path().join("values.yaml"), "greeting: none\n").unwrap();
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tiny}\ndata: {greeting: {{ .Values.greeting }}}\n";
    fs::write(chart.path().join("templates/config.yaml"), template).unwrap();

    let control_plane = sandbox.control_plane().unwrap();
    let (kubeconfig, client) = (control_plane.kubeconfig(), control_plane.client().await.unwrap());
    let config_maps: Api<ConfigMap> = Api::namespaced(client, "by-helm");
    for greeting in ["hola", "adios"] {
        let values = json!({"greeting": greeting});
        helm::install(&kubeconfig, chart.path(), "tiny", "by-helm", &values).await.unwrap();
        assert_eq!(config_maps.get("tiny").await.unwrap().data.unwrap()["greeting"], greeting);
    }
    helm::uninstall(&kubeconfig, "tiny", "by-helm").await.unwrap();
    assert!(config_maps.get_opt("tiny").await.unwrap().is_none());

    fs::write(chart.path().join("templates/config.yaml"), "{{ fail \"no such value\" }}").unwrap();
    let error = helm::install(&kubeconfig, chart.path(), "tiny", "by-helm", &json!({})).await.unwrap_err();
    assert!(error.to_string().contains("no such value"), "{error}");
}

#[tokio::test]
async fn kubectl_works_with_the_kubeconfig() {
    let sandbox = shared().await;
    let kubeconfig = sandbox.control_plane().unwrap().kubeconfig();
    assert_eq!(kubectl::run(&kubeconfig, &["auth", "can-i", "*", "*"]).await.unwrap().trim(), "yes");
    let error = kubectl::run(&kubeconfig, &["get", "namespace", "nowhere"]).await.unwrap_err().to_string();
    assert!(error.contains("\"nowhere\" not found"), "{error}");
}
