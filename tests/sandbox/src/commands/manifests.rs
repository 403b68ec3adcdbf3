//! What the commands need of a folder of manifests: the provider accounts that the simulator plays. The data plane, or
//! the API server, reads the same files for itself and is the one to complain.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use wigwag_crds::WhatsAppTenantSpec;
use wigwag_crds::tenant::{CloudApi, Provider, cloud_api_keys as keys};
use wigwag_simulator::Number;

/// A number on the Cloud API, with whose it is.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Name of the tenant.
    pub(super) tenant: String,
    /// Name of the business as people know it.
    pub(super) business: String,
    /// Name of the provider account within the tenant.
    pub(super) provider: String,
    /// The simulator's address as the manifest names it.
    pub(super) graph: SocketAddr,
    /// The spec of the tenant.
    pub(super) spec: WhatsAppTenantSpec,
    /// What is registered at the simulator; its webhook URL is still to be filled in.
    pub(super) number: Number,
}

/// What a folder holds for the simulator.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The accounts that it plays.
    pub(super) accounts: Vec<Account>,
    /// Why it plays others not, a line each.
    pub(super) left_out: Vec<String>,
}

/// Secrets by namespace and name.
type Secrets = BTreeMap<(String, String), BTreeMap<String, String>>;

/// The accounts of a folder: those that have all credentials beside them, and a `baseUrl` on this machine.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn find(folder: &Path) -> Result<Found> {
    let documents = documents(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let secrets: Secrets = of_kind(&documents, "Secret").map(|secret| (key(secret), data(secret))).collect();
    let mut found = Found::default();
    for document in of_kind(&documents, "WhatsAppTenant") {
        let (namespace, tenant) = key(document);
        let spec = match serde_json::from_value::<WhatsAppTenantSpec>(document["spec"].clone()) {
            Ok(spec) => spec,
            Err(error) => {
                found.left_out.push(format!("tenant {tenant}: spec: {error}"));
                continue;
            }
        };
        for provider in &spec.providers {
            match account(&namespace, &tenant, &spec, provider, &secrets) {
                Ok(account) => found.accounts.push(account),
                Err(why) => found.left_out.push(format!("tenant {tenant}, provider {}: {why}", provider.name)),
            }
        }
    }
    Ok(found)
}

fn account(
    namespace: &str,
    tenant: &str,
    spec: &WhatsAppTenantSpec,
    provider: &Provider,
    secrets: &Secrets,
) -> Result<Account> {
    let api = provider.cloud_api.as_ref().context("it has no cloudApi")?;
    let address = api.base_url.strip_prefix("http://").and_then(|address| address.parse::<SocketAddr>().ok());
    let graph = address.filter(|address| address.ip().is_loopback());
    let name = &api.credentials_secret_ref.name;
    let secret = secrets.get(&(namespace.to_owned(), name.clone()));
    Ok(Account {
        tenant: tenant.to_owned(),
        business: spec.display_name.clone().unwrap_or_else(|| tenant.to_owned()),
        provider: provider.name.clone(),
        graph: graph.with_context(|| {
            let base_url = &api.base_url;
            format!("its cloudApi.baseUrl is {base_url}, not the simulator's, such as http://127.0.0.1:8190")
        })?,
        spec: spec.clone(),
        number: number(api, secret.with_context(|| format!("Secret {name} is not among the manifests"))?)?,
    })
}

fn number(api: &CloudApi, secret: &BTreeMap<String, String>) -> Result<Number> {
    let line = |key: &str| {
        let value = secret.get(key).with_context(|| format!("Secret {} has no {key}", api.credentials_secret_ref.name));
        value.map(|value| value.trim_end_matches(['\r', '\n']).to_owned())
    };
    let mut number = Number::new(&api.phone_number_id, "");
    number.access_tokens = vec![line(keys::ACCESS_TOKEN)?];
    number.app_secret = line(keys::APP_SECRET)?;
    number.verify_token = line(keys::VERIFY_TOKEN)?;
    if let Some(account) = &api.business_account_id {
        number.waba_id.clone_from(account);
    }
    Ok(number)
}

/// The documents of all `*.yaml` and `*.yml`; files that are none are left out.
fn documents(folder: &Path) -> Result<Vec<Value>> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    files.sort();
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    Ok(texts.filter_map(|text| serde_saphyr::from_multiple::<Value>(&text).ok()).flatten().collect())
}

fn of_kind<'a>(documents: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    documents.iter().filter(move |document| document["kind"] == kind)
}

fn key(document: &Value) -> (String, String) {
    let of = |field: &str| document["metadata"][field].as_str().map(str::to_owned);
    (of("namespace").unwrap_or_else(|| "default".to_owned()), of("name").unwrap_or_default())
}

fn data(secret: &Value) -> BTreeMap<String, String> {
    let pairs = |field: &str| {
        let object = secret[field].as_object().cloned().unwrap_or_default();
        object.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
    };
    let encoded = pairs("data").filter_map(|(key, value)| {
        let bytes = BASE64_STANDARD.decode(value.trim()).ok()?;
        Some((key, String::from_utf8(bytes).ok()?))
    });
    encoded.chain(pairs("stringData")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TENANT: &str = "
kind: WhatsAppTenant
metadata: {name: acme}
spec:
  providers:
  - name: primary
    cloudApi: {phoneNumberId: '1', baseUrl: 'http://127.0.0.1:8190', credentialsSecretRef: {name: meta}}
  - name: real
    cloudApi: {phoneNumberId: '2', credentialsSecretRef: {name: meta}}
  - name: bare
    cloudApi: {phoneNumberId: '3', baseUrl: 'http://127.0.0.1:8190', credentialsSecretRef: {name: none}}
  database: {secretRef: {name: d, key: url}}
";
    const SECRET: &str = "
kind: Secret
metadata: {name: meta, namespace: default}
stringData: {access-token: token, app-secret: \"secret\\n\"}
data: {verify-token: dmVyaWZ5}
";

    #[test]
    fn accounts_with_credentials_on_this_machine_are_found_and_others_left_out_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("all.yaml"), format!("{TENANT}---\n{SECRET}")).unwrap();
        fs::write(folder.path().join("broken.yaml"), "a: [").unwrap();
        fs::write(folder.path().join("README.md"), "text").unwrap();
        let Found { accounts, left_out } = find(folder.path()).unwrap();
        assert_eq!(accounts.len(), 1);
        let meta = "tenant acme, provider real: its cloudApi.baseUrl is https://graph.facebook.com, not the simulator's, \
                    such as http://127.0.0.1:8190";
        assert_eq!(left_out, [meta, "tenant acme, provider bare: Secret none is not among the manifests"]);
        let Account { tenant, business, provider, graph, number, .. } = &accounts[0];
        assert_eq!((tenant.as_str(), business.as_str(), provider.as_str()), ("acme", "acme", "primary"));
        assert_eq!(graph.to_string(), "127.0.0.1:8190");
        assert_eq!(number.access_tokens, ["token"]);
        assert_eq!((number.app_secret.as_str(), number.verify_token.as_str()), ("secret", "verify"));
    }

    #[test]
    fn the_quickstart_has_an_account() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart");
        let found = find(&folder).unwrap();
        assert_eq!((found.accounts.len(), found.left_out), (1, vec![]));
    }
}
