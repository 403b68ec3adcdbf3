//! A container's variables: literal values, keys of Secrets and ConfigMaps, and fields of the Pod itself.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::Result;
use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVarSource, Pod, Secret};
use kube::{Api, Client, ResourceExt};

use super::translate::Translation;
use super::{HOST_ADDRESS, NODE_NAME};

/// The text of every key of the Secrets and ConfigMaps that a container names; `None` for one that does not exist.
#[derive(Debug, Default)]
pub(super) struct Sources {
    secrets: BTreeMap<String, Option<BTreeMap<String, String>>>,
    config_maps: BTreeMap<String, Option<BTreeMap<String, String>>>,
}

/// Reads what the variables of `container` refer to.
///
/// # Errors
/// When the API server does not answer.
pub(super) async fn fetch(client: &Client, namespace: &str, container: &Container) -> Result<Sources> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let mut sources = Sources::default();
    for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
        if let Some(reference) = &source.secret_key_ref
            && !sources.secrets.contains_key(&reference.name)
        {
            let data = secrets.get_opt(&reference.name).await?.map(|secret| secret.data.unwrap_or_default());
            let text =
                |(key, value): (String, k8s_openapi::ByteString)| (key, String::from_utf8_lossy(&value.0).into());
            sources.secrets.insert(reference.name.clone(), data.map(|data| data.into_iter().map(text).collect()));
        }
        if let Some(reference) = &source.config_map_key_ref
            && !sources.config_maps.contains_key(&reference.name)
        {
            let data = config_maps.get_opt(&reference.name).await?.map(|map| map.data.unwrap_or_default());
            sources.config_maps.insert(reference.name.clone(), data);
        }
    }
    Ok(sources)
}

/// The variables of `container`. Literal values are translated; what comes from elsewhere is passed on as it is.
///
/// # Errors
/// The kubelet's words for a `CreateContainerConfigError`.
pub(super) fn resolve(
    pod: &Pod,
    address: Ipv4Addr,
    container: &Container,
    sources: &Sources,
    translation: &Translation,
) -> Result<BTreeMap<String, String>, String> {
    let mut resolved = BTreeMap::new();
    for variable in container.env.iter().flatten() {
        let value = match &variable.value_from {
            None => Some(expand(&translation.text(variable.value.as_deref().unwrap_or_default()), &resolved)),
            Some(source) => lookup(pod, address, source, sources)?,
        };
        if let Some(value) = value {
            resolved.insert(variable.name.clone(), value);
        }
    }
    Ok(resolved)
}

/// `None` for an optional key that is not there.
fn lookup(pod: &Pod, address: Ipv4Addr, source: &EnvVarSource, sources: &Sources) -> Result<Option<String>, String> {
    let namespace = pod.namespace().unwrap_or_default();
    let (kind, name, key, optional, found) = if let Some(reference) = &source.secret_key_ref {
        ("Secret", &reference.name, &reference.key, reference.optional, sources.secrets.get(&reference.name))
    } else if let Some(reference) = &source.config_map_key_ref {
        ("ConfigMap", &reference.name, &reference.key, reference.optional, sources.config_maps.get(&reference.name))
    } else {
        let path = source.field_ref.as_ref().map(|reference| reference.field_path.as_str()).unwrap_or_default();
        return field(pod, address, path).map(Some);
    };
    match found.and_then(Option::as_ref) {
        Some(data) if data.contains_key(key) => Ok(data.get(key).cloned()),
        _ if optional == Some(true) => Ok(None),
        Some(_) => Err(format!("couldn't find key {key} in {kind} {namespace}/{name}")),
        None => Err(format!("{} {name:?} not found", kind.to_lowercase())),
    }
}

/// What a `fieldRef` names, as text.
///
/// # Errors
/// When the node does not know the field.
pub(super) fn field(pod: &Pod, address: Ipv4Addr, path: &str) -> Result<String, String> {
    let spec = pod.spec.as_ref();
    let keyed = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']");
    if let Some(key) = keyed("metadata.labels") {
        return Ok(pod.labels().get(key).cloned().unwrap_or_default());
    }
    if let Some(key) = keyed("metadata.annotations") {
        return Ok(pod.annotations().get(key).cloned().unwrap_or_default());
    }
    match path {
        "metadata.name" => Ok(pod.name_any()),
        "metadata.namespace" => Ok(pod.namespace().unwrap_or_default()),
        "metadata.uid" => Ok(pod.uid().unwrap_or_default()),
        "metadata.labels" => Ok(lines(pod.labels())),
        "metadata.annotations" => Ok(lines(pod.annotations())),
        "spec.nodeName" => Ok(NODE_NAME.into()),
        "spec.serviceAccountName" => Ok(spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_default()),
        "status.podIP" | "status.podIPs" => Ok(address.to_string()),
        "status.hostIP" | "status.hostIPs" => Ok(HOST_ADDRESS.into()),
        unknown => Err(format!("fieldRef {unknown:?} is not known to this node")),
    }
}

