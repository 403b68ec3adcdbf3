//! The folders, read into a configuration. Where a manifest is broken, what the previous configuration had of it stays.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::Path,
    sync::Arc,
};

use wigwag_crds::{
    WhatsAppTenantSpec,
    flow::{Finding, Severity},
    revision::{config_revision, secret_mark},
    tenant::{CloudApi, cloud_api_keys as keys},
};
use wigwag_domain::{ProviderName, TenantKey};
use wigwag_flow::{Compiled, Program, compile};
use wigwag_providers::{
    Provider,
    cloud_api::{self, Credentials},
};

use super::{
    Channel, Config, LoadedFlow, Runtime, Tenant, configz,
    entrusted::Entrusted,
    folder::Folder,
    links,
    manifest::{FlowManifest, TenantManifest},
    secrets::{Data, Secrets},
};

/// A configuration, and whether it is news.
#[derive(Debug)]
pub struct Loaded {
    /// What should run.
    pub config: Config,
    /// Something is other than in the previous configuration.
    pub changed: bool,
}

/// The Flows of a tenant: those that run, and the findings of those that do not.
#[derive(Default)]
struct Flows {
    running: Vec<LoadedFlow>,
    refused: BTreeMap<String, Vec<Finding>>,
}

/// Reads both folders. Never fails: what cannot be read stays as it was in `previous`, and is a problem.
#[must_use]
pub fn load(config_dir: &Path, secrets_dir: &Path, previous: Option<&Config>) -> Loaded {
    let none = Config::default();
    let before = previous.unwrap_or(&none);
    let mut folder = Folder::read(config_dir);
    let mut problems = std::mem::take(&mut folder.problems);
    for (key, secret) in &before.secrets {
        if folder.may_hold(&secret.file) {
            folder.secrets.entry(key.clone()).or_insert_with(|| secret.clone());
        }
    }
    let mut flows = flows(&mut folder, before, &mut problems);
    let manifests = tenants(&mut folder, before);

    let references = manifests
        .iter()
        .flat_map(|tenant| tenant.spec.loaded_secrets().into_iter().map(|name| (tenant.namespace.as_str(), name)));
    let secrets = Secrets::new(secrets_dir, &folder.secrets, references);
    let tenants: BTreeMap<_, _> = manifests
        .iter()
        .map(|manifest| {
            let mut flows = flows.remove(&manifest.key).unwrap_or_default();
            flows.find_links(&manifest.spec);
            (manifest.key.clone(), Arc::new(tenant(manifest, flows, &secrets, &mut problems)))
        })
        .collect();

    problems.extend(homeless(&flows, &folder));
    problems.extend(shared_hosts(&tenants));
    let config = Config { tenants, problems, secrets: folder.secrets };
    Loaded { changed: previous.is_none_or(|previous| differ(previous, &config)), config }
}

/// The tenants to build: the sound ones of the folder, and those of before that may still be in it.
fn tenants(folder: &mut Folder, before: &Config) -> Vec<Arc<TenantManifest>> {
    let mut manifests: BTreeMap<TenantKey, Arc<TenantManifest>> =
        std::mem::take(&mut folder.tenants).into_iter().map(|(key, manifest)| (key, Arc::new(manifest))).collect();
    for (key, tenant) in &before.tenants {
        if folder.broken_tenants.contains(key) || folder.may_hold(&tenant.manifest.file) {
            manifests.entry(key.clone()).or_insert_with(|| tenant.manifest.clone());
        }
    }
    manifests.into_values().collect()
}

