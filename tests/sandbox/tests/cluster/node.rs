//! What a Pod gets from the node: its volumes, variables, token, restarts and end.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{ConfigMap, ContainerStatus, Event, Pod, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use wigwag_sandbox::control_plane::client_of;
use wigwag_sandbox::eventually;

use super::echo::{Echo, container};
use super::{SOON, shared};

async fn container_status(echo: &Echo<'_>) -> Option<ContainerStatus> {
    echo.pod().await.status?.container_statuses?.into_iter().next()
}

async fn waiting_reason(echo: &Echo<'_>) -> Option<String> {
    container_status(echo).await?.state?.waiting?.reason
}

#[tokio::test]
async fn a_container_gets_its_arguments_and_variables_as_a_local_process_needs_them() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    let pod = echo.pod().await;
    let address = pod.status.clone().unwrap().pod_ip.unwrap();
    let config = sandbox.node().unwrap().volume(&pod, "config");

    let args: Vec<String> = serde_json::from_str(&echo.ask("/args").await.unwrap()).unwrap();
    assert_eq!(args, [format!("--listen={address}:8080"), format!("--dir={}", config.display())]);
    let env: Value = serde_json::from_str(&echo.ask("/env").await.unwrap()).unwrap();
    assert_eq!(env["POD_NAME"], pod.name_any());
    assert_eq!(env["GREETING"], "hola");
    assert_eq!(env["POD_IP"], address);
    assert_eq!(env["CONFIG_DIR"], config.display().to_string());
    assert_eq!(env["CARGO_MANIFEST_DIR"], Value::Null, "our own variables are none of its business");
    assert_eq!(echo.ask("/file/greeting").await.unwrap(), "hola");
}

#[tokio::test]
async fn an_edited_config_map_reaches_its_volume_once_the_pod_is_annotated() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    let pid = container_status(&echo).await.unwrap().container_id;
    for greeting in ["buenas", "adios"] {
        let patch = Patch::Merge(json!({"data": {"greeting": greeting}}));
        echo.api::<ConfigMap>().patch("config", &PatchParams::default(), &patch).await.unwrap();
        echo.annotate_pod(greeting).await;
        eventually!(Duration::from_secs(5), echo.ask("/file/greeting").await.unwrap(), |seen| seen == greeting);
    }
    assert_eq!(container_status(&echo).await.unwrap().container_id, pid, "it was restarted for it");
}

#[tokio::test]
async fn an_optional_secret_is_an_empty_volume_until_it_is_there() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    let file = sandbox.node().unwrap().volume(&echo.pod().await, "late").join("token");
    assert!(file.parent().unwrap().is_dir() && !file.exists());
    echo.write_secret("late", "token", "better than never").await;
    echo.annotate_pod("secret").await;
    let read = || std::fs::read_to_string(&file).ok();
    eventually!(Duration::from_secs(5), read(), |seen| seen.as_deref() == Some("better than never"));
}

#[tokio::test]
async fn a_killed_process_is_started_again_and_its_status_tells() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    let pod = echo.pod().await;
    let process = sandbox.node().unwrap().process(&echo.namespace, &pod.name_any(), "echo").unwrap();
    let first = process.pid().unwrap();
    process.kill().await.unwrap();

    let restarted = async || container_status(&echo).await.filter(|status| status.restart_count == 1 && status.ready);
    let status = eventually!(SOON, restarted().await);
    let last = status.last_state.unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.signal), (137, Some(9)));
    assert_ne!(process.pid().unwrap(), first);
    assert_eq!(echo.pod().await.uid(), pod.uid(), "it is another Pod");
    echo.ask("/livez").await.unwrap();
}

#[tokio::test]
async fn a_container_that_is_not_alive_is_restarted() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let mut manifest = container();
    let get = json!({"path": "/livez", "port": "http"});
    manifest["livenessProbe"] = json!({"httpGet": get, "periodSeconds": 1, "failureThreshold": 3});
    let echo = Echo::deployed(sandbox, 1, manifest).await;
    let address = echo.pod().await.status.unwrap().pod_ip.unwrap();
    super::echo::http().post(format!("http://{address}:8080/die-slowly")).send().await.unwrap();
    let restarted = async || container_status(&echo).await.filter(|status| status.restart_count == 1 && status.ready);
    eventually!(SOON, restarted().await);
}

