//! What the node can run. What it does not know it refuses, field by field, instead of running something else.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::probe::HttpProbe;
use super::translate::{self, Images};

/// Fields of a Pod's spec that the node heeds, or that have no meaning for one machine.
const POD: &[&str] = &[
    "affinity",
    "automountServiceAccountToken",
    "containers",
    "dnsPolicy",
    "enableServiceLinks",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "restartPolicy",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
];
const CONTAINER: &[&str] = &[
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "volumeMounts",
];
const MOUNT: &[&str] = &["mountPath", "name", "readOnly"];
const ENV_SOURCE: &[&str] = &["configMapKeyRef", "fieldRef", "secretKeyRef"];
const PROBE: &[&str] =
    &["failureThreshold", "httpGet", "initialDelaySeconds", "periodSeconds", "successThreshold", "timeoutSeconds"];
const VOLUME: &[&str] = &["configMap", "downwardAPI", "emptyDir", "name", "projected", "secret"];
const PROJECTION: &[&str] = &["configMap", "downwardAPI", "secret", "serviceAccountToken"];

/// Why the node does not run `pod`, each with its field; none if it does.
pub(super) fn refusals(pod: &Pod, images: &Images) -> Vec<String> {
    let spec = serde_json::to_value(&pod.spec).unwrap_or_default();
    let mut refused = Vec::new();
    unknown(&spec, "spec", POD, &mut refused);
    if spec["restartPolicy"].as_str().is_some_and(|policy| policy != "Always") {
        refused.push(format!("spec.restartPolicy {} (only Always)", spec["restartPolicy"]));
    }
    for (at, volume) in items(&spec["volumes"], "spec.volumes") {
        unknown(volume, &at, VOLUME, &mut refused);
        for (at, source) in items(&volume["projected"]["sources"], &format!("{at}.projected.sources")) {
            unknown(source, &at, PROJECTION, &mut refused);
        }
    }
    for (at, container) in items(&spec["containers"], "spec.containers") {
        unknown(container, &at, CONTAINER, &mut refused);
        for (at, mount) in items(&container["volumeMounts"], &format!("{at}.volumeMounts")) {
            unknown(mount, &at, MOUNT, &mut refused);
        }
        for (at, variable) in items(&container["env"], &format!("{at}.env")) {
            unknown(&variable["valueFrom"], &format!("{at}.valueFrom"), ENV_SOURCE, &mut refused);
        }
        for probe in ["readinessProbe", "livenessProbe"] {
            let at = format!("{at}.{probe}");
            unknown(&container[probe], &at, PROBE, &mut refused);
            if container[probe]["httpGet"]["scheme"].as_str().is_some_and(|scheme| scheme != "HTTP") {
                refused.push(format!("{at}.httpGet.scheme {}", container[probe]["httpGet"]["scheme"]));
            }
        }
    }
    for container in pod.spec.iter().flat_map(|spec| &spec.containers) {
        refused.extend(translate::program(images, container).err());
        let probes = container.readiness_probe.iter().chain(&container.liveness_probe);
        let probes = probes.map(|probe| HttpProbe::of(probe, container, Ipv4Addr::LOCALHOST));
        refused.extend(probes.filter_map(|probe| Some(format!("{:#}", probe.err()?))));
    }
    refused
}

fn unknown(value: &Value, at: &str, known: &[&str], refused: &mut Vec<String>) {
    let fields = value.as_object().into_iter().flatten().map(|(field, _)| field);
    refused.extend(fields.filter(|field| !known.contains(&field.as_str())).map(|field| format!("{at}.{field}")));
}

fn items<'a>(list: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let items = list.as_array().into_iter().flatten().enumerate();
    items.map(|(index, item)| (format!("{at}[{index}]"), item)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn refused(spec: Value) -> Vec<String> {
        let pod = serde_json::from_value(json!({"spec": spec})).unwrap();
        refusals(&pod, &Images::from([("op".into(), "/target/op".into())]))
    }

    #[test]
    fn a_restricted_pod_with_volumes_probes_and_variables_is_run() {
        let probe = json!({"httpGet": {"path": "/", "port": "http", "scheme": "HTTP"}, "periodSeconds": 1});
        let source = json!({"secretKeyRef": {"name": "s", "key": "k", "optional": true}});
        let none = refused(json!({
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
            "securityContext": {"runAsNonRoot": true}, "tolerations": [{"key": "a"}],
            "containers": [{
                "name": "c", "image": "op:1", "ports": [{"containerPort": 80, "name": "http"}], "readinessProbe": probe,
                "env": [{"name": "A", "value": "b"}, {"name": "S", "valueFrom": source}],
                "resources": {"limits": {"cpu": "1"}}, "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            }],
            "volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
        }));
        assert_eq!(none, Vec::<String>::new());
    }

    #[test]
    fn what_the_node_does_not_know_is_refused_by_its_field() {
        let container = |field: &str, value: Value| json!({"containers": [{"name": "c", "image": "op", field: value}]});
        let claim = json!({"claimName": "c"});
        for (spec, field) in [
            (json!({"containers": [], "initContainers": [{"name": "i"}]}), "spec.initContainers"),
            (json!({"containers": [], "hostNetwork": true}), "spec.hostNetwork"),
            (json!({"containers": [], "restartPolicy": "Never"}), "spec.restartPolicy \"Never\""),
            (
                json!({"containers": [], "volumes": [{"name": "v", "persistentVolumeClaim": claim}]}),
                "spec.volumes[0].persistentVolumeClaim",
            ),
            (container("lifecycle", json!({"preStop": {}})), "spec.containers[0].lifecycle"),
            (container("envFrom", json!([{"secretRef": {"name": "s"}}])), "spec.containers[0].envFrom"),
            (
                container("readinessProbe", json!({"exec": {"command": ["a"]}})),
                "spec.containers[0].readinessProbe.exec",
            ),
            (container("livenessProbe", json!({"tcpSocket": {"port": 1}})), "livenessProbe.tcpSocket"),
            (
                container("livenessProbe", json!({"httpGet": {"port": 1, "scheme": "HTTPS"}})),
                "livenessProbe.httpGet.scheme \"HTTPS\"",
            ),
            (
                container("volumeMounts", json!([{"name": "v", "mountPath": "/v", "subPath": "s"}])),
                "volumeMounts[0].subPath",
            ),
            (
                container("livenessProbe", json!({"httpGet": {"port": "nowhere"}})),
                "container \"c\" has no port named \"nowhere\"",
            ),
            (container("image", json!("nginx")), "no local program stands for image \"nginx\""),
        ] {
            let refused = refused(spec);
            assert!(refused.iter().any(|refusal| refusal.contains(field)), "{field} is not among {refused:?}");
        }
    }
}
