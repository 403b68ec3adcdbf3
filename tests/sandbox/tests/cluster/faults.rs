//! Parts that end while others run, each test with a sandbox of its own.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt};
use wigwag_sandbox::{Sandbox, eventually};

use super::echo::{Echo, container};
use super::{SOON, options};

#[tokio::test]
async fn pods_go_on_while_etcd_and_the_api_server_are_away_and_are_served_afterwards() {
    let sandbox = Sandbox::start(options()).await.unwrap();
    let control_plane = sandbox.control_plane().unwrap();
    let echo = Echo::deployed(&sandbox, 1, container()).await;
    let address = echo.pod().await.status.unwrap().pod_ip.unwrap();
    let process = sandbox.node().unwrap().process(&echo.namespace, &echo.pod().await.name_any(), "echo").unwrap();

    control_plane.etcd().kill().await.unwrap();
    control_plane.apiserver().kill().await.unwrap();
    process.kill().await.unwrap();
    let alive = async || super::echo::http().get(format!("http://{address}:8080/livez")).send().await;
    eventually!(SOON, alive().await);

    control_plane.restart_etcd().await.unwrap_err();
    control_plane.restart_apiserver().await.unwrap();
    let restarts = async || -> Option<i32> {
        let client = control_plane.client().await.ok()?;
        let pods: Api<Pod> = Api::namespaced(client, &echo.namespace);
        let pod = pods.list(&Default::default()).await.ok()?.items.into_iter().next()?;
        pod.status?.container_statuses?.first().map(|status| status.restart_count)
    };
    eventually!(SOON, restarts().await, |restarts| *restarts == Some(1));
    control_plane.restart_controller_manager().await.unwrap();
    echo.delete().await;
}

#[tokio::test]
async fn a_frozen_api_server_answers_nothing_until_it_is_thawed() {
    let sandbox = Sandbox::start(wigwag_sandbox::Options { control_plane: true, ..Default::default() }).await.unwrap();
    let control_plane = sandbox.control_plane().unwrap();
    let client = control_plane.client().await.unwrap();
    control_plane.apiserver().freeze();
    assert!(tokio::time::timeout(Duration::from_millis(300), client.apiserver_version()).await.is_err());
    control_plane.apiserver().thaw();
    eventually!(SOON, client.apiserver_version().await);
}

#[tokio::test]
async fn a_sandbox_leaves_no_process_and_no_folder_behind() {
    let sandbox = Sandbox::start(wigwag_sandbox::Options { postgres: true, ..options() }).await.unwrap();
    let echo = Echo::deployed(&sandbox, 1, container()).await;
    let pod = echo.pod().await;
    let control_plane = sandbox.control_plane().unwrap();
    let process = sandbox.node().unwrap().process(&echo.namespace, &pod.name_any(), "echo").unwrap();
    let processes = [control_plane.etcd(), control_plane.apiserver(), control_plane.controller_manager(), &*process];
    let pids = processes.map(|process| process.pid().unwrap());
    let folder = sandbox.folder().to_owned();
    for name in ["etcd", "kube-apiserver", "kube-controller-manager"] {
        assert!(sandbox.logs().join(format!("{name}.log")).exists(), "{name} has no log");
    }
    drop(sandbox);
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "process {pid} lives on");
    }
    assert!(!folder.exists());
}
