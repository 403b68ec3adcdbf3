//! `WhatsAppTenant`: one business on WhatsApp, with its numbers, its route and its data plane.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    common::{LocalRef, SecretKeyRef},
    flow::Escape,
    text::{AnyValue, Text},
};

/// Messages a second, in and out together, that Meta gives a number unless it was upgraded
/// (Meta, "Throughput", 2026-05).
pub const DEFAULT_THROUGHPUT: u32 = 80;
/// Graph API version that is called unless the tenant names another.
pub const DEFAULT_API_VERSION: &str = "v25.0";
/// Host of the Graph API unless the tenant names another.
pub const DEFAULT_BASE_URL: &str = "https://graph.facebook.com";
/// Characters that a bearer token of the API has at least; shorter ones can be guessed.
pub const SHORTEST_TOKEN: usize = 16;

/// What a tenant wants.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "wigwag.dev",
    version = "v1alpha1",
    kind = "WhatsAppTenant",
    namespaced,
    status = "WhatsAppTenantStatus",
    derive = "PartialEq",
    shortname = "wat",
    category = "wigwag",
    doc = "A business on WhatsApp: its provider accounts, the host on which webhooks come in, its database, and the data plane that runs its Flows.",
    validation = Rule::new("self.metadata.name.size() <= 50").message("metadata.name is longer than 50 characters: choose a shorter one, the names of the Service and the Deployment are made from it"),
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')").message("metadata.name has a dot in it: write only small letters, digits and \"-\", the names of the Service and the Deployment are made from it"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Providers", type_ = "string", json_path = ".status.summary.providers"),
    printcolumn(name = "Host", type_ = "string", json_path = ".spec.route.host"),
    printcolumn(name = "Replicas", type_ = "string", json_path = ".status.summary.replicas"),
    printcolumn(name = "Reason", type_ = "string", priority = 1, json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Message", type_ = "string", priority = 1, json_path = ".status.conditions[?(@.type==\"Ready\")].message"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.flowSecrets) || self.flowSecrets.all(f, f.name != self.database.secretRef.name && (!has(self.api) || f.name != self.api.tokensSecretRef.name) && self.providers.all(p, !has(p.cloudApi) || f.name != p.cloudApi.credentialsSecretRef.name))").message("flowSecrets names a Secret with the tenant's own credentials, which no Flow may send: keep what Flows need in a Secret of its own").field_path(".flowSecrets"))]
#[x_kube(validation = Rule::new("!has(self.api) || self.api.tokensSecretRef.name != self.database.secretRef.name && self.providers.all(p, !has(p.cloudApi) || self.api.tokensSecretRef.name != p.cloudApi.credentialsSecretRef.name)").message("api.tokensSecretRef names a Secret with other credentials, and each of them would be a token: keep the tokens in a Secret of their own").field_path(".api.tokensSecretRef"))]
pub struct WhatsAppTenantSpec {
    /// Name of the business as people know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub display_name: Option<String>,

    /// Provider accounts, by name. The name is the last part of the webhook's URL (`/webhooks/NAME`).
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub providers: Vec<Provider>,

    /// Where webhooks come in. Without it nothing is exposed outside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,

    /// Size of the data plane.
    #[serde(default)]
    pub data_plane: DataPlane,

    /// The PostgreSQL database that holds what this tenant receives and sends.
    pub database: Database,

    /// Who may use the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,

    /// Time zone and languages of the customers.
    #[serde(default)]
    pub locale: Locale,

    /// What every Flow reads as `tenant.NAME`, and none writes; up to 16 KiB.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub variables: BTreeMap<String, AnyValue>,

    /// Words with which a customer leaves any conversation, but one with people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub escape: Vec<Escape>,

    /// What a customer is told when a conversation cannot go on and has no way of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_message: Option<Text>,

    /// Where the `http` nodes of Flows may call beside the public internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,

    /// Secrets that the `http` nodes of Flows may send, and to which hosts. The tenant's own credentials can be none of
    /// them: a provider's, the database's, the API's tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub flow_secrets: Vec<FlowSecret>,
}

/// Who may use the API.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Api {
    /// Secret of the same namespace; each of its values is a bearer token of at least 16 characters.
    pub tokens_secret_ref: LocalRef,
}

/// Time zone and languages.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Locale {
    /// IANA name of the time zone in which days and times are read and written.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub timezone: String,
    /// The language of a customer of whom none is known, such as `es` or `pt-BR`.
    #[serde(default = "spanish")]
    #[schemars(length(min = 2, max = 16))]
    pub language: String,
    /// The languages that Flows speak; a new customer's is guessed from the first message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 2, max = 16)))]
    pub languages: Vec<String>,
}

/// Where Flows may call.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    /// Addresses that are closed otherwise (private, loopback, link-local) and are opened here: `10.20.0.0/16`,
    /// `10.20.0.7:8080` or a host such as `crm.internal:8080`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 253)))]
    pub allow: Vec<String>,
}

