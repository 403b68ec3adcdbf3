//! A cluster with Wigwag installed by its chart, and towns in it: a namespace with a tenant, a Flow, their Secrets and
//! a database, made from the quickstart's manifests.

use std::{fmt::Debug, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::PgPool;
use wigwag_crds::{Flow, WhatsAppTenant};
use wigwag_sandbox::{
    Options, Sandbox,
    control_plane::ControlPlane,
    eventually, helm, kubectl,
    node::Images,
    postgres::{self, Database},
};
use wigwag_simulator::{Customer, Number, Settings, Simulator};

use crate::binary::binary;

/// Namespace of the operator.
pub const SYSTEM: &str = "wigwag-system";
/// The operator as the API server knows it.
pub const OPERATOR: &str = "system:serviceaccount:wigwag-system:wigwag";

/// Long enough for a busy machine; what is right comes in a second or two.
pub const SOON: Duration = Duration::from_secs(40);

const TENANT: &str = include_str!("../../../examples/quickstart/tenant.yaml");
const FLOW: &str = include_str!("../../../examples/quickstart/flow.yaml");
const SECRET: &str = include_str!("../../../examples/quickstart/secret.yaml");

/// A cluster with Wigwag installed.
#[derive(Debug)]
pub struct Cluster {
    /// Its parts.
    pub sandbox: Sandbox,
}

impl Cluster {
    /// A cluster with the chart installed by the real helm; `values` are laid over the chart's.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start(values: Value) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let images = Images::from([
            ("wigwag-operator".into(), binary("wigwag-operator")?),
            ("wigwag-dataplane".into(), binary("wigwag-dataplane")?),
        ]);
        let options = Options { postgres: false, control_plane: true, node: Some(images), edge: Some(0) };
        let sandbox = Sandbox::start(options).await?;
        let cluster = Self { sandbox };
        let kubeconfig = cluster.control_plane()?.kubeconfig();
        helm::install(&kubeconfig, &chart(), "wigwag", SYSTEM, &values).await?;
        // The garbage collector looks for new kinds every 30 s only; this makes it look now.
        cluster.control_plane()?.restart_controller_manager().await?;
        Ok(cluster)
    }

    /// The control plane.
    ///
    /// # Errors
    /// Never: it was started with one.
    pub fn control_plane(&self) -> Result<&ControlPlane> {
        self.sandbox.control_plane()
    }

    /// What `kubectl` prints.
    ///
    /// # Errors
    /// What it said when it failed.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        kubectl::run(&self.control_plane()?.kubeconfig(), arguments).await
    }

    /// Calls of the operator that the API server refused for want of a right.
    ///
    /// # Errors
    /// When the audit log cannot be read.
    pub fn forbidden(&self) -> Result<Vec<String>> {
        let entries = self.control_plane()?.audit().forbidden_by(OPERATOR)?;
        Ok(entries.iter().map(|entry| format!("{} {}", entry.verb, entry.request_uri)).collect())
    }
}

/// The chart's folder.
#[must_use]
pub fn chart() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/wigwag"))
}

/// A namespace with a tenant of its own.
pub struct Town<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The namespace.
    pub namespace: String,
    /// Talks to the API server as an administrator.
    pub client: Client,
    /// The provider.
    pub simulator: Simulator,
    /// For looking into the tables.
    pub pool: PgPool,
    /// The host of the tenant's webhooks.
    pub host: String,
    database: Database,
}

