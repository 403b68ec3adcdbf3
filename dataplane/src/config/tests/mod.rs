//! The loader over real folders.
#![allow(clippy::unwrap_used, clippy::panic)]

mod entrusting;
mod keeping;
mod reading;
mod watching;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;
use wigwag_crds::{
    flow::Severity,
    revision::{config_revision, flow_revision, secret_mark},
};

use super::*;

const ACME: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: WhatsAppTenant
metadata: {name: acme, uid: uid-of-acme}
spec:
  providers:
  - name: primary
    cloudApi: {phoneNumberId: '1065', credentialsSecretRef: {name: acme-meta}}
  route: {host: acme.localhost}
  database: {secretRef: {name: acme-database, key: url}}
";

/// Two folders of a test.
struct Bed {
    _dir: TempDir,
    config: PathBuf,
    secrets: PathBuf,
}

impl Bed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [config, secrets] = ["config", "secrets"].map(|name| dir.path().join(name));
        fs::create_dir(&config).unwrap();
        fs::create_dir(&secrets).unwrap();
        Self { _dir: dir, config, secrets }
    }

    /// With the tenant of [`ACME`], its Secret, and a Flow.
    fn acme() -> Self {
        let bed = Self::new();
        bed.write("tenant.yaml", ACME);
        bed.write("flow-welcome.yaml", &flow("welcome", "acme", "Hola"));
        bed.meta_secret("acme-meta");
        bed
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.config.join(file), text).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.config.join(file)).unwrap();
    }

    fn secret(&self, name: &str, key: &str, value: &[u8]) {
        fs::create_dir_all(self.secrets.join(name)).unwrap();
        fs::write(self.secrets.join(name).join(key), value).unwrap();
    }

    fn meta_secret(&self, name: &str) {
        for key in ["access-token", "app-secret", "verify-token"] {
            self.secret(name, key, format!("{name}'s {key}\n").as_bytes());
        }
    }

    fn load(&self, previous: Option<&Config>) -> Config {
        load(&self.config, &self.secrets, previous).config
    }
}

/// Fills a folder as the kubelet fills a volume: files are links into `..data`, which is a link to a folder of this
/// version, swapped by renaming.
fn mount(volume: &Path, version: &str, files: &[(&str, &str)]) {
    fs::create_dir_all(volume.join(version)).unwrap();
    for (name, text) in files {
        fs::write(volume.join(version).join(name), text).unwrap();
    }
    symlink(version, volume.join("..data_tmp")).unwrap();
    fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
    for (name, _) in files {
        if fs::symlink_metadata(volume.join(name)).is_err() {
            symlink(format!("..data/{name}"), volume.join(name)).unwrap();
        }
    }
}

fn flow(name: &str, tenant: &str, text: &str) -> String {
    format!(
        "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {{name: {name}}}
spec:
  tenantRef: {{name: {tenant}}}
  triggers: [{{keyword: {name}}}]
  start: hi
  nodes:
  - {{name: hi, message: {{text: {text}}}}}
"
    )
}

fn spec(manifest: &str) -> Value {
    let manifest: Value = serde_saphyr::from_str(manifest).unwrap();
    manifest["spec"].clone()
}

fn acme(config: &Config) -> &Tenant {
    config.tenants.get(&TenantKey::new(None, "acme")).unwrap()
}

fn revisions(tenant: &Tenant) -> Vec<(&str, &str)> {
    tenant.flows.iter().map(|flow| (flow.program.name(), flow.program.revision())).collect()
}