/// A Secret that Flows may send.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowSecret {
    /// Name of the Secret, of the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The hosts to which its values may go: `api.example.com` or `*.example.com`.
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 253)))]
    pub hosts: Vec<String>,
}

/// One account at one provider; exactly one kind.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.cloudApi)").message(Message::Expression("'provider \"' + self.name + '\" has no kind: write cloudApi: {phoneNumberId, credentialsSecretRef} under it'".into())))]
pub struct Provider {
    /// Name of the account within the tenant; it stands in the webhook's URL.
    #[schemars(length(min = 1, max = 40), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Meta's WhatsApp Cloud API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_api: Option<CloudApi>,
}

/// A phone number on Meta's WhatsApp Cloud API.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudApi {
    /// Meta's id of the phone number (not the number itself).
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[0-9]+$"))]
    pub phone_number_id: String,
    /// Meta's id of the WhatsApp Business Account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[0-9]+$"))]
    pub business_account_id: Option<String>,
    /// Version of the Graph API to call.
    #[serde(default = "default_api_version")]
    #[schemars(regex(pattern = "^v[0-9]{1,3}\\.[0-9]{1,2}$"))]
    pub api_version: String,
    /// Base URL of the Graph API; only tests and proxies change it.
    #[serde(default = "default_base_url")]
    #[schemars(length(max = 200), regex(pattern = "^https?://[^/?#]+$"))]
    pub base_url: String,
    /// Secret of the same namespace with the keys `access-token`, `app-secret` and `verify-token`.
    pub credentials_secret_ref: LocalRef,
    /// Messages a second that the number may carry, received and sent together. Meta's default is 80, 1000 after
    /// its automatic upgrade, 20 for a number that is also used in the WhatsApp Business app.
    #[serde(default = "default_throughput")]
    #[schemars(range(min = 1, max = 5000), extend("format" = "int32"))]
    pub throughput: u32,
}

/// Names of the files (keys of the Secret) with the Cloud API's credentials.
pub mod cloud_api_keys {
    /// System-user or business token with which messages are sent.
    pub const ACCESS_TOKEN: &str = "access-token";
    /// App secret with which Meta signs webhooks.
    pub const APP_SECRET: &str = "app-secret";
    /// The token that Meta must present in the verification request.
    pub const VERIFY_TOKEN: &str = "verify-token";
    /// All of them.
    pub const ALL: [&str; 3] = [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN];
}

/// Where webhooks come in.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Host name of the webhooks' URLs. Meta takes callback URLs of at most 200 characters, so the host has at
    /// most 130.
    #[schemars(
        length(min = 1, max = 130),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub host: String,
    /// Makes an Ingress for the host. Without it nothing is routed, and what was routed is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressRoute>,
}

/// How the Ingress is made.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressRoute {
    /// IngressClass; without it the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
    /// Serves the host over TLS. Meta calls only `https` URLs with a public certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<IngressTls>,
}

/// The certificate of the host.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressTls {
    /// Secret of type `kubernetes.io/tls`, usually written by cert-manager. The operator does not read it.
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: String,
}

/// Size of the data plane.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataPlane {
    /// Number of Pods. They share the tenant's work; each can be lost.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 64))]
    pub replicas: i32,
    /// Requests and limits of each Pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
}

/// The tenant's database.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Key of a Secret with the URL: `postgres://user:password@host:5432/name`.
    pub secret_ref: SecretKeyRef,
}

/// What the operator found and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhatsAppTenantStatus {
    /// Generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// CredentialsValid, DatabaseReady, RouteProgrammed, WorkerAvailable, SendReady and Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The callback URL to enter at each provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["provider"]))]
    pub webhooks: Vec<Webhook>,
    /// The configuration that the data plane was given, and how much of it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,
    /// What `kubectl get` prints; print columns cannot join lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<TenantSummary>,
}

/// A provider's callback URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Name of the provider in `spec.providers`.
    pub provider: String,
    /// URL to enter as callback URL.
    pub url: String,
}

/// Which configuration runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// Hash over the tenant's spec and the revisions of its Flows.
    pub revision: String,
    /// Ready replicas that run exactly this revision.
    pub acknowledged_replicas: i32,
}

/// Columns of `kubectl get wat`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TenantSummary {
    /// Names of the providers, joined by commas.
    pub providers: String,
    /// Ready and wanted replicas: `2/2`.
    pub replicas: String,
}

// === impl WhatsAppTenantSpec ===

impl WhatsAppTenantSpec {
    /// `https://HOST`, or `http://HOST` where its Ingress has no certificate; none without a host.
    #[must_use]
    pub fn base_url(&self) -> Option<String> {
        let route = self.route.as_ref()?;
        let tls = route.ingress.as_ref().is_some_and(|ingress| ingress.tls.is_some());
        let scheme = if tls { "https" } else { "http" };
        Some(format!("{scheme}://{}", route.host))
    }

