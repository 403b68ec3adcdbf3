//! The ConfigMap: the tenant's manifest and its Flows as plain YAML, which the data plane reads as files and an SRE
//! reads as they are.
//!
//! A Flow whose new text does not compile keeps its last good text, taken from the ConfigMap as it stands: a broken
//! edit goes on running the old one. What does not fit keeps the whole last good ConfigMap.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use wigwag_crds::{Flow, WhatsAppTenant, labels::REVISION, manifest::to_yaml, revision::config_revision};

use super::Owner;
use crate::{error::Error, flow::check::Checked, raw::Raw};

/// The API server takes objects of 1 MiB at most; metadata and managed fields need their share.
pub const LIMIT: usize = 900 << 10;

const TENANT_FILE: &str = "tenant.yaml";

/// The files of a tenant's data plane, and what they amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Configuration revision.
    pub revision: String,
    /// Revision of each Flow.
    pub flows: BTreeMap<String, String>,
    /// Content by file name.
    pub files: BTreeMap<String, String>,
}

/// A configuration that may not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Give this to the data plane.
    Give(Config),
    /// It does not fit: leave the last good one, if there is one.
    TooLarge {
        /// Size of what was to be written, in bytes.
        size: usize,
        /// The largest file, and its size in bytes.
        largest: (String, usize),
        /// What goes on running.
        kept: Option<Config>,
    },
}

// === impl Config ===

impl Config {
    /// Renders the tenant and its Flows, each with its check, over what stood there before.
    ///
    /// # Errors
    /// When a manifest cannot be written as YAML.
    pub fn plan(
        tenant: &Raw<WhatsAppTenant>,
        flows: &[(Raw<Flow>, Checked)],
        last: Option<Self>,
    ) -> Result<Plan, Error> {
        let mut config = Self::default();
        for (flow, checked) in flows {
            let name = flow.name_any();
            let file = flow_file(&name);
            let (revision, text) = if checked.runs {
                (checked.revision.clone(), manifest(flow, &checked.revision, None)?)
            } else {
                let Some((revision, text)) = last.as_ref().and_then(|last| last.flow(&name)) else { continue };
                (revision, text)
            };
            config.files.insert(file, text);
            config.flows.insert(name, revision);
        }
        let revisions = config.flows.iter().map(|(name, revision)| (name.as_str(), revision.as_str()));
        config.revision = config_revision(&tenant.spec, revisions);
        // The UID is the salt of the marks by which Secrets are compared, see `secret_mark`.
        config.files.insert(TENANT_FILE.to_owned(), manifest(tenant, &config.revision, tenant.uid())?);

        let size = config.files.iter().map(|(name, text)| name.len() + text.len()).sum();
        if size <= LIMIT {
            return Ok(Plan::Give(config));
        }
        let largest = config.files.into_iter().map(|(name, text)| (name, text.len())).max_by_key(|(_, size)| *size);
        Ok(Plan::TooLarge { size, largest: largest.unwrap_or_default(), kept: last })
    }

    /// Reads back what was written before; `None` where it does not read.
    #[must_use]
    pub fn read(config_map: &ConfigMap) -> Option<Self> {
        let files = config_map.data.clone()?;
        let revision = revision_in(files.get(TENANT_FILE)?)?;
        let flows = files.iter().filter_map(|(file, text)| Some((flow_name(file)?.to_owned(), revision_in(text)?)));
        Some(Self { revision, flows: flows.collect(), files })
    }

    /// The ConfigMap that holds the files.
    #[must_use]
    pub fn config_map(&self, owner: &Owner) -> ConfigMap {
        ConfigMap { metadata: owner.metadata(), data: Some(self.files.clone()), ..ConfigMap::default() }
    }

    fn flow(&self, name: &str) -> Option<(String, String)> {
        Some((self.flows.get(name)?.clone(), self.files.get(&flow_file(name))?.clone()))
    }
}

// === impl Plan ===

impl Plan {
    /// What the data plane has after this: the new configuration, or the one that was kept.
    #[must_use]
    pub const fn given(&self) -> Option<&Config> {
        match self {
            Self::Give(config) => Some(config),
            Self::TooLarge { kept, .. } => kept.as_ref(),
        }
    }
}

fn flow_file(name: &str) -> String {
    format!("flow-{name}.yaml")
}

