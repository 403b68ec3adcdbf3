//! Manifests as they stand in a file: the same YAML that `kubectl apply` takes.

/// Renders an object as the YAML that an SRE reads in the ConfigMap.
///
/// # Errors
/// When a value cannot be written as YAML, which no API type can cause.
pub fn to_yaml(value: &impl serde::Serialize) -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(value)
}