impl<'a> Town<'a> {
    /// A namespace, a database and the simulator; nothing is applied yet.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn found(cluster: &'a Cluster, purpose: &str) -> Result<Self> {
        let namespace = cluster.control_plane()?.namespace(purpose).await?;
        let database = postgres::databases().await?.create("town").await?;
        let simulator = Simulator::start(Settings::default()).await?;
        let host = format!("{namespace}.localhost");
        simulator.connect(&host, &[cluster.sandbox.edge()?.address()]);
        let number = Number {
            access_tokens: vec!["simulated-access-token".to_owned()],
            app_secret: "simulated-app-secret".to_owned(),
            verify_token: "simulated-verify-token".to_owned(),
            ..Number::new("106540352242922", format!("http://{host}/webhooks/primary"))
        };
        simulator.register(number)?;
        let pool = PgPool::connect_lazy(&database.url())?;
        let client = cluster.control_plane()?.client().await?;
        Ok(Self { cluster, namespace, client, simulator, pool, host, database })
    }

    /// The tenant's manifest, for this town.
    ///
    /// # Errors
    /// Never: the quickstart's manifest reads.
    pub fn tenant(&self) -> Result<Value> {
        let mut tenant: Value = serde_saphyr::from_str(TENANT)?;
        tenant["spec"]["route"]["host"] = json!(self.host);
        tenant["spec"]["providers"][0]["cloudApi"]["baseUrl"] = json!(self.simulator.graph_url());
        Ok(tenant)
    }

    /// The Flow's manifest.
    ///
    /// # Errors
    /// Never: the quickstart's manifest reads.
    pub fn flow(&self) -> Result<Value> {
        Ok(serde_saphyr::from_str(FLOW)?)
    }

    /// Applies the quickstart: Secrets, tenant and Flow.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn apply_quickstart(&self) -> Result<()> {
        self.apply_secrets().await?;
        self.apply::<WhatsAppTenant>(&self.tenant()?).await?;
        self.apply::<Flow>(&self.flow()?).await
    }

    /// Applies both Secrets.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn apply_secrets(&self) -> Result<()> {
        self.apply::<Secret>(&serde_saphyr::from_str(SECRET)?).await?;
        self.apply_database_secret().await
    }

    /// Applies the database's Secret.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn apply_database_secret(&self) -> Result<()> {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "acme-database"},
                            "stringData": {"url": self.database.url()}});
        self.apply::<Secret>(&secret).await
    }

    /// Applies an object as `kubectl apply --server-side` does.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn apply<K>(&self, object: &Value) -> Result<()>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let name = object["metadata"]["name"].as_str().context("an object without a name")?;
        let as_person = PatchParams::apply("person").force().validation_strict();
        self.api::<K>().patch(name, &as_person, &Patch::Apply(object)).await?;
        Ok(())
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn delete<K>(&self, name: &str) -> Result<()>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        self.api::<K>().delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    /// Objects of a kind in this namespace.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Names of the objects of a kind in this namespace.
    ///
    /// # Errors
    /// What the API server said.
    pub async fn names<K>(&self) -> Result<Vec<String>>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let list = self.api::<K>().list(&Default::default()).await?;
        Ok(list.iter().map(ResourceExt::name_any).collect())
    }

    /// A condition of the tenant: status, reason and message.
    ///
    /// # Errors
    /// When it has none of this type yet.
    pub async fn tenant_condition(&self, type_: &str) -> Result<(String, String, String)> {
        let tenant = self.api::<WhatsAppTenant>().get("acme").await?;
        condition(&tenant.status.map(|status| status.conditions).unwrap_or_default(), type_)
    }

    /// A condition of a Flow: status, reason and message.
    ///
    /// # Errors
    /// When it has none of this type yet.
    pub async fn flow_condition(&self, flow: &str, type_: &str) -> Result<(String, String, String)> {
        let flow = self.api::<Flow>().get(flow).await?;
        condition(&flow.status.map(|status| status.conditions).unwrap_or_default(), type_)
    }

    /// Waits until tenant and Flow are ready, and holds the operator to its rights: it asked for nothing that the chart
    /// does not give it.
    pub async fn ready(&self) {
        assert_eq!(self.cluster.forbidden().unwrap_or_else(|error| vec![format!("{error:#}")]), [""; 0]);
        eventually!(SOON, self.tenant_condition("Ready").await, |c| c.as_ref().is_ok_and(|c| c.0 == "True")).ok();
        eventually!(SOON, self.flow_condition("welcome", "Ready").await, |c| c.as_ref().is_ok_and(|c| c.0 == "True"))
            .ok();
    }

    /// A customer who writes to the tenant.
    ///
    /// # Errors
    /// Never: the number is registered.
    pub fn customer(&self, phone: &str, name: &str) -> Result<Customer> {
        self.simulator.customer("106540352242922", phone, name)
    }
}

fn condition(
    conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition],
    type_: &str,
) -> Result<(String, String, String)> {
    let condition = conditions.iter().find(|c| c.type_ == type_).with_context(|| format!("no condition {type_}"))?;
    Ok((condition.status.clone(), condition.reason.clone(), condition.message.clone()))
}
