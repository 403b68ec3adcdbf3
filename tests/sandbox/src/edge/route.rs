//! From a request to the Pods that may serve it: pure functions over Ingresses, Services and Pods.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend, ServiceBackendPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

/// What an Ingress rule leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Backend {
    pub(super) namespace: String,
    pub(super) service: String,
    pub(super) port: ServiceBackendPort,
}

/// How well a rule fits: its own host before `*.` before any, an exact path before a prefix, a long path before a
/// short one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    host: u8,
    exact: bool,
    length: usize,
}

/// The backend of the rule that fits `host` (without port, in lower case) and `path` best.
pub(super) fn backend<'a>(ingresses: impl Iterator<Item = &'a Ingress>, host: &str, path: &str) -> Option<Backend> {
    let mut best: Option<(Fit, Backend)> = None;
    for ingress in ingresses {
        let Some(spec) = &ingress.spec else { continue };
        let namespace = ingress.namespace().unwrap_or_default();
        let mut consider = |fit: Fit, backend: &IngressBackend| {
            if best.as_ref().is_none_or(|(so_far, _)| *so_far < fit)
                && let Some(service) = &backend.service
            {
                let port = service.port.clone().unwrap_or_default();
                best = Some((fit, Backend { namespace: namespace.clone(), service: service.name.clone(), port }));
            }
        };
        if let Some(backend) = &spec.default_backend {
            consider(Fit { host: 0, exact: false, length: 0 }, backend);
        }
        for rule in spec.rules.iter().flatten() {
            let Some(host) = host_fit(rule.host.as_deref().unwrap_or_default(), host) else { continue };
            for candidate in rule.http.iter().flat_map(|http| &http.paths) {
                if let Some((exact, length)) = path_fit(candidate, path) {
                    consider(Fit { host, exact, length }, &candidate.backend);
                }
            }
        }
    }
    best.map(|(_, backend)| backend)
}

fn host_fit(rule: &str, host: &str) -> Option<u8> {
    if rule.is_empty() {
        return Some(1);
    }
    if let Some(domain) = rule.strip_prefix('*') {
        // One label, no more: *.a.b stands for x.a.b.
        let label = host.strip_suffix(domain)?;
        return (!label.is_empty() && !label.contains('.')).then_some(2);
    }
    (rule == host).then_some(3)
}

fn path_fit(rule: &HTTPIngressPath, path: &str) -> Option<(bool, usize)> {
    let wanted = rule.path.as_deref().unwrap_or("/");
    if rule.path_type == "Exact" {
        return (wanted == path).then_some((true, wanted.len()));
    }
    // A prefix ends where a part of the path ends: /web stands for /web and /web/a, not for /webhooks.
    let prefix = wanted.trim_end_matches('/');
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some((false, prefix.len()))
}

/// The addresses of the Ready Pods behind a Service's port, in the order of their names.
///
/// # Errors
/// When the Service has no such port, or selects nothing.
pub(super) fn targets<'a>(
    service: &Service,
    port: &ServiceBackendPort,
    pods: impl Iterator<Item = &'a Pod>,
) -> Result<Vec<SocketAddr>, String> {
    let name = service.name_any();
    let spec = service.spec.as_ref();
    let mut ports = spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let wanted = ports.find(|candidate| match (&port.name, port.number) {
        (Some(name), _) => candidate.name.as_ref() == Some(name),
        (None, number) => Some(candidate.port) == number,
    });
    let wanted = wanted.ok_or_else(|| format!("Service {name} has no port {}", port_text(port)))?;
    let selector = spec.and_then(|spec| spec.selector.clone()).unwrap_or_default();
    if selector.is_empty() {
        return Err(format!("Service {name} has no selector"));
    }
    let mut ready: Vec<_> = pods
        .filter(|pod| pod.namespace() == service.namespace() && selects(&selector, pod) && is_ready(pod))
        .filter_map(|pod| Some((pod.name_any(), SocketAddr::new(address(pod)?, target_port(wanted, pod)?))))
        .collect();
    ready.sort();
    Ok(ready.into_iter().map(|(_, address)| address).collect())
}

fn port_text(port: &ServiceBackendPort) -> String {
    port.name.clone().unwrap_or_else(|| port.number.unwrap_or_default().to_string())
}

fn selects(selector: &BTreeMap<String, String>, pod: &Pod) -> bool {
    selector.iter().all(|(key, value)| pod.labels().get(key) == Some(value))
}

/// Ready, and not on its way out.
fn is_ready(pod: &Pod) -> bool {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn address(pod: &Pod) -> Option<IpAddr> {
    pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()
}

/// The Pod's port behind a Service's: its number, the number of the container's port of that name, or the same number.
fn target_port(service: &ServicePort, pod: &Pod) -> Option<u16> {
    let number = match &service.target_port {
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(name)) => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            ports.find(|port| port.name.as_ref() == Some(name))?.container_port
        }
        None => service.port,
    };
    number.try_into().ok()
}

