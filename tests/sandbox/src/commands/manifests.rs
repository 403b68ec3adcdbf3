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
use wigwag_crds::tenant::{CloudApi, cloud_api_keys as keys};
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

/// Secrets by namespace and name.
type Secrets = BTreeMap<(String, String), BTreeMap<String, String>>;

/// The accounts of a folder that have all credentials beside them and whose `baseUrl` is an address of this machine.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn accounts(folder: &Path) -> Result<Vec<Account>> {
    let documents = documents(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let secrets: Secrets = of_kind(&documents, "Secret").map(|secret| (key(secret), data(secret))).collect();
    let tenants = of_kind(&documents, "WhatsAppTenant").filter_map(|tenant| {
        let spec = serde_json::from_value::<WhatsAppTenantSpec>(tenant["spec"].clone()).ok()?;
        Some((key(tenant), spec))
    });
    Ok(tenants.flat_map(|(key, spec)| of_tenant(&key, &spec, &secrets)).collect())
}

fn of_tenant((namespace, tenant): &(String, String), spec: &WhatsAppTenantSpec, secrets: &Secrets) -> Vec<Account> {
    let accounts = spec.providers.iter().filter_map(|provider| {
        let api = provider.cloud_api.as_ref()?;
        let secret = secrets.get(&(namespace.clone(), api.credentials_secret_ref.name.clone()))?;
        Some(Account {
            tenant: tenant.clone(),
            business: spec.display_name.clone().unwrap_or_else(|| tenant.clone()),
            provider: provider.name.clone(),
            graph: api.base_url.strip_prefix("http://")?.parse().ok().filter(is_on_this_machine)?,
            spec: spec.clone(),
            number: number(api, secret)?,
        })
    });
    accounts.collect()
}

fn number(api: &CloudApi, secret: &BTreeMap<String, String>) -> Option<Number> {
    let line = |key: &str| secret.get(key).map(|value| value.trim_end_matches(['\r', '\n']).to_owned());
    let mut number = Number::new(&api.phone_number_id, "");
    number.access_tokens = vec![line(keys::ACCESS_TOKEN)?];
    number.app_secret = line(keys::APP_SECRET)?;
    number.verify_token = line(keys::VERIFY_TOKEN)?;
    if let Some(account) = &api.business_account_id {
        number.waba_id.clone_from(account);
    }
    Some(number)
}

fn is_on_this_machine(address: &SocketAddr) -> bool {
    address.ip().is_loopback()
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
    fn accounts_with_credentials_that_name_this_machine_are_found_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("all.yaml"), format!("{TENANT}---\n{SECRET}")).unwrap();
        fs::write(folder.path().join("broken.yaml"), "a: [").unwrap();
        fs::write(folder.path().join("README.md"), "text").unwrap();
        let accounts = accounts(folder.path()).unwrap();
        assert_eq!(accounts.len(), 1);
        let Account { tenant, business, provider, graph, number, .. } = &accounts[0];
        assert_eq!((tenant.as_str(), business.as_str(), provider.as_str()), ("acme", "acme", "primary"));
        assert_eq!(graph.to_string(), "127.0.0.1:8190");
        assert_eq!(number.access_tokens, ["token"]);
        assert_eq!((number.app_secret.as_str(), number.verify_token.as_str()), ("secret", "verify"));
    }

    #[test]
    fn the_quickstart_has_an_account() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart");
        assert_eq!(accounts(&folder).unwrap().len(), 1);
    }
}
