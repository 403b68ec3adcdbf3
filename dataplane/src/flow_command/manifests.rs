//! The manifests that a command about Flows is given: files, or folders of them, as `kubectl apply` takes them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use serde_json::Value;
use wigwag_crds::flow::Severity;
use wigwag_flow::{Program, ResumeKey, Tenant, compile};

use crate::{
    config::manifest::{Content, Document, FlowManifest, TenantManifest, documents},
    named_files::{Named, named},
};

/// Where conversations are resumed whose tenant has no host.
const NOWHERE: &str = "https://acme.example";

/// What stands in the files.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub flows: Vec<FlowManifest>,
    pub tenants: Vec<TenantManifest>,
    /// Folders in the folders that were named. They are not read: scripts lie there, and what else is no manifest.
    pub folders: Vec<PathBuf>,
}

/// A tenant with its Flows, as conversations need them.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub flows: Vec<Program>,
    pub tenant: Tenant,
    pub zone: TimeZone,
}

impl Manifests {
    /// Reads files, and the manifests of folders. A list in a folder is a script, and left out.
    ///
    /// # Errors
    /// One line for each thing that cannot be read.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Vec<String>> {
        let mut read = Self::default();
        let mut problems = Vec::new();
        for path in paths {
            match named(path) {
                Ok(Named { files, folders }) => {
                    files.iter().for_each(|file| read.add(file, path.is_dir(), &mut problems));
                    read.folders.extend(folders);
                }
                Err(error) => problems.push(format!("{}: cannot be read: {error}", path.display())),
            }
        }
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }

    fn add(&mut self, path: &Path, is_of_folder: bool, problems: &mut Vec<String>) {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"));
        if is_of_folder && text.as_ref().is_ok_and(|text| is_list(text)) {
            return;
        }
        match text.and_then(|text| documents(&file, &text)) {
            Err(why) => problems.push(format!("{file}: {why}")),
            Ok(documents) => {
                for Document { content, misfits } in documents {
                    match content {
                        Content::Flow(flow) => self.flows.push(*flow),
                        Content::Tenant(tenant) => self.tenants.push(*tenant),
                        Content::BrokenTenant(_) | Content::Unreadable => {
                            problems.extend(misfits.iter().map(|misfit| format!("{file}: {misfit}")));
                        }
                        Content::Secret(_) | Content::Foreign => {}
                    }
                }
            }
        }
    }

    /// What to name instead, where there is no Flow.
    pub fn no_flow(&self) -> String {
        if self.folders.is_empty() {
            return "there is no Flow in these files: name a file with one".to_owned();
        }
        let holds_one = |folder: &&PathBuf| {
            Self::read(std::slice::from_ref(*folder)).is_ok_and(|manifests| !manifests.flows.is_empty())
        };
        let such_as = self.folders.iter().find(holds_one).map(|folder| format!(", such as {}", folder.display()));
        format!(
            "there is no Flow in these files, and folders within a folder are not read: name the one with the Flow{}",
            such_as.unwrap_or_default()
        )
    }

    /// The Flows of one tenant, compiled, with what the tenant gives them: its manifest, where it stands among these.
    ///
    /// # Errors
    /// One line for each thing because of which they cannot run.
    pub fn setting(&self) -> Result<Setting, Vec<String>> {
        let mut problems = Vec::new();
        let flows: Vec<Program> = self.flows.iter().filter_map(|flow| program(flow, &mut problems)).collect();
        let mut keys: Vec<_> = self.flows.iter().filter_map(|flow| flow.tenant.as_ref()).collect();
        keys.sort_unstable();
        keys.dedup();
        match keys.as_slice() {
            [] if problems.is_empty() => {
                problems.push(self.no_flow());
            }
            [first, second, ..] => {
                problems.push(format!("the Flows are of {first} and of {second}: name the files of one tenant"));
            }
            _ => {}
        }
        let manifest = self.tenants.iter().find(|tenant| keys.first() == Some(&&tenant.key));
        let (tenant, zone) = tenant(manifest, ResumeKey::new([7; 32]), &mut problems);
        if problems.is_empty() { Ok(Setting { flows, tenant, zone }) } else { Err(problems) }
    }
}

/// A Flow, compiled; what keeps it from running is told.
pub(super) fn program(flow: &FlowManifest, problems: &mut Vec<String>) -> Option<Program> {
    let (program, findings) = match &flow.spec {
        Ok(spec) => {
            let compiled = compile(&flow.name, &flow.revision, spec);
            (compiled.program, compiled.findings)
        }
        Err(findings) => (None, findings.clone()),
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    problems.extend(errors.map(|finding| format!("{}: {finding}", flow.file)));
    program
}

/// What a tenant gives its conversations, and its time zone; without a manifest what a manifest has unless it says
/// otherwise.
pub(super) fn tenant(
    manifest: Option<&TenantManifest>,
    key: ResumeKey,
    problems: &mut Vec<String>,
) -> (Tenant, TimeZone) {
    let Some(manifest) = manifest else {
        return (Tenant::default().with_resume(NOWHERE.to_owned(), key), TimeZone::UTC);
    };
    let (tenant, findings) = Tenant::compile(&manifest.spec);
    problems.extend(findings.iter().map(|finding| format!("{}: spec.{finding}", manifest.file)));
    let zone = TimeZone::get(&manifest.spec.locale.timezone).unwrap_or(TimeZone::UTC);
    match manifest.spec.base_url() {
        Some(base) => (tenant.with_resume(base, key), zone),
        None => (tenant, zone),
    }
}

fn is_list(text: &str) -> bool {
    serde_saphyr::from_str::<Value>(text).is_ok_and(|value| value.is_array())
}
