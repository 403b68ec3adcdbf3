//! The volumes of one Pod as folders: ConfigMap, Secret, emptyDir, downward API, and the projection of several of them
//! that brings a service account's token.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret, ServiceAccount, ServiceAccountTokenProjection, Volume,
};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use super::environment::field;
use super::payload::{self, Payload, PayloadFile};

/// What Kubernetes sets where a manifest says nothing.
const MODE: i32 = 0o644;
const TOKEN_SECONDS: i64 = 3600;

/// The volumes of one Pod.
pub(super) struct Volumes {
    client: Client,
    folder: PathBuf,
    address: Ipv4Addr,
    tokens: BTreeMap<String, Token>,
}

struct Token {
    text: String,
    renew_at: Instant,
}

impl Volumes {
    /// The volumes of the Pod at `address`, each in `folder/NAME`.
    pub(super) fn new(client: Client, folder: PathBuf, address: Ipv4Addr) -> Self {
        Self { client, folder, address, tokens: BTreeMap::new() }
    }

    /// Where they lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Brings every volume up to date with what the API server has; renews tokens before they end.
    ///
    /// # Errors
    /// For the first volume that cannot be brought up to date; the others are, and that one keeps its old files.
    pub(super) async fn sync(&mut self, pod: &Pod) -> Result<()> {
        let mut result = Ok(());
        for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
            let synced = self.sync_one(pod, volume).await;
            result = result.and(synced.with_context(|| format!("volume {:?}", volume.name)));
        }
        result
    }

    async fn sync_one(&mut self, pod: &Pod, volume: &Volume) -> Result<()> {
        let folder = self.folder.join(&volume.name);
        if volume.empty_dir.is_some() {
            return std::fs::create_dir_all(folder).map_err(Into::into);
        }
        let payload = self.load(pod, volume).await?;
        payload::write(&folder, &payload)?;
        Ok(())
    }

    async fn load(&mut self, pod: &Pod, volume: &Volume) -> Result<Payload> {
        let namespace = pod.namespace().unwrap_or_default();
        if let Some(source) = &volume.config_map {
            let optional = source.optional.unwrap_or_default();
            return self.config_map(&namespace, &source.name, &source.items, optional, source.default_mode).await;
        }
        if let Some(source) = &volume.secret {
            let (name, optional) =
                (source.secret_name.as_deref().unwrap_or_default(), source.optional.unwrap_or_default());
            return self.secret(&namespace, name, &source.items, optional, source.default_mode).await;
        }
        if let Some(source) = &volume.downward_api {
            return self.downward(pod, source.items.iter().flatten(), source.default_mode);
        }
        let source = volume.projected.as_ref().context("a kind that this node does not know")?;
        let mode = source.default_mode;
        let mut payload = Payload::new();
        for part in source.sources.iter().flatten() {
            if let Some(part) = &part.config_map {
                let optional = part.optional.unwrap_or_default();
                payload.extend(self.config_map(&namespace, &part.name, &part.items, optional, mode).await?);
            }
            if let Some(part) = &part.secret {
                let optional = part.optional.unwrap_or_default();
                payload.extend(self.secret(&namespace, &part.name, &part.items, optional, mode).await?);
            }
            if let Some(part) = &part.downward_api {
                payload.extend(self.downward(pod, part.items.iter().flatten(), mode)?);
            }
            if let Some(part) = &part.service_account_token {
                let text = self.token(pod, &namespace, part).await?;
                payload.insert(part.path.clone(), file(text.into_bytes(), None, mode)?);
            }
        }
        Ok(payload)
    }

    async fn config_map(
        &self,
        namespace: &str,
        name: &str,
        items: &Option<Vec<KeyToPath>>,
        optional: bool,
        mode: Option<i32>,
    ) -> Result<Payload> {
        let found = Api::<ConfigMap>::namespaced(self.client.clone(), namespace).get_opt(name).await?;
        let data = found.map(|map| {
            let text = map.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.into_bytes()));
            let binary = map.binary_data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0));
            text.chain(binary).collect()
        });
        select(data, items.as_deref(), optional, mode).with_context(|| format!("configmap {name:?}"))
    }

    async fn secret(
        &self,
        namespace: &str,
        name: &str,
        items: &Option<Vec<KeyToPath>>,
        optional: bool,
        mode: Option<i32>,
    ) -> Result<Payload> {
        let found = Api::<Secret>::namespaced(self.client.clone(), namespace).get_opt(name).await?;
        let bytes = |secret: Secret| secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0));
        let data = found.map(|secret| bytes(secret).collect());
        select(data, items.as_deref(), optional, mode).with_context(|| format!("secret {name:?}"))
    }

    fn downward<'a>(
        &self,
        pod: &Pod,
        items: impl Iterator<Item = &'a DownwardAPIVolumeFile>,
        mode: Option<i32>,
    ) -> Result<Payload> {
        let mut payload = Payload::new();
        for item in items {
            let path = item.field_ref.as_ref().map(|reference| reference.field_path.as_str()).unwrap_or_default();
            let text = field(pod, self.address, path).map_err(|error| anyhow!(error))?;
            payload.insert(item.path.clone(), file(text.into_bytes(), item.mode, mode)?);
        }
        Ok(payload)
    }

    /// A token that ends with the Pod; a new one once four fifths of its time are over, as the kubelet does.
    async fn token(&mut self, pod: &Pod, namespace: &str, part: &ServiceAccountTokenProjection) -> Result<String> {
        if let Some(token) = self.tokens.get(&part.path)
            && Instant::now() < token.renew_at
        {
            return Ok(token.text.clone());
        }
        let seconds = part.expiration_seconds.unwrap_or(TOKEN_SECONDS);
        let pod_reference = BoundObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            name: Some(pod.name_any()),
            uid: pod.uid(),
        };
        let spec = TokenRequestSpec {
            audiences: part.audience.clone().into_iter().collect(),
            bound_object_ref: Some(pod_reference),
            expiration_seconds: Some(seconds),
        };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let account = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref()).unwrap_or("default");
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let made: TokenRequest =
            accounts.create_subresource("token", account, &PostParams::default(), &request).await?;
        let text = made.status.context("the API server gave no token")?.token;
        let renew_at = Instant::now() + Duration::from_secs(seconds.unsigned_abs()) * 4 / 5;
        self.tokens.insert(part.path.clone(), Token { text: text.clone(), renew_at });
        Ok(text)
    }
}