#[tokio::test]
async fn a_deleted_deployment_and_namespace_leave_no_pod_and_no_process() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 2, container()).await;
    let node = sandbox.node().unwrap();
    let of_pod = |pod: &Pod| {
        (
            node.process(&echo.namespace, &pod.name_any(), "echo").unwrap(),
            node.volume(pod, "").parent().unwrap().to_owned(),
        )
    };
    let left: Vec<_> = echo.pods().await.iter().map(of_pod).collect();
    assert!(left.iter().all(|(process, folder)| process.pid().is_some() && folder.exists()));
    echo.delete().await;
    for (process, folder) in left {
        assert_eq!(process.exit_status().unwrap().signal(), Some(15), "it ended by TERM, in time");
        assert!(!folder.exists(), "{} is still there", folder.display());
    }
}

#[tokio::test]
async fn a_pod_may_be_deleted_alone_and_its_replica_set_makes_another() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    let first = echo.pod().await;
    echo.api::<Pod>().delete(&first.name_any(), &DeleteParams::default()).await.unwrap();
    let names = async || echo.pods().await.iter().map(ResourceExt::name_any).collect::<Vec<_>>();
    eventually!(SOON, names().await, |names| names.len() == 1 && names[0] != first.name_any());
    echo.all_ready(1).await;
}

#[tokio::test]
async fn the_kubeconfig_of_a_container_is_its_service_account_and_rbac_holds_for_it() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::deployed(sandbox, 1, container()).await;
    let env: Value = serde_json::from_str(&echo.ask("/env").await.unwrap()).unwrap();
    let client = client_of(Path::new(env["KUBECONFIG"].as_str().unwrap())).await.unwrap();

    let review = Api::<SelfSubjectReview>::all(client.clone());
    let review = review.create(&PostParams::default(), &SelfSubjectReview::default()).await.unwrap();
    let user = format!("system:serviceaccount:{}:default", echo.namespace);
    assert_eq!(review.status.unwrap().user_info.unwrap().username.unwrap(), user);
    assert_eq!(client.default_namespace(), echo.namespace);

    let audit = sandbox.control_plane().unwrap().audit();
    assert!(audit.forbidden_by(&user).unwrap().is_empty());
    let secrets: Api<Secret> = Api::namespaced(client, &echo.namespace);
    assert!(
        matches!(secrets.list(&ListParams::default()).await, Err(kube::Error::Api(status)) if status.is_forbidden())
    );
    let forbidden = eventually!(SOON, audit.forbidden_by(&user).unwrap(), |forbidden| !forbidden.is_empty());
    assert_eq!(forbidden[0].object_ref.as_ref().unwrap().resource, "secrets");
}

#[tokio::test]
async fn a_container_waits_for_the_secret_of_a_variable_and_then_starts() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::namespace(sandbox).await;
    let mut manifest = container();
    let source = json!({"secretKeyRef": {"name": "database", "key": "url"}});
    manifest["env"].as_array_mut().unwrap().push(json!({"name": "DATABASE", "valueFrom": source}));
    echo.deploy(1, manifest).await;
    eventually!(SOON, echo.pods().await.len(), |pods| *pods == 1);
    eventually!(SOON, waiting_reason(&echo).await, |why| why.as_deref() == Some("CreateContainerConfigError"));

    echo.write_secret("database", "url", "postgres://db/wigwag").await;
    echo.all_ready(1).await;
    let env: Value = serde_json::from_str(&echo.ask("/env").await.unwrap()).unwrap();
    assert_eq!(env["DATABASE"], "postgres://db/wigwag");
}

#[tokio::test]
async fn what_the_node_does_not_run_it_refuses_with_an_event() {
    let sandbox = shared().await;
    let _logs = sandbox.logs_on_failure();
    let echo = Echo::namespace(sandbox).await;
    let mut manifest = container();
    manifest["lifecycle"] = json!({"preStop": {"httpGet": {"port": 8080, "path": "/"}}});
    echo.deploy(1, manifest).await;
    let notes = async || {
        let events: Api<Event> = echo.api();
        let events = events.list(&ListParams::default().fields("reason=Refused")).await.unwrap();
        events.items.into_iter().filter_map(|event| event.message).collect::<Vec<_>>()
    };
    let seen = eventually!(SOON, notes().await, |notes| !notes.is_empty());
    assert!(seen[0].contains("spec.containers[0].lifecycle"), "{seen:?}");
    assert_eq!(echo.pod().await.status.unwrap().phase.as_deref(), Some("Pending"));
    echo.delete().await;
}
