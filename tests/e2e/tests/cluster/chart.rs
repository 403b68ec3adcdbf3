//! The chart as helm renders it.

use serde_json::{Value, json};
use wigwag_e2e::cluster::chart;
use wigwag_sandbox::binaries::Tool;

/// The manifests of the chart with these values.
async fn render(values: Value) -> Vec<Value> {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    serde_json::to_writer(&file, &values).unwrap();
    let rendered = tokio::process::Command::new(Tool::Helm.path().await.unwrap())
        .args(["template", "wigwag", "--namespace", "wigwag-system", "--kube-version", "1.36.3", "--values"])
        .args([file.path(), &chart()])
        .output()
        .await
        .unwrap();
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    serde_saphyr::from_multiple(&String::from_utf8(rendered.stdout).unwrap()).unwrap()
}

fn of_kind<'a>(manifests: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    manifests.iter().filter(move |manifest| manifest["kind"] == kind)
}

#[tokio::test]
async fn no_rule_has_a_wildcard_and_the_operator_may_write_no_secret() {
    for values in [json!({}), json!({"scope": "namespaces", "namespaces": ["a", "b"]})] {
        let manifests = render(values).await;
        let roles = of_kind(&manifests, "Role").chain(of_kind(&manifests, "ClusterRole"));
        let rules: Vec<&Value> = roles.flat_map(|role| role["rules"].as_array().unwrap()).collect();
        assert!(!rules.is_empty());
        for rule in rules {
            assert!(!rule.to_string().contains('*'), "{rule}");
            if rule["resources"].as_array().unwrap().contains(&json!("secrets")) {
                let verbs = rule["verbs"].as_array().unwrap();
                assert!(verbs.iter().all(|verb| ["get", "list", "watch"].contains(&verb.as_str().unwrap())), "{rule}");
            }
        }
    }
}

#[tokio::test]
async fn scope_namespaces_gives_no_right_beyond_them() {
    let manifests = render(json!({"scope": "namespaces", "namespaces": ["a", "b"]})).await;
    assert_eq!(of_kind(&manifests, "ClusterRole").count(), 0);
    assert_eq!(of_kind(&manifests, "ClusterRoleBinding").count(), 0);
    let mut namespaces: Vec<_> = of_kind(&manifests, "Role").map(|role| &role["metadata"]["namespace"]).collect();
    namespaces.sort_by_key(ToString::to_string);
    assert_eq!(namespaces, [&json!("a"), &json!("b"), &json!("wigwag-system")]);
}

#[tokio::test]
async fn the_definitions_stay_when_the_chart_goes() {
    let manifests = render(json!({})).await;
    let definitions: Vec<_> = of_kind(&manifests, "CustomResourceDefinition").collect();
    assert_eq!(definitions.len(), 2);
    for definition in definitions {
        assert_eq!(definition["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    }
}

#[tokio::test]
async fn a_value_that_does_not_exist_is_refused() {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    serde_json::to_writer(&file, &json!({"replica": 2})).unwrap();
    let rendered = tokio::process::Command::new(Tool::Helm.path().await.unwrap())
        .args(["template", "wigwag", "--kube-version", "1.36.3", "--values"])
        .args([file.path(), &chart()])
        .output()
        .await
        .unwrap();
    assert!(!rendered.status.success());
    assert!(String::from_utf8_lossy(&rendered.stderr).contains("replica"));
}