/// The keys that `items` names, or all.
fn select(
    data: Option<BTreeMap<String, Vec<u8>>>,
    items: Option<&[KeyToPath]>,
    optional: bool,
    mode: Option<i32>,
) -> Result<Payload> {
    let Some(mut data) = data else {
        if optional {
            return Ok(Payload::new());
        }
        bail!("not found");
    };
    let Some(items) = items else {
        return data.into_iter().map(|(key, bytes)| Ok((key, file(bytes, None, mode)?))).collect();
    };
    let mut payload = Payload::new();
    for item in items {
        match data.remove(&item.key) {
            Some(bytes) => {
                payload.insert(item.path.clone(), file(bytes, item.mode, mode)?);
            }
            None if optional => {}
            None => bail!("references non-existent key: {}", item.key),
        }
    }
    Ok(payload)
}

fn file(bytes: Vec<u8>, mode: Option<i32>, default_mode: Option<i32>) -> Result<PayloadFile> {
    let mode = u32::try_from(mode.or(default_mode).unwrap_or(MODE)).context("a negative file mode")?;
    Ok(PayloadFile { bytes, mode })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn data(keys: &[&str]) -> Option<BTreeMap<String, Vec<u8>>> {
        Some(keys.iter().map(|key| ((*key).to_owned(), key.as_bytes().to_vec())).collect())
    }

    fn item(key: &str, path: &str) -> KeyToPath {
        KeyToPath { key: key.into(), path: path.into(), mode: Some(0o400) }
    }

    #[test]
    fn items_choose_and_rename_keys_and_without_them_every_key_is_a_file() {
        let all = select(data(&["a", "b"]), None, false, Some(0o600)).unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(all["a"], PayloadFile { bytes: b"a".to_vec(), mode: 0o600 });
        let one = select(data(&["a", "b"]), Some(&[item("b", "sub/c")]), false, None).unwrap();
        assert_eq!(one, Payload::from([("sub/c".into(), PayloadFile { bytes: b"b".to_vec(), mode: 0o400 })]));
    }

    #[test]
    fn only_what_is_optional_may_be_missing() {
        assert!(select(None, None, false, None).is_err());
        assert!(select(None, None, true, None).unwrap().is_empty());
        assert!(select(data(&["a"]), Some(&[item("b", "b")]), false, None).is_err());
        assert!(select(data(&["a"]), Some(&[item("b", "b")]), true, None).unwrap().is_empty());
    }
}