/// The Flows of each tenant: compiled, or as they were before.
fn flows(folder: &mut Folder, before: &Config, problems: &mut Vec<String>) -> BTreeMap<TenantKey, Flows> {
    let mut flows = BTreeMap::<TenantKey, Flows>::new();
    for (key, tenant) in &before.tenants {
        for flow in &tenant.flows {
            let id = (tenant.manifest.namespace.clone(), flow.program.name().to_owned());
            if !folder.flows.contains_key(&id) && folder.may_hold(&flow.file) {
                flows.entry(key.clone()).or_default().running.push(flow.clone());
            }
        }
    }
    for manifest in folder.flows.values() {
        let last = before.flow(manifest);
        let Some(tenant) = manifest.tenant.as_ref().or(last.map(|(tenant, _)| tenant)) else { continue };
        let of_tenant = flows.entry(tenant.clone()).or_default();
        let Compiled { program, findings } = match &manifest.spec {
            Ok(spec) => compile(&manifest.name, &manifest.revision, spec),
            Err(findings) => Compiled { program: None, findings: findings.clone() },
        };
        if manifest.spec.is_ok() {
            let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            problems.extend(errors.map(|finding| format!("{}: {finding}", manifest.file)));
        }
        match (program, last.filter(|(of, _)| *of == tenant)) {
            (Some(program), _) => {
                let (spec, file) = (manifest.text.clone(), manifest.file.clone());
                of_tenant.running.push(LoadedFlow { program, spec, findings, file });
            }
            (None, Some((_, last))) => {
                of_tenant.running.push(LoadedFlow { findings, file: manifest.file.clone(), ..last.clone() });
            }
            (None, None) => {
                of_tenant.refused.insert(manifest.name.clone(), findings);
            }
        }
    }
    for of_tenant in flows.values_mut() {
        of_tenant.running.sort_by(|a, b| a.program.name().cmp(b.program.name()));
    }
    flows
}

fn tenant(manifest: &Arc<TenantManifest>, flows: Flows, secrets: &Secrets<'_>, problems: &mut Vec<String>) -> Tenant {
    let mut found = BTreeMap::<&str, Data>::new();
    for name in manifest.spec.loaded_secrets() {
        match secrets.get(&manifest.namespace, name) {
            Ok(data) => drop(data.map(|data| found.insert(name, data))),
            Err(why) => problems.push(why),
        }
    }
    let names = flows.running.iter().map(|flow| flow.program.name()).collect();
    let (conversation, mut findings) = wigwag_flow::Tenant::compile(&manifest.spec);
    findings.extend(links::of_tenant(&manifest.spec, &names));
    problems.extend(findings.iter().map(|finding| format!("{}: spec.{finding}", manifest.file)));
    let mut entrusted = Entrusted { manifest, secrets: &found, problems };
    let (policy, tokens) = (Arc::new(entrusted.policy()), entrusted.tokens());
    let mark = |data: &Data| secret_mark(&manifest.uid, data.0.iter().map(|(k, v)| (k.as_str(), v.as_slice())));
    let revisions = flows.running.iter().map(|flow| (flow.program.name(), flow.program.revision()));
    Tenant {
        key: manifest.key.clone(),
        host: manifest.spec.route.as_ref().map(|route| route.host.clone()),
        base_url: manifest.spec.base_url(),
        revision: config_revision(&manifest.raw, revisions),
        channels: manifest
            .cloud_apis()
            .map(|(name, spec)| {
                let data = found.get(spec.credentials_secret_ref.name.as_str());
                (name.clone(), channel(manifest, name, spec, data))
            })
            .collect(),
        secret_marks: found.iter().map(|(name, data)| ((*name).to_owned(), mark(data))).collect(),
        flows: flows.running,
        refused: flows.refused,
        conversation,
        policy,
        tokens,
        manifest: manifest.clone(),
    }
}

fn channel(manifest: &TenantManifest, name: ProviderName, spec: &CloudApi, data: Option<&Data>) -> Channel {
    let none = Data::default();
    let data = data.unwrap_or(&none);
    let secret = &spec.credentials_secret_ref.name;
    let mut missing = Vec::new();
    let mut line = |key: &str| {
        data.line(key).unwrap_or_else(|why| {
            missing.push(format!("{secret}/{key}{why}"));
            String::new()
        })
    };
    let credentials = Credentials {
        access_token: line(keys::ACCESS_TOKEN),
        app_secret: line(keys::APP_SECRET),
        verify_token: line(keys::VERIFY_TOKEN),
    };
    let token_mark = match credentials.access_token.as_str() {
        "" => String::new(),
        token => secret_mark(&manifest.uid, [(keys::ACCESS_TOKEN, token.as_bytes())]),
    };
    let siblings = manifest.cloud_apis().map(|(name, spec)| (spec.phone_number_id.clone(), name));
    let adapter = missing.is_empty().then(|| {
        let adapter = cloud_api::adapter(&name, spec, credentials).with_siblings(siblings);
        Arc::new(adapter) as Arc<dyn Provider>
    });
    Channel { name, adapter, missing, throughput: spec.throughput, token_mark }
}