/// As the downward API writes labels and annotations.
fn lines(pairs: &BTreeMap<String, String>) -> String {
    pairs.iter().map(|(key, value)| format!("{key}={value:?}")).collect::<Vec<_>>().join("\n")
}

/// Replaces `$(NAME)` by the variable's value. An unknown name stays as it stands, `$$(NAME)` becomes `$(NAME)`.
pub(super) fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.strip_prefix("$(").and_then(|after| after.split_once(')'));
        if let Some(escaped) = rest.strip_prefix("$$") {
            expanded.push('$');
            rest = escaped;
        } else if let Some((value, after)) = reference.and_then(|(name, after)| Some((variables.get(name)?, after))) {
            expanded.push_str(value);
            rest = after;
        } else {
            expanded.push('$');
            rest = &rest[1..];
        }
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    fn resolved(env: Value, sources: &Sources) -> Result<BTreeMap<String, String>, String> {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p", "namespace": "acme", "uid": "u", "labels": {"app": "w"}, "annotations": {"a/b": "c"}},
            "spec": {"containers": [], "serviceAccountName": "sa"},
        }))
        .unwrap();
        let mount = json!([{"name": "config", "mountPath": "/etc/wigwag"}]);
        let container = json!({"name": "c", "env": env, "volumeMounts": mount});
        let container: Container = serde_json::from_value(container).unwrap();
        let address = Ipv4Addr::new(127, 9, 9, 9);
        let translation = Translation::of(&container, Path::new("/pod"), address);
        resolve(&pod, address, &container, sources, &translation)
    }

    fn sources() -> Sources {
        let secret = BTreeMap::from([("url".to_string(), "postgres://0.0.0.0/etc/wigwag".to_string())]);
        Sources {
            secrets: BTreeMap::from([("db".into(), Some(secret)), ("gone".into(), None)]),
            config_maps: BTreeMap::from([("cm".into(), Some(BTreeMap::from([("k".into(), "v".into())])))]),
        }
    }

    #[test]
    fn literal_values_are_translated_and_expanded_and_secrets_are_passed_on_as_they_are() {
        let env = json!([
            {"name": "DIR", "value": "/etc/wigwag"},
            {"name": "FILE", "value": "$(DIR)/tenant.yaml $(NONE) $$(DIR)"},
            {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
            {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}},
        ]);
        let resolved = resolved(env, &sources()).unwrap();
        assert_eq!(resolved["FILE"], "/pod/config/tenant.yaml $(NONE) $(DIR)");
        assert_eq!(resolved["URL"], "postgres://0.0.0.0/etc/wigwag");
        assert_eq!(resolved["MAP"], "v");
    }

    #[test]
    fn fields_of_the_pod_are_known() {
        for (path, expected) in [
            ("metadata.name", "p"),
            ("metadata.namespace", "acme"),
            ("metadata.labels['app']", "w"),
            ("metadata.annotations['a/b']", "c"),
            ("status.podIP", "127.9.9.9"),
            ("spec.serviceAccountName", "sa"),
        ] {
            let env = json!([{"name": "F", "valueFrom": {"fieldRef": {"fieldPath": path}}}]);
            assert_eq!(resolved(env, &Sources::default()).unwrap()["F"], expected, "{path}");
        }
    }

    #[test]
    fn a_missing_secret_or_key_is_the_kubelets_error_unless_it_is_optional() {
        let env = |name: &str, key: &str, optional: bool| json!([{"name": "S", "valueFrom": {"secretKeyRef": {"name": name, "key": key, "optional": optional}}}]);
        assert_eq!(resolved(env("gone", "k", false), &sources()).unwrap_err(), "secret \"gone\" not found");
        let no_key = resolved(env("db", "token", false), &sources()).unwrap_err();
        assert_eq!(no_key, "couldn't find key token in Secret acme/db");
        assert!(resolved(env("gone", "k", true), &sources()).unwrap().is_empty());
        assert!(resolved(env("db", "token", true), &sources()).unwrap().is_empty());
    }
}
