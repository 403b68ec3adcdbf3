//! Requests from outside find their Pods by the Ingress objects alone.

use std::collections::BTreeSet;

use k8s_openapi::api::networking::v1::Ingress;
use reqwest::{Response, StatusCode};
use wigwag_sandbox::eventually;

use super::echo::{Echo, container, http};
use super::{SOON, shared};

async fn get(echo: &Echo<'_>, host: &str, path: &str) -> Response {
    let url = format!("{}{path}", echo.sandbox.edge().unwrap().url());
    http().get(url).header("host", host).send().await.unwrap()
}

#[tokio::test]
async fn a_request_reaches_the_pods_in_turn_with_its_host_and_body_unchanged() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 2, container()).await;
    echo.expose("turns.test", "/").await;
    eventually!(SOON, get(&echo, "turns.test", "/livez").await.status(), |status| status.is_success());

    let body = "ñ".repeat(300_000);
    let url = format!("{}/echo?a=b", sandbox.edge().unwrap().url());
    let answer = http().post(url).header("host", "turns.test:8443").body(body.clone()).send().await.unwrap();
    assert_eq!(answer.headers()["x-host"], "turns.test:8443");
    assert_eq!(answer.text().await.unwrap(), body);

    let mut pods = BTreeSet::new();
    for _ in 0..4 {
        let env: serde_json::Value = get(&echo, "turns.test", "/env").await.json().await.unwrap();
        pods.insert(env["POD_NAME"].as_str().unwrap().to_owned());
    }
    assert_eq!(pods.len(), 2, "both Pods listen on port 8080, and both are asked");
}

#[tokio::test]
async fn an_ingress_gets_the_edges_address_and_a_request_without_a_rule_gets_404() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    echo.expose("rules.test", "/livez").await;
    let address = async || -> Option<String> {
        let ingress: Ingress = echo.api().get("echo").await.ok()?;
        ingress.status?.load_balancer?.ingress?.first()?.ip.clone()
    };
    eventually!(SOON, address().await, |address| address.as_deref() == Some("127.0.0.1"));
    eventually!(SOON, get(&echo, "rules.test", "/livez").await.status(), |status| *status == StatusCode::OK);
    assert_eq!(get(&echo, "rules.test", "/env").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&echo, "unknown.test", "/livez").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_service_without_a_ready_pod_is_503() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::namespace(sandbox).await;
    echo.expose("nobody.test", "/").await;
    eventually!(SOON, get(&echo, "nobody.test", "/").await.status(), |status| *status
        == StatusCode::SERVICE_UNAVAILABLE);
    let text = get(&echo, "nobody.test", "/").await.text().await.unwrap();
    assert!(text.contains("has no Ready Pod"), "{text}");
}

#[tokio::test]
async fn a_pod_that_is_no_longer_ready_gets_no_requests() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    echo.expose("ill.test", "/").await;
    eventually!(SOON, get(&echo, "ill.test", "/livez").await.status(), |status| *status == StatusCode::OK);
    let url = format!("{}/die-slowly", sandbox.edge().unwrap().url());
    http().post(url).header("host", "ill.test").send().await.unwrap();
    eventually!(SOON, get(&echo, "ill.test", "/env").await.status(), |status| *status
        == StatusCode::SERVICE_UNAVAILABLE);
}
