//! Who may talk to the API server: its certificate, the key that signs service account tokens, and two bearer tokens.

use std::fs;
use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rand::Rng;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

/// Files in the control plane's folder.
pub(super) const AUTHORITY: &str = "ca.crt";
pub(super) const SERVER_CERTIFICATE: &str = "apiserver.crt";
pub(super) const SERVER_KEY: &str = "apiserver.key";
pub(super) const SERVICE_ACCOUNT_KEY: &str = "service-accounts.key";
pub(super) const SERVICE_ACCOUNT_PUBLIC_KEY: &str = "service-accounts.pub";
pub(super) const TOKENS: &str = "tokens.csv";

/// Made anew for each control plane; none of it is worth keeping.
#[derive(Debug)]
pub(super) struct Credentials {
    authority: String,
    pub(super) admin_token: String,
    pub(super) controller_manager_token: String,
}

impl Credentials {
    /// Writes the files that the API server and the controllers read.
    pub(super) fn generate(folder: &Path) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "wigwag sandbox");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let authority = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);

        let server_key = KeyPair::generate()?;
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(String::from);
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        let server_certificate = params.signed_by(&server_key, &issuer)?.pem();

        let (admin_token, controller_manager_token) = (random_token(), random_token());
        let tokens = format!(
            "{admin_token},admin,admin,system:masters\n{controller_manager_token},system:kube-controller-manager,\
             system:kube-controller-manager,system:masters\n"
        );
        fs::write(folder.join(AUTHORITY), &authority)?;
        fs::write(folder.join(SERVER_CERTIFICATE), server_certificate)?;
        fs::write(folder.join(SERVER_KEY), server_key.serialize_pem())?;
        let signer = KeyPair::generate()?;
        fs::write(folder.join(SERVICE_ACCOUNT_KEY), signer.serialize_pem())?;
        fs::write(folder.join(SERVICE_ACCOUNT_PUBLIC_KEY), signer.public_key_pem())?;
        fs::write(folder.join(TOKENS), tokens)?;
        Ok(Self { authority, admin_token, controller_manager_token })
    }

    /// A kubeconfig that trusts our certificate alone. JSON is YAML, too.
    pub(super) fn kubeconfig(&self, server: &str, user: &str, token: &str) -> Value {
        let authority = BASE64_STANDARD.encode(&self.authority);
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "wigwag-sandbox",
                "cluster": {"server": server, "certificate-authority-data": authority},
            }],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{
                "name": "wigwag-sandbox",
                "context": {"cluster": "wigwag-sandbox", "user": user, "namespace": "default"},
            }],
            "current-context": "wigwag-sandbox",
        })
    }
}

fn random_token() -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(32).map(char::from).collect()
}