fn flow_name(file: &str) -> Option<&str> {
    file.strip_prefix("flow-")?.strip_suffix(".yaml")
}

/// The object as a person would write it: nothing that the API server adds, but what the data plane needs.
fn manifest<K>(object: &Raw<K>, revision: &str, uid: Option<String>) -> Result<String, Error>
where
    K: Resource<DynamicType = ()>,
{
    let mut metadata = json!({"name": object.name_any(), "namespace": object.namespace()});
    if let Some(uid) = uid {
        metadata["uid"] = json!(uid);
    }
    metadata["annotations"] = json!({REVISION: revision});
    let manifest = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": metadata,
        "spec": object.spec,
    });
    to_yaml(&manifest).map_err(|error| Error::Manifest {
        what: format!("{} {:?}", K::kind(&()), object.name_any()),
        cause: error.to_string(),
    })
}

fn revision_in(text: &str) -> Option<String> {
    let manifest: Value = serde_saphyr::from_str(text).ok()?;
    manifest["metadata"]["annotations"][REVISION].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tenant::build::tests::{owner, spec};

    fn tenant() -> Raw<WhatsAppTenant> {
        Raw::of("acme", spec())
    }

    fn flow(name: &str, text: &str) -> Raw<Flow> {
        Raw::of(name, json!({"tenantRef": {"name": "acme"}, "nodes": [{"name": "a", "message": {"text": text}}]}))
    }

    fn checked(revision: &str, runs: bool) -> Checked {
        Checked { revision: revision.to_owned(), runs, findings: Vec::new(), nodes: BTreeSet::new() }
    }

    fn give(flows: &[(Raw<Flow>, Checked)], last: Option<Config>) -> Config {
        match Config::plan(&tenant(), flows, last).expect("yaml") {
            Plan::Give(config) => config,
            Plan::TooLarge { size, .. } => unreachable!("{size} bytes fit"),
        }
    }

    #[test]
    fn the_files_are_manifests_that_read_back_with_the_same_revision() {
        let config = give(&[(flow("welcome", "Hola: {{ contact.name }}"), checked("aaa", true))], None);
        let written: Value = serde_saphyr::from_str(&config.files["tenant.yaml"]).expect("yaml");
        assert_eq!(written["kind"], "WhatsAppTenant");
        assert_eq!(written["apiVersion"], "wigwag.dev/v1alpha1");
        assert_eq!(written["metadata"]["uid"], "uid-of-acme");
        assert_eq!(written["spec"], spec());
        assert_eq!(config_revision(&written["spec"], [("welcome", "aaa")]), config.revision);
        let written: Value = serde_saphyr::from_str(&config.files["flow-welcome.yaml"]).expect("yaml");
        assert_eq!(written["metadata"]["annotations"]["wigwag.dev/revision"], "aaa");
        assert_eq!(Config::read(&config.config_map(&owner())), Some(config));
    }

    #[test]
    fn a_broken_flow_goes_on_with_its_last_good_text_and_a_new_broken_one_is_left_out() {
        let good =
            give(&[(flow("welcome", "old"), checked("aaa", true)), (flow("other", "x"), checked("ccc", true))], None);
        let flows =
            [(flow("welcome", "broken"), checked("bbb", false)), (flow("new", "broken"), checked("ddd", false))];
        let kept = give(&flows, Some(good.clone()));
        assert_eq!(kept.files["flow-welcome.yaml"], good.files["flow-welcome.yaml"]);
        assert_eq!(kept.flows, BTreeMap::from([("welcome".to_owned(), "aaa".to_owned())]), "other was deleted");
        let again = give(&flows, Some(kept.clone()));
        assert_eq!(again, kept, "nothing changes by itself");
    }

    #[test]
    fn what_does_not_fit_keeps_what_ran_and_names_the_largest_file() {
        let good = give(&[(flow("welcome", "old"), checked("aaa", true))], None);
        let flows =
            [(flow("big", &"x".repeat(LIMIT)), checked("bbb", true)), (flow("welcome", "new"), checked("ccc", true))];
        let Plan::TooLarge { size, largest, kept } = Config::plan(&tenant(), &flows, Some(good.clone())).expect("yaml")
        else {
            unreachable!("it must not fit")
        };
        assert!(size > LIMIT);
        assert_eq!(largest.0, "flow-big.yaml");
        assert_eq!(kept, Some(good));
    }
}
