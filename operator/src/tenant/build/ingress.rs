//! The Ingress that brings the tenant's host to its Service.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec,
    IngressTLS, ServiceBackendPort,
};
use wigwag_crds::tenant::Route;

use super::{HTTP_PORT, Owner};

/// The tenant's Ingress, if its route asks for one. The whole host goes to the data plane, which knows its own paths.
#[must_use]
pub fn ingress(owner: &Owner, route: Option<&Route>) -> Option<Ingress> {
    let route = route?;
    let wanted = route.ingress.as_ref()?;
    let tls = wanted
        .tls
        .as_ref()
        .map(|tls| IngressTLS { hosts: Some(vec![route.host.clone()]), secret_name: Some(tls.secret_name.clone()) });
    let path = HTTPIngressPath {
        path: Some("/".to_owned()),
        path_type: "Prefix".to_owned(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: owner.child_name(),
                port: Some(ServiceBackendPort { name: Some(HTTP_PORT.to_owned()), number: None }),
            }),
            resource: None,
        },
    };
    Some(Ingress {
        metadata: owner.metadata(),
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: Some(route.host.clone()),
                http: Some(HTTPIngressRuleValue { paths: vec![path] }),
            }]),
            tls: tls.map(|tls| vec![tls]),
            default_backend: None,
        }),
        status: None,
    })
}
