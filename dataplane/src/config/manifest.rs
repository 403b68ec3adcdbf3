//! Manifests: the documents of a file, each read as far as its kind asks. What is wrong with one says so in its
//! `misfits` and spoils no other.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;
use wigwag_crds::{
    FlowSpec, WhatsAppTenantSpec,
    flow::{Finding, Severity},
    labels,
    revision::{canonical, flow_revision},
};
use wigwag_domain::TenantKey;

use super::{
    rules,
    secrets::Data,
    typed::{Misfit, Typed, typed},
};

/// `apiVersion` of our kinds.
const API_VERSION: &str = "wigwag.dev/v1alpha1";

/// A document of a file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) content: Content,
    /// Everything that is wrong with it.
    pub(crate) misfits: Vec<Misfit>,
}

/// What a document is.
#[derive(Debug)]
pub(crate) enum Content {
    Tenant(Box<TenantManifest>),
    /// A tenant whose manifest cannot be used.
    BrokenTenant(TenantKey),
    Flow(Box<FlowManifest>),
    Secret(SecretManifest),
    /// One of ours, but nobody can tell which.
    Unreadable,
    /// Something else.
    Foreign,
}

/// A tenant as somebody wrote it.
#[derive(Debug)]
pub(crate) struct TenantManifest {
    pub(crate) key: TenantKey,
    pub(crate) namespace: String,
    /// The object's UID in its cluster; empty in a folder that a person wrote.
    pub(crate) uid: String,
    pub(crate) spec: WhatsAppTenantSpec,
    /// The same, untyped, as revisions are taken over it.
    pub(crate) raw: Value,
    /// The file that it stands in.
    pub(crate) file: String,
}

/// A Flow as somebody wrote it.
#[derive(Debug)]
pub(crate) struct FlowManifest {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The tenant that it names, where that much can be read.
    pub(crate) tenant: Option<TenantKey>,
    pub(crate) revision: String,
    /// What to compile, or why that cannot be read.
    pub(crate) spec: Result<FlowSpec, Vec<Finding>>,
    /// The spec as canonical JSON.
    pub(crate) text: String,
    /// The file that it stands in.
    pub(crate) file: String,
}

/// A Secret beside the other manifests. `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct SecretManifest {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) data: Data,
    /// The file that it stands in.
    pub(crate) file: String,
}

/// What we read of `metadata`; the API server keeps more there than we ask for.
#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default = "default_namespace")]
    namespace: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretData {
    #[serde(default)]
    data: BTreeMap<String, String>,
    #[serde(default)]
    string_data: BTreeMap<String, String>,
}

/// The documents of a file.
///
/// # Errors
/// When it is no YAML.
pub(crate) fn documents(file: &str, text: &str) -> Result<Vec<Document>, String> {
    // Without the lines around an error, which may be a Secret's.
    let options = serde_saphyr::options! { with_snippet: false };
    let values: Vec<Value> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| format!("no YAML: {error}"))?;
    Ok(values.into_iter().map(|value| document(file, value)).collect())
}

fn document(file: &str, value: Value) -> Document {
    let kind = value["kind"].as_str().unwrap_or_default();
    let (version, others): (_, &[&str]) = match kind {
        "WhatsAppTenant" | "Flow" => (API_VERSION, &["spec", "status"]),
        "Secret" => ("v1", &["data", "stringData", "type", "immutable"]),
        _ => {
            let is_ours = value["apiVersion"].as_str().is_none_or(|version| version.starts_with(labels::GROUP));
            let content = if is_ours { Content::Unreadable } else { Content::Foreign };
            let message = format!("{kind:?} has no place here: write WhatsAppTenant, Flow or Secret");
            return Document { content, misfits: vec![Misfit { field: "kind".to_owned(), message }] };
        }
    };
    let metadata = match typed::<Metadata>(&value["metadata"], "metadata").value {
        Ok(metadata) => metadata,
        Err(misfit) => return Document { content: Content::Unreadable, misfits: vec![misfit] },
    };
    let mut misfits = Vec::new();
    if value["apiVersion"] != version {
        let message = format!("{} is not known here: write {version}", value["apiVersion"]);
        misfits.push(Misfit { field: "apiVersion".to_owned(), message });
    }
    for key in value.as_object().into_iter().flat_map(|object| object.keys()) {
        if !["apiVersion", "kind", "metadata"].contains(&key.as_str()) && !others.contains(&key.as_str()) {
            misfits.push(Misfit::unknown(key.clone()));
        }
    }
    match kind {
        "WhatsAppTenant" => tenant(file, metadata, &value["spec"], misfits),
        "Flow" => flow(file, metadata, &value["spec"], misfits),
        _ => secret(file, metadata, &value, misfits),
    }
}