/// Whether an Ingress's status names `address`.
pub(super) fn has_address(ingress: &Ingress, address: &str) -> bool {
    let balancer = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let mut entries = balancer.iter().flat_map(|balancer| balancer.ingress.iter().flatten());
    entries.any(|entry| entry.ip.as_deref() == Some(address))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn ingress(namespace: &str, host: &str, paths: &[(&str, &str, &str)]) -> Ingress {
        let paths: Vec<_> = paths
            .iter()
            .map(|(path, kind, service)| {
                let backend = json!({"service": {"name": service, "port": {"name": "http"}}});
                json!({"path": path, "pathType": kind, "backend": backend})
            })
            .collect();
        let rule = if host.is_empty() {
            json!({"http": {"paths": paths}})
        } else {
            json!({"host": host, "http": {"paths": paths}})
        };
        serde_json::from_value(json!({"metadata": {"name": "i", "namespace": namespace}, "spec": {"rules": [rule]}}))
            .unwrap()
    }

    fn served(ingresses: &[Ingress], host: &str, path: &str) -> Option<String> {
        let backend = backend(ingresses.iter(), host, path)?;
        Some(format!("{}/{}", backend.namespace, backend.service))
    }

    #[test]
    fn the_rule_that_fits_best_wins_whatever_the_order() {
        let mut ingresses = vec![
            ingress("any", "", &[("/", "Prefix", "all")]),
            ingress("wild", "*.wa.test", &[("/", "Prefix", "all")]),
            ingress(
                "acme",
                "acme.wa.test",
                &[("/", "Prefix", "web"), ("/webhooks", "Prefix", "hooks"), ("/webhooks/x", "Exact", "x")],
            ),
        ];
        for _ in 0..2 {
            for (host, path, expected) in [
                ("acme.wa.test", "/", Some("acme/web")),
                ("acme.wa.test", "/webhooks", Some("acme/hooks")),
                ("acme.wa.test", "/webhooks/primary", Some("acme/hooks")),
                ("acme.wa.test", "/webhooks/x", Some("acme/x")),
                ("acme.wa.test", "/webhooksx", Some("acme/web")),
                ("beta.wa.test", "/", Some("wild/all")),
                ("a.beta.wa.test", "/", Some("any/all")),
            ] {
                assert_eq!(served(&ingresses, host, path).as_deref(), expected, "{host}{path}");
            }
            ingresses.reverse();
        }
    }

    #[test]
    fn without_a_rule_for_host_and_path_there_is_no_backend() {
        let ingresses = [ingress("acme", "acme.test", &[("/webhooks/", "Prefix", "hooks")])];
        assert_eq!(served(&ingresses, "beta.test", "/webhooks"), None);
        assert_eq!(served(&ingresses, "acme.test", "/other"), None);
        assert_eq!(served(&ingresses, "acme.test", "/webhooks").as_deref(), Some("acme/hooks"));
    }

    fn pod(name: &str, ready: &str, metadata: Value) -> Pod {
        let mut pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "acme", "labels": {"app": "w"}},
            "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]},
            "status": {"podIP": "127.20.0.3", "conditions": [{"type": "Ready", "status": ready}]},
        }))
        .unwrap();
        if metadata["deletionTimestamp"].is_string() {
            pod.metadata.deletion_timestamp = serde_json::from_value(metadata["deletionTimestamp"].clone()).unwrap();
        }
        pod
    }

    fn service(ports: Value) -> Service {
        let spec = json!({"selector": {"app": "w"}, "ports": ports});
        serde_json::from_value(json!({"metadata": {"name": "s", "namespace": "acme"}, "spec": spec})).unwrap()
    }

    #[test]
    fn a_service_leads_to_the_named_port_of_its_ready_pods_alone() {
        let service = service(json!([{"name": "http", "port": 80, "targetPort": "http"}, {"name": "raw", "port": 81}]));
        let other = Pod { metadata: Default::default(), ..pod("other", "True", json!({})) };
        let ending = pod("ending", "True", json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}));
        let pods = [pod("ready", "True", json!({})), pod("unready", "False", json!({})), other, ending];
        let ask = |name: Option<&str>, number: Option<i32>| {
            targets(&service, &ServiceBackendPort { name: name.map(Into::into), number }, pods.iter())
        };
        let address = |port: u16| vec![SocketAddr::from(([127, 20, 0, 3], port))];
        assert_eq!(ask(Some("http"), None).unwrap(), address(8080));
        assert_eq!(ask(None, Some(80)).unwrap(), address(8080));
        assert_eq!(ask(Some("raw"), None).unwrap(), address(81));
        assert!(ask(Some("grpc"), None).unwrap_err().contains("no port grpc"));
    }
}