    /// The callback URL of a provider, if the tenant has a host.
    #[must_use]
    pub fn webhook_url(&self, provider: &str) -> Option<String> {
        Some(format!("{}/webhooks/{provider}", self.base_url()?))
    }

    /// Names of the Secrets with the providers' credentials.
    #[must_use]
    pub fn provider_secrets(&self) -> BTreeSet<&str> {
        let apis = self.providers.iter().filter_map(|provider| provider.cloud_api.as_ref());
        apis.map(|api| api.credentials_secret_ref.name.as_str()).collect()
    }

    /// Name of the Secret with the tokens of the API. A Secret with other credentials is none, whatever the manifest
    /// says: each of them would be a token.
    #[must_use]
    pub fn tokens_secret(&self) -> Option<&str> {
        let name = self.api.as_ref()?.tokens_secret_ref.name.as_str();
        let is_taken = name == self.database.secret_ref.name || self.provider_secrets().contains(name);
        (!is_taken).then_some(name)
    }

    /// The Secrets that Flows may send. One with the tenant's own credentials is none, whatever the manifest says.
    pub fn sendable_secrets(&self) -> impl Iterator<Item = &FlowSecret> {
        let mut own = self.provider_secrets();
        own.insert(&self.database.secret_ref.name);
        own.extend(self.api.iter().map(|api| api.tokens_secret_ref.name.as_str()));
        self.flow_secrets.iter().filter(move |secret| !own.contains(secret.name.as_str()))
    }

    /// Names of all Secrets that the data plane loads. The database's is not among them: its URL is a variable of the
    /// process.
    #[must_use]
    pub fn loaded_secrets(&self) -> BTreeSet<&str> {
        let mut names = self.provider_secrets();
        names.extend(self.tokens_secret());
        names.extend(self.sendable_secrets().map(|secret| secret.name.as_str()));
        names
    }
}

// === impl DataPlane ===

impl Default for DataPlane {
    fn default() -> Self {
        Self { replicas: one(), resources: None }
    }
}

// === impl Locale ===

impl Default for Locale {
    fn default() -> Self {
        Self { timezone: utc(), language: spanish(), languages: Vec::new() }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

fn spanish() -> String {
    "es".to_owned()
}

fn one() -> i32 {
    1
}

fn default_throughput() -> u32 {
    DEFAULT_THROUGHPUT
}

fn default_api_version() -> String {
    DEFAULT_API_VERSION.to_owned()
}

fn default_base_url() -> String {
    DEFAULT_BASE_URL.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(more: Value) -> WhatsAppTenantSpec {
        let mut spec = json!({
            "providers": [{"name": "p", "cloudApi": {"phoneNumberId": "1", "credentialsSecretRef": {"name": "meta"}}}],
            "database": {"secretRef": {"name": "database", "key": "url"}},
        });
        spec.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        serde_json::from_value(spec).expect("a spec")
    }

    #[test]
    fn the_scheme_is_https_where_the_ingress_has_a_certificate() {
        let plain = spec(json!({"route": {"host": "acme.localhost", "ingress": {}}}));
        assert_eq!(plain.base_url().as_deref(), Some("http://acme.localhost"));
        let tls = spec(json!({"route": {"host": "acme.example.com", "ingress": {"tls": {"secretName": "tls"}}}}));
        assert_eq!(tls.webhook_url("meta").as_deref(), Some("https://acme.example.com/webhooks/meta"));
        assert_eq!(spec(json!({})).base_url(), None);
    }

    #[test]
    fn secrets_of_providers_flows_and_tokens_are_loaded_and_the_databases_is_not() {
        let flow_secrets = json!([{"name": "crm", "hosts": ["crm.example.com"]}]);
        let all = spec(json!({"api": {"tokensSecretRef": {"name": "tokens"}}, "flowSecrets": flow_secrets}));
        assert_eq!(all.loaded_secrets(), BTreeSet::from(["crm", "meta", "tokens"]));
    }

    #[test]
    fn the_tenants_own_credentials_are_neither_sent_by_flows_nor_tokens() {
        let listed = ["meta", "database", "tokens", "crm"].map(|name| json!({"name": name, "hosts": ["evil.example"]}));
        let greedy = spec(json!({"api": {"tokensSecretRef": {"name": "tokens"}}, "flowSecrets": listed}));
        assert_eq!(greedy.sendable_secrets().map(|secret| secret.name.as_str()).collect::<Vec<_>>(), ["crm"]);
        for other in ["meta", "database"] {
            let odd = spec(json!({"api": {"tokensSecretRef": {"name": other}}}));
            assert_eq!(odd.tokens_secret(), None, "{other}");
            assert_eq!(odd.loaded_secrets(), BTreeSet::from(["meta"]));
        }
    }
}
