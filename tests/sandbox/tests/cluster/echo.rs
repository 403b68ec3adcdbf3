//! The manifests of the tests, in a namespace of their own, and the way to ask what runs there.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use reqwest::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wigwag_sandbox::{Sandbox, eventually};

use super::SOON;

/// A namespace with a Deployment "echo".
pub(crate) struct Echo<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

/// A container as it would stand in a chart: nothing in it knows that there is no container.
pub(crate) fn container() -> Value {
    let probe = json!({"httpGet": {"path": "/livez", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1});
    let field = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    json!({
        "name": "echo",
        "image": "registry.example:5000/wigwag/wigwag-sandbox-echo:1.0",
        "args": ["--listen=0.0.0.0:8080", "--dir=$(CONFIG_DIR)"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "CONFIG_DIR", "value": "/etc/echo/config"},
            {"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "greeting"}}},
            {"name": "POD_NAME", "valueFrom": field("metadata.name")},
            {"name": "POD_IP", "valueFrom": field("status.podIP")},
        ],
        "readinessProbe": probe,
        "volumeMounts": [{"name": "config", "mountPath": "/etc/echo/config", "readOnly": true}],
        "securityContext": {"allowPrivilegeEscalation": false},
    })
}

impl<'a> Echo<'a> {
    /// A namespace with a ConfigMap "config" and no Deployment yet.
    pub(crate) async fn namespace(sandbox: &'a Sandbox) -> Self {
        let control_plane = sandbox.control_plane().unwrap();
        let (client, namespace) =
            (control_plane.client().await.unwrap(), control_plane.namespace("echo").await.unwrap());
        let echo = Self { sandbox, client, namespace };
        echo.create::<ConfigMap>(json!({"metadata": {"name": "config"}, "data": {"greeting": "hola"}})).await;
        echo
    }

    /// The same with a Deployment of `replicas` times `container`, all Ready.
    pub(crate) async fn deployed(sandbox: &'a Sandbox, replicas: i32, container: Value) -> Self {
        let echo = Self::namespace(sandbox).await;
        echo.deploy(replicas, container).await;
        echo.all_ready(replicas).await;
        echo
    }

    pub(crate) async fn deploy(&self, replicas: i32, container: Value) {
        let labels = json!({"app": "echo"});
        let pod = json!({
            "terminationGracePeriodSeconds": 5,
            "containers": [container],
            "volumes": [
                {"name": "config", "configMap": {"name": "config"}},
                {"name": "late", "secret": {"secretName": "late", "optional": true}},
            ],
        });
        let spec = json!({
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        });
        self.create::<Deployment>(json!({"metadata": {"name": "echo"}, "spec": spec})).await;
    }

    pub(crate) async fn all_ready(&self, replicas: i32) {
        let deployments: Api<Deployment> = self.api();
        let ready = async || deployments.get("echo").await.ok()?.status?.available_replicas;
        eventually!(SOON, ready().await, |ready| *ready == Some(replicas));
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) async fn create<K>(&self, manifest: Value) -> K
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let object: K = serde_json::from_value(manifest).unwrap();
        self.api().create(&PostParams::default(), &object).await.unwrap()
    }

    pub(crate) async fn pods(&self) -> Vec<Pod> {
        self.api::<Pod>().list(&ListParams::default()).await.unwrap().items
    }

    /// The only Pod.
    pub(crate) async fn pod(&self) -> Pod {
        let mut pods = self.pods().await;
        assert_eq!(pods.len(), 1);
        pods.remove(0)
    }

    /// Asks the only Pod itself, past Service and edge.
    pub(crate) async fn ask(&self, path: &str) -> Result<String, String> {
        let address = self.pod().await.status.and_then(|status| status.pod_ip).ok_or("no address")?;
        let answer = http().get(format!("http://{address}:8080{path}")).send().await;
        let answer = answer.and_then(Response::error_for_status).map_err(|error| error.to_string())?;
        answer.text().await.map_err(|error| error.to_string())
    }

    /// A Service on port 80 and an Ingress for `host` with a rule for the prefix `path`.
    pub(crate) async fn expose(&self, host: &str, path: &str) {
        let ports = json!([{"name": "http", "port": 80, "targetPort": "http"}]);
        let service = json!({"metadata": {"name": "echo"}, "spec": {"selector": {"app": "echo"}, "ports": ports}});
        self.create::<Service>(service).await;
        let backend = json!({"service": {"name": "echo", "port": {"name": "http"}}});
        let paths = json!([{"path": path, "pathType": "Prefix", "backend": backend}]);
        let rules = json!([{"host": host, "http": {"paths": paths}}]);
        let spec = json!({"ingressClassName": "nginx", "rules": rules});
        self.create::<Ingress>(json!({"metadata": {"name": "echo"}, "spec": spec})).await;
    }

    pub(crate) async fn annotate_pod(&self, value: &str) {
        let patch = json!({"metadata": {"annotations": {"wigwag.dev/revision": value}}});
        let name = self.pod().await.name_any();
        self.api::<Pod>().patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub(crate) async fn write_secret(&self, name: &str, key: &str, value: &str) {
        self.create::<Secret>(json!({"metadata": {"name": name}, "stringData": {key: value}})).await;
    }

    /// Deletes the namespace and waits until it is gone, with all that is in it.
    pub(crate) async fn delete(&self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
        let left = async || namespaces.get_opt(&self.namespace).await.unwrap();
        eventually!(SOON, left().await, |left| left.is_none());
    }
}

pub(crate) fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap()
}