/// A field that is not known does not stop a tenant: receiving goes on, and the field is reported.
fn tenant(file: &str, metadata: Metadata, raw: &Value, mut misfits: Vec<Misfit>) -> Document {
    let key = TenantKey::new(Some(&metadata.namespace), &metadata.name);
    let is_of_another_version = misfits.iter().any(|misfit| misfit.field == "apiVersion");
    let Typed { value, unknown } = typed::<WhatsAppTenantSpec>(raw, "spec");
    misfits.extend(unknown);
    let broken = match &value {
        Ok(spec) => rules::of_tenant(&metadata.name, spec),
        Err(misfit) => vec![misfit.clone()],
    };
    let is_sound = broken.is_empty() && !is_of_another_version;
    misfits.extend(broken);
    let content = match value {
        Ok(spec) if is_sound => Content::Tenant(Box::new(TenantManifest {
            key,
            namespace: metadata.namespace,
            uid: metadata.uid,
            spec,
            raw: raw.clone(),
            file: file.to_owned(),
        })),
        _ => Content::BrokenTenant(key),
    };
    Document { content, misfits }
}

/// A field that is not known stops a Flow: without it the conversation would say something else than its author wrote.
fn flow(file: &str, metadata: Metadata, raw: &Value, mut misfits: Vec<Misfit>) -> Document {
    let Typed { value, unknown } = typed::<FlowSpec>(raw, "spec");
    misfits.extend(unknown);
    let spec = match value {
        Ok(spec) if misfits.is_empty() => Ok(spec),
        Ok(_) => Err(findings(&misfits)),
        Err(misfit) => {
            misfits.push(misfit);
            Err(findings(&misfits))
        }
    };
    let computed = flow_revision(raw);
    let revision = metadata.annotations.get(labels::REVISION).cloned().unwrap_or_else(|| computed.clone());
    if revision != computed {
        let message = format!("{revision:?} is not the revision of this spec ({computed}): remove the annotation");
        misfits.push(Misfit { field: format!("metadata.annotations[{}]", labels::REVISION), message });
    }
    let tenant = raw["tenantRef"]["name"].as_str().map(|name| TenantKey::new(Some(&metadata.namespace), name));
    let Metadata { namespace, name, .. } = metadata;
    let manifest =
        FlowManifest { namespace, name, tenant, revision, spec, text: canonical(raw), file: file.to_owned() };
    Document { content: Content::Flow(Box::new(manifest)), misfits }
}

fn findings(misfits: &[Misfit]) -> Vec<Finding> {
    let finding = |misfit: &Misfit| Finding {
        severity: Severity::Error,
        node: None,
        field: misfit.field.clone(),
        message: misfit.message.clone(),
    };
    misfits.iter().map(finding).collect()
}

fn secret(file: &str, metadata: Metadata, value: &Value, mut misfits: Vec<Misfit>) -> Document {
    let Ok(secret) = typed::<SecretData>(value, "").value else {
        // Without the error's own words: they may quote a value.
        let message = "not all of data and stringData is text: quote what is not".to_owned();
        misfits.push(Misfit { field: "data".to_owned(), message });
        return Document { content: Content::Unreadable, misfits };
    };
    let mut data = Data::default();
    for (key, encoded) in secret.data {
        match BASE64_STANDARD.decode(encoded.trim()) {
            Ok(bytes) => drop(data.0.insert(key, bytes)),
            Err(_) => {
                let message = "no base64: encode it, or write it under stringData as it is".to_owned();
                misfits.push(Misfit { field: format!("data[{key}]"), message });
            }
        }
    }
    data.0.extend(secret.string_data.into_iter().map(|(key, text)| (key, text.into_bytes())));
    let Metadata { namespace, name, .. } = metadata;
    Document { content: Content::Secret(SecretManifest { namespace, name, data, file: file.to_owned() }), misfits }
}

fn default_namespace() -> String {
    "default".to_owned()
}

// === impl SecretManifest ===

impl std::fmt::Debug for SecretManifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretManifest({}/{})", self.namespace, self.name)
    }
}
