//! The Deployment of the data plane.
//!
//! A change of the configuration or of a Secret must not roll it: the data plane reloads both. What it reads
//! when it starts is the database's URL, so a mark of that is an annotation of the Pod template.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::{
            Capabilities, ConfigMapVolumeSource, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction,
            ObjectFieldSelector, PodSecurityContext, PodSpec, PodTemplateSpec, Probe, SeccompProfile,
            SecretKeySelector, SecretVolumeSource, SecurityContext, Volume, VolumeMount,
        },
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use kube::api::ObjectMeta;
use sha2::{Digest, Sha256};
use wigwag_crds::{WhatsAppTenantSpec, labels::DATABASE};

use super::{ADMIN_PORT, HTTP_PORT, Owner, text_map};

const CONFIG_DIR: &str = "/etc/wigwag/config";
const SECRETS_DIR: &str = "/etc/wigwag/secrets";
const HTTP: i32 = 8080;
const ADMIN: i32 = 9090;

/// The tenant's Deployment. `database_mark` tells one database URL from another; `None` if there never was one.
#[must_use]
pub fn deployment(owner: &Owner, spec: &WhatsAppTenantSpec, image: &str, database_mark: Option<&str>) -> Deployment {
    Deployment {
        metadata: owner.metadata(),
        spec: Some(DeploymentSpec {
            replicas: Some(spec.data_plane.replicas),
            revision_history_limit: Some(3),
            selector: LabelSelector { match_labels: Some(owner.selector()), ..LabelSelector::default() },
            strategy: Some(one_more_before_one_less()),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(owner.labels()),
                    annotations: database_mark.map(|mark| text_map([(DATABASE, mark)])),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(owner, spec, image)),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn pod(owner: &Owner, spec: &WhatsAppTenantSpec, image: &str) -> PodSpec {
    let config = Volume {
        name: "config".to_owned(),
        config_map: Some(ConfigMapVolumeSource { name: owner.child_name(), ..ConfigMapVolumeSource::default() }),
        ..Volume::default()
    };
    let secrets = spec.loaded_secrets().into_iter().map(|name| Volume {
        name: secret_volume(name),
        // One deleted Secret must not keep the Pod, and with it the other providers, from starting.
        secret: Some(SecretVolumeSource {
            secret_name: Some(name.to_owned()),
            optional: Some(true),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    });
    PodSpec {
        service_account_name: Some(owner.child_name()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(30),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
            ..PodSecurityContext::default()
        }),
        containers: vec![container(spec, image)],
        volumes: Some(std::iter::once(config).chain(secrets).collect()),
        ..PodSpec::default()
    }
}

fn container(spec: &WhatsAppTenantSpec, image: &str) -> Container {
    let listen = |port: i32| format!("0.0.0.0:{port}");
    let args = [
        ("--config-dir", CONFIG_DIR.to_owned()),
        ("--secrets-dir", SECRETS_DIR.to_owned()),
        ("--listen", listen(HTTP)),
        ("--admin-listen", listen(ADMIN)),
        ("--replica", "$(POD_NAME)".to_owned()),
    ];
    let args = args.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
    let config = mount("config", CONFIG_DIR.to_owned());
    let secrets = spec.loaded_secrets().into_iter();
    let secrets = secrets.map(|name| mount(&secret_volume(name), format!("{SECRETS_DIR}/{name}")));
    Container {
        name: "dataplane".to_owned(),
        image: Some(image.to_owned()),
        args: Some(std::iter::once("serve".to_owned()).chain(args).collect()),
        env: Some(vec![pod_name(), database_url(spec)]),
        ports: Some(vec![port(HTTP_PORT, HTTP), port(ADMIN_PORT, ADMIN)]),
        readiness_probe: Some(probe("/readyz", 1, 3)),
        liveness_probe: Some(probe("/livez", 10, 3)),
        resources: spec.data_plane.resources.clone(),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(std::iter::once(config).chain(secrets).collect()),
        ..Container::default()
    }
}

fn pod_name() -> EnvVar {
    let field = ObjectFieldSelector { field_path: "metadata.name".to_owned(), ..ObjectFieldSelector::default() };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: "POD_NAME".to_owned(), value: None, value_from: Some(source) }
}

/// By reference: the URL holds a password, and arguments and objects are read by many.
fn database_url(spec: &WhatsAppTenantSpec) -> EnvVar {
    let secret = &spec.database.secret_ref;
    let key = SecretKeySelector { name: secret.name.clone(), key: secret.key.clone(), optional: None };
    let source = EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() };
    EnvVar { name: "WIGWAG_DATABASE_URL".to_owned(), value: None, value_from: Some(source) }
}

fn port(name: &str, number: i32) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(ADMIN_PORT.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(1),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

fn mount(volume: &str, path: String) -> VolumeMount {
    VolumeMount { name: volume.to_owned(), mount_path: path, read_only: Some(true), ..VolumeMount::default() }
}

/// A rollout never has fewer Pods ready than the tenant asked for: there may be only one.
fn one_more_before_one_less() -> DeploymentStrategy {
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
    }
}

/// A Secret's name may have dots and 253 characters, a volume's may not.
fn secret_volume(secret: &str) -> String {
    format!("secret-{}", hex::encode(&Sha256::digest(secret)[..5]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::build::tests::{owner, spec};

    fn made(change: impl FnOnce(&mut Value), mark: Option<&str>) -> Value {
        let mut manifest = spec();
        change(&mut manifest);
        let spec = serde_json::from_value(manifest).expect("a spec");
        serde_json::to_value(deployment(&owner(), &spec, "registry/dataplane:1", mark)).expect("json")
    }

    #[test]
    fn the_pod_meets_the_restricted_standard_and_has_no_credentials_of_the_cluster() {
        let pod = &made(|_| {}, None)["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"], json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}));
        let container = &pod["containers"][0]["securityContext"];
        assert_eq!(
            *container,
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true})
        );
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["serviceAccountName"], "wigwag-acme");
    }

    #[test]
    fn the_data_plane_is_started_with_the_arguments_that_it_knows() {
        let container = &made(|_| {}, None)["spec"]["template"]["spec"]["containers"][0];
        let args: Vec<_> = container["args"].as_array().expect("args").iter().filter_map(Value::as_str).collect();
        assert_eq!(
            args.join(" "),
            "serve --config-dir /etc/wigwag/config --secrets-dir /etc/wigwag/secrets --listen 0.0.0.0:8080 \
             --admin-listen 0.0.0.0:9090 --replica $(POD_NAME)"
        );
        assert_eq!(
            container["env"],
            json!([
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "WIGWAG_DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "acme-database", "key": "url"}}},
            ])
        );
    }

    #[test]
    fn each_secret_is_mounted_once_under_its_name_and_may_be_missing() {
        let with_more = |spec: &mut Value| {
            let second = json!({"name": "backup", "cloudApi": {
                "phoneNumberId": "2", "credentialsSecretRef": {"name": "acme.meta.two"}}});
            let third = json!({"name": "third", "cloudApi": {
                "phoneNumberId": "3", "credentialsSecretRef": {"name": "acme-meta"}}});
            spec["providers"].as_array_mut().expect("providers").extend([second, third]);
            spec["api"] = json!({"tokensSecretRef": {"name": "acme-tokens"}});
            spec["flowSecrets"] = json!([{"name": "crm", "hosts": ["crm.example.com"]}]);
        };
        let pod = &made(with_more, None)["spec"]["template"]["spec"];
        let mounts = pod["containers"][0]["volumeMounts"].as_array().expect("mounts");
        let paths: Vec<_> = mounts.iter().filter_map(|mount| mount["mountPath"].as_str()).collect();
        let names = ["acme-meta", "acme-tokens", "acme.meta.two", "crm"].map(|name| format!("{SECRETS_DIR}/{name}"));
        assert_eq!((paths[0], &paths[1..]), (CONFIG_DIR, names.each_ref().map(String::as_str).as_slice()));
        for (mount, volume) in mounts.iter().zip(pod["volumes"].as_array().expect("volumes")) {
            assert_eq!(mount["name"], volume["name"]);
            assert_eq!(mount["readOnly"], true);
            let name = volume["name"].as_str().expect("name");
            assert!(name.len() <= 63 && !name.contains('.'), "{name} is no name of a volume");
            assert!(volume["secret"].is_null() || volume["secret"]["optional"] == true, "{volume}");
        }
    }

    #[test]
    fn only_another_database_another_size_or_another_secret_changes_the_pod_template() {
        let template = |change: fn(&mut Value), mark| made(change, mark)["spec"]["template"].clone();
        let before = template(|_| {}, Some("m1"));
        assert_ne!(before, template(|_| {}, Some("m2")));
        assert_ne!(
            before,
            template(|s| s["dataPlane"]["resources"] = json!({"limits": {"memory": "64Mi"}}), Some("m1"))
        );
        let sends = template(|s| s["flowSecrets"] = json!([{"name": "crm", "hosts": ["a.example.com"]}]), Some("m1"));
        let elsewhere =
            template(|s| s["flowSecrets"] = json!([{"name": "crm", "hosts": ["b.example.com"]}]), Some("m1"));
        assert_ne!(before, sends, "its volume");
        assert_eq!(sends, elsewhere);
        assert_eq!(before, template(|s| s["variables"] = json!({"opens": "9:00"}), Some("m1")));
        assert_eq!(before, template(|s| s["displayName"] = json!("Other"), Some("m1")));
        assert_eq!(before, template(|s| s["providers"][0]["cloudApi"]["throughput"] = json!(7), Some("m1")));
        assert_eq!(before, template(|s| s["dataPlane"]["replicas"] = json!(3), Some("m1")));
    }
}