/// Flows whose tenant is not here.
fn homeless(flows: &BTreeMap<TenantKey, Flows>, folder: &Folder) -> Vec<String> {
    let of_nobody = folder.flows.values().filter_map(|flow| Some((flow, flow.tenant.as_ref()?)));
    of_nobody
        .filter(|(_, tenant)| flows.contains_key(tenant))
        .map(|(flow, tenant)| {
            format!("{}: spec.tenantRef.name: no tenant {tenant} is here: add it, or name one that is", flow.file)
        })
        .collect()
}

fn shared_hosts(tenants: &BTreeMap<TenantKey, Arc<Tenant>>) -> Vec<String> {
    let mut hosts = BTreeMap::new();
    let mut problems = Vec::new();
    for tenant in tenants.values() {
        let Some(host) = &tenant.host else { continue };
        if let Some(first) = hosts.insert(host, &tenant.key) {
            hosts.insert(host, first);
            let file = &tenant.manifest.file;
            problems.push(format!(
                "{file}: spec.route.host: tenant {first} has the host {host} too and gets its requests: choose another"
            ));
        }
    }
    problems
}

/// Whether a reader of `/configz`, or a session, would see the difference.
fn differ(a: &Config, b: &Config) -> bool {
    let texts = |config: &Config| -> HashSet<String> {
        config.tenants.values().flat_map(|tenant| &tenant.flows).map(|flow| flow.spec.clone()).collect()
    };
    let shown = |config| configz(config, &Runtime::default());
    shown(a) != shown(b) || texts(a) != texts(b)
}

// === impl Flows ===

impl Flows {
    /// Adds what is found between Flows, and between them and their tenant.
    fn find_links(&mut self, tenant: &WhatsAppTenantSpec) {
        let programs: Vec<&Program> = self.running.iter().map(|flow| &flow.program).collect();
        let mut found = links::between(&programs);
        let names: BTreeSet<_> = programs.iter().map(|program| program.name()).collect();
        for flow in &self.running {
            // What runs was read from this text.
            let Ok(spec) = serde_json::from_str(&flow.spec) else { continue };
            let of_flow = links::of_flow(&spec, &names, Some(tenant));
            found.extend(of_flow.into_iter().map(|finding| (flow.program.name().to_owned(), finding)));
        }
        for (name, finding) in found {
            let flow = self.running.iter_mut().find(|flow| flow.program.name() == name);
            if let Some(flow) = flow.filter(|flow| !flow.findings.contains(&finding)) {
                flow.findings.push(finding);
            }
        }
    }
}

// === impl Config ===

impl Config {
    /// What runs of a Flow, and of which tenant of its namespace.
    fn flow(&self, manifest: &FlowManifest) -> Option<(&TenantKey, &LoadedFlow)> {
        let tenants = self.tenants.iter().filter(|(_, tenant)| tenant.manifest.namespace == manifest.namespace);
        let mut flows = tenants.flat_map(|(key, tenant)| tenant.flows.iter().map(move |flow| (key, flow)));
        flows.find(|(_, flow)| flow.program.name() == manifest.name)
    }
}

// === impl TenantManifest ===

impl TenantManifest {
    fn cloud_apis(&self) -> impl Iterator<Item = (ProviderName, &CloudApi)> {
        let of_kind = self.spec.providers.iter().filter_map(|p| Some((p.name.as_str(), p.cloud_api.as_ref()?)));
        of_kind.map(|(name, spec)| (ProviderName::new(name), spec))
    }
}
