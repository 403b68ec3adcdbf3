//! What a tenant is made of: pure functions from the tenant to Kubernetes objects, one kind in each module.

pub mod config;
pub mod deployment;
pub mod ingress;
pub mod service;
pub mod service_account;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt, api::ObjectMeta};
use wigwag_crds::{
    WhatsAppTenant,
    labels::{MANAGED_BY, TENANT},
};

use crate::{raw::Raw, replicas::TenantKey};

/// Name of the port on which webhooks and API calls come in.
pub const HTTP_PORT: &str = "http";
/// Name of the port with probes, metrics and `/configz`.
pub const ADMIN_PORT: &str = "admin";

/// The tenant for which objects are made, and which owns them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Namespace of the tenant and of everything that is made for it.
    pub namespace: String,
    /// Name of the tenant.
    pub name: String,
    /// Its UID: a tenant that was deleted and made again under the same name is another owner.
    pub uid: String,
}

// === impl Owner ===

impl Owner {
    /// The tenant as owner.
    #[must_use]
    pub fn of(tenant: &Raw<WhatsAppTenant>) -> Self {
        Self {
            namespace: tenant.namespace().unwrap_or_default(),
            name: tenant.name_any(),
            uid: tenant.uid().unwrap_or_default(),
        }
    }

    /// The tenant as `/configz` names it.
    #[must_use]
    pub fn key(&self) -> TenantKey {
        TenantKey { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// Name of every object that is made for the tenant. The prefix keeps out of the way of people's own objects, and
    /// lets a Service stand for a tenant whose name begins with a digit.
    #[must_use]
    pub fn child_name(&self) -> String {
        format!("wigwag-{}", self.name)
    }

    /// Metadata of an object that is made for the tenant.
    #[must_use]
    pub fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: Some(self.child_name()),
            namespace: Some(self.namespace.clone()),
            labels: Some(self.labels()),
            owner_references: Some(vec![OwnerReference {
                api_version: WhatsAppTenant::api_version(&()).into_owned(),
                kind: WhatsAppTenant::kind(&()).into_owned(),
                name: self.name.clone(),
                uid: self.uid.clone(),
                controller: Some(true),
                block_owner_deletion: None,
            }]),
            ..ObjectMeta::default()
        }
    }

    /// Labels of every object.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.selector();
        labels.extend(text_map([
            ("app.kubernetes.io/component", "data-plane"),
            ("app.kubernetes.io/part-of", "wigwag"),
            ("app.kubernetes.io/managed-by", MANAGED_BY),
        ]));
        labels
    }

    /// The labels that select the tenant's Pods; a Deployment cannot change them later.
    #[must_use]
    pub fn selector(&self) -> BTreeMap<String, String> {
        text_map([
            ("app.kubernetes.io/name", "wigwag-dataplane"),
            ("app.kubernetes.io/instance", &self.name),
            (TENANT, &self.name),
        ])
    }

    /// The same as a query.
    #[must_use]
    pub fn pod_query(&self) -> String {
        format!("app.kubernetes.io/name=wigwag-dataplane,{TENANT}={}", self.name)
    }

    /// Whether the tenant controls the object.
    #[must_use]
    pub fn owns(&self, object: &impl Resource<DynamicType = ()>) -> bool {
        let owners = object.meta().owner_references.iter().flatten();
        owners.into_iter().any(|owner| owner.controller == Some(true) && owner.uid == self.uid)
    }
}

fn text_map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(super) fn spec() -> Value {
        json!({
            "displayName": "Acme",
            "providers": [{"name": "primary", "cloudApi": {
                "phoneNumberId": "106540352242922", "apiVersion": "v25.0", "baseUrl": "https://graph.facebook.com",
                "credentialsSecretRef": {"name": "acme-meta"}, "throughput": 80}}],
            "route": {"host": "acme.example.com", "ingress": {"className": "nginx", "tls": {"secretName": "acme-tls"}}},
            "dataPlane": {"replicas": 2},
            "database": {"secretRef": {"name": "acme-database", "key": "url"}},
        })
    }

    pub(super) fn owner() -> Owner {
        Owner::of(&Raw::of("acme", spec()))
    }

    #[test]
    fn everything_is_labelled_and_controlled_by_the_tenant() {
        let metadata = serde_json::to_value(owner().metadata()).expect("json");
        assert_eq!(metadata["labels"]["wigwag.dev/tenant"], "acme");
        assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "wigwag-operator");
        assert_eq!(
            metadata["ownerReferences"],
            json!([{"apiVersion": "wigwag.dev/v1alpha1", "kind": "WhatsAppTenant", "name": "acme",
                    "uid": "uid-of-acme", "controller": true}])
        );
    }

    #[test]
    fn the_service_selects_the_pods_of_the_deployment_and_the_ingress_names_its_port() {
        let spec = serde_json::from_value(spec()).expect("a spec");
        let deployment = serde_json::to_value(deployment::deployment(&owner(), &spec, "image", None)).expect("json");
        let service = serde_json::to_value(service::service(&owner())).expect("json");
        let ingress = serde_json::to_value(ingress::ingress(&owner(), spec.route.as_ref())).expect("json");
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        for (key, value) in service["spec"]["selector"].as_object().expect("selector") {
            assert_eq!(&labels[key], value);
        }
        let target = &service["spec"]["ports"][0]["targetPort"];
        let ports = deployment["spec"]["template"]["spec"]["containers"][0]["ports"].as_array().expect("ports");
        assert!(ports.iter().any(|port| port["name"] == *target), "no container port is named {target}");
        let backend = &ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
        assert_eq!(backend["name"], service["metadata"]["name"]);
        assert_eq!(backend["port"]["name"], service["spec"]["ports"][0]["name"]);
        assert_eq!(ingress["spec"]["tls"], json!([{"hosts": ["acme.example.com"], "secretName": "acme-tls"}]));
        assert_eq!(ingress["spec"]["ingressClassName"], "nginx");
    }

    #[test]
    fn without_an_ingress_in_the_route_there_is_none() {
        let mut manifest = spec();
        manifest["route"] = json!({"host": "acme.example.com"});
        let spec: wigwag_crds::WhatsAppTenantSpec = serde_json::from_value(manifest).expect("a spec");
        assert!(ingress::ingress(&owner(), spec.route.as_ref()).is_none());
    }
}
