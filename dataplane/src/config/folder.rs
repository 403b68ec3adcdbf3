//! The files of the configuration's folder: every `*.yaml` and `*.yml` of it, not of folders within, through symlinks,
//! as a ConfigMap's volume has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use wigwag_domain::TenantKey;

use super::manifest::{Content, Document, FlowManifest, SecretManifest, TenantManifest, documents};

/// What all files hold together.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) tenants: BTreeMap<TenantKey, TenantManifest>,
    pub(super) broken_tenants: BTreeSet<TenantKey>,
    /// By namespace and name.
    pub(super) flows: BTreeMap<(String, String), FlowManifest>,
    /// By namespace and name.
    pub(super) secrets: BTreeMap<(String, String), SecretManifest>,
    /// Files of which we do not know what they hold; [`Self::UNKNOWN`] if we do not even know the files.
    unreadable: BTreeSet<String>,
    pub(super) problems: Vec<String>,
}

impl Folder {
    /// Stands for all files.
    const UNKNOWN: &str = "";

    pub(super) fn read(dir: &Path) -> Self {
        let mut folder = Self::default();
        match manifest_files(dir) {
            Ok(files) => files.iter().for_each(|file| folder.add_file(file)),
            Err(error) => {
                folder.problems.push(format!("{}: the folder cannot be read: {error}", dir.display()));
                folder.unreadable.insert(Self::UNKNOWN.to_owned());
            }
        }
        folder
    }

    /// Whether what a file held may still be in it.
    pub(super) fn may_hold(&self, file: &str) -> bool {
        self.unreadable.contains(file) || self.unreadable.contains(Self::UNKNOWN)
    }

    fn add_file(&mut self, path: &Path) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let read = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"));
        match read.and_then(|text| documents(&file, &text)) {
            Ok(documents) => documents.into_iter().for_each(|document| self.add(&file, document)),
            Err(why) => {
                self.problems.push(format!("{file}: {why}"));
                self.unreadable.insert(file.into_owned());
            }
        }
    }

    fn add(&mut self, file: &str, document: Document) {
        let Document { content, misfits } = document;
        self.problems.extend(misfits.iter().map(|misfit| format!("{file}: {misfit}")));
        let repeated = match content {
            Content::Foreign => None,
            Content::Unreadable => {
                self.unreadable.insert(file.to_owned());
                None
            }
            Content::BrokenTenant(key) => {
                self.broken_tenants.insert(key);
                None
            }
            Content::Tenant(manifest) => {
                let name = format!("WhatsAppTenant {}", manifest.key);
                insert(&mut self.tenants, manifest.key.clone(), *manifest).then_some(name)
            }
            Content::Flow(manifest) => {
                let name = format!("Flow {}/{}", manifest.namespace, manifest.name);
                let key = (manifest.namespace.clone(), manifest.name.clone());
                insert(&mut self.flows, key, *manifest).then_some(name)
            }
            Content::Secret(manifest) => {
                let name = format!("Secret {}/{}", manifest.namespace, manifest.name);
                insert(&mut self.secrets, (manifest.namespace.clone(), manifest.name.clone()), manifest).then_some(name)
            }
        };
        if let Some(name) = repeated {
            self.problems.push(format!("{file}: {name} stands in another manifest too, which is used: remove one"));
        }
    }
}

/// Puts it in, unless something is there; then says so.
fn insert<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) -> bool {
    if map.contains_key(&key) {
        return true;
    }
    map.insert(key, value);
    false
}

/// Manifests of a folder by name; hidden files are editors' own.
fn manifest_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_yaml && !is_hidden && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
