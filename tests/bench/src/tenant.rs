//! The one tenant of every run: its number, its secrets and its manifests, for the data plane, for the plain way and
//! for the simulator.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wigwag_crds::tenant::CloudApi;

/// Phone number id.
pub const NUMBER: &str = "106540352242922";
/// Its host; requests go to the process's address and carry this name.
pub const HOST: &str = "acme.localhost";
/// Where webhooks are posted.
pub const WEBHOOK: &str = "/webhooks/primary";
/// What webhooks are signed with.
pub const APP_SECRET: &str = "simulated-app-secret";
/// What sends are authorised with.
pub const ACCESS_TOKEN: &str = "simulated-access-token";
/// What the handshake presents.
pub const VERIFY_TOKEN: &str = "simulated-verify-token";
/// Messages a second, received and sent together, as Meta grants it at the most.
pub const THROUGHPUT: u32 = 1000;

/// A Flow that no message of a run begins: the messages are received, stored, routed, and that is all.
pub const SILENT_FLOW: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: silent}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: nobody writes this, match: Exact}]
  start: say
  nodes:
  - {name: say, message: {text: said}}
";

/// Writes the tenant's manifests with this Flow into `folder/config`, and its Secret into `folder/secrets`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, graph_url: &str, flow: &str) -> Result<()> {
    let tenant = format!(
        "apiVersion: wigwag.dev/v1alpha1
kind: WhatsAppTenant
metadata: {{name: acme}}
spec:
  providers:
  - name: primary
    cloudApi: {{phoneNumberId: \"{NUMBER}\", baseUrl: \"{graph_url}\", throughput: {THROUGHPUT}, credentialsSecretRef: {{name: acme-meta}}}}
  route: {{host: {HOST}}}
  database: {{secretRef: {{name: acme-database, key: url}}}}
"
    );
    let files = [
        ("config/tenant.yaml", tenant.as_str()),
        ("config/flow.yaml", flow),
        ("secrets/acme-meta/access-token", ACCESS_TOKEN),
        ("secrets/acme-meta/app-secret", APP_SECRET),
        ("secrets/acme-meta/verify-token", VERIFY_TOKEN),
    ];
    for (file, text) in files {
        let path = folder.join(file);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The provider account, as the manifest has it.
///
/// # Errors
/// When the fields' names have changed.
pub fn cloud_api() -> Result<CloudApi> {
    let spec = serde_json::json!({"phoneNumberId": NUMBER, "credentialsSecretRef": {"name": "acme-meta"}});
    serde_json::from_value(spec).context("the Cloud API's spec")
}
