//! A tenant on a data plane of its own, with a database and the simulator: what a test of the pipeline begins with.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::PgPool;
use wigwag_sandbox::{
    eventually::until,
    folder::Folder,
    logs::LogsOnFailure,
    postgres::{self, Database, Databases, Server},
    process::{Process, Program},
};
use wigwag_simulator::{Customer, Number, Settings, Simulator};

use crate::{binary::binary, replica::Replica};

/// The number of the first tenant.
pub const NUMBER: &str = "1001";
/// The host under which the simulator finds the replicas.
pub const HOST: &str = "acme.localhost";

/// Time-outs of the data plane; tests have less patience than people.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// `--lane-lease`
    pub lease: Duration,
    /// `--send-timeout`
    pub send_timeout: Duration,
    /// `--unknown-hold`
    pub unknown_hold: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(2),
            send_timeout: Duration::from_secs(1),
            unknown_hold: Duration::from_secs(2),
        }
    }
}

/// What a shop begins with.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// How many replicas; 1 unless said.
    pub replicas: Option<usize>,
    /// A server of the test's own; the shared one unless said.
    pub server: Option<&'a Server>,
    /// The Flows' manifests, as for [`Shop::write_flows`]; [`ECHO`] unless said.
    pub flows: Option<&'a str>,
    /// More of the first tenant's spec: lines of YAML, each indented by two.
    pub spec: &'a str,
    /// The simulator's; receipts and retries as it has them unless said.
    pub simulator: Option<Settings>,
    /// Time-outs.
    pub clock: Clock,
}

/// The token of a tenant's API.
#[must_use]
pub fn api_token(tenant: &str) -> String {
    format!("{tenant}-api-token-of-the-tests")
}

/// Answers whatever no other Flow takes.
pub const ECHO: &str = "
---
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: echo}
spec:
  tenantRef: {name: acme}
  triggers: [{default: {}}]
  start: say
  nodes:
  - {name: say, message: {text: \"echo {{ input }}\"}}
";

/// A tenant with everything that it needs.
#[derive(Debug)]
pub struct Shop {
    _logs_on_failure: LogsOnFailure,
    /// The provider.
    pub simulator: Simulator,
    /// The replicas, in the order of their start.
    pub replicas: Vec<Replica>,
    /// For looking into the tables.
    pub pool: PgPool,
    /// The database.
    pub database: Database,
    clock: Clock,
    folder: Folder,
}

impl Shop {
    /// A shop with one replica that answers every message with what it says.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn open() -> Result<Self> {
        Self::with(Plan::default()).await
    }

    /// A shop as planned; its replicas are ready.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn with(plan: Plan<'_>) -> Result<Self> {
        // Once for the process; the second test finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = Folder::new("shop")?;
        for sub in ["config", "secrets", "logs"] {
            fs::create_dir(folder.path().join(sub))?;
        }
        let logs = LogsOnFailure::new(folder.path().join("logs"), folder.path());
        let databases = match plan.server {
            Some(server) => server.databases(),
            None => postgres::databases().await?,
        };
        let database = migrated(databases, folder.path()).await?;
        let pool = PgPool::connect_lazy(&database.url())?;
        let simulator = Simulator::start(plan.simulator.unwrap_or_default()).await?;
        simulator.register(Number::new(NUMBER, format!("http://{HOST}/webhooks/primary")))?;
        let mut shop =
            Self { _logs_on_failure: logs, simulator, replicas: vec![], pool, database, clock: plan.clock, folder };
        shop.write_tenant_with("acme", HOST, NUMBER, plan.spec)?;
        shop.write_flows(plan.flows.unwrap_or(ECHO))?;
        for n in 0..plan.replicas.unwrap_or(1) {
            shop.add_replica(&format!("replica-{n}"))?;
        }
        for replica in &shop.replicas {
            replica.ready().await?;
        }
        Ok(shop)
    }

    /// Starts one more replica; webhooks go to all of them in turn.
    ///
    /// # Errors
    /// When it does not start.
    pub fn add_replica(&mut self, name: &str) -> Result<()> {
        let replica = Replica::start(name, self.folder.path(), &self.database.url(), self.clock)?;
        self.replicas.push(replica);
        self.route_to_all();
        Ok(())
    }

    /// Sends webhooks to all replicas in turn.
    pub fn route_to_all(&self) {
        let addresses: Vec<_> = self.replicas.iter().map(|replica| replica.listen).collect();
        self.simulator.connect(HOST, &addresses);
    }

    /// Sends webhooks to one replica.
    pub fn route_to(&self, replica: usize) {
        self.simulator.connect(HOST, &[self.replicas[replica].listen]);
    }

    /// Writes a tenant's manifest and its Secret; the data plane picks it up.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn write_tenant(&self, name: &str, host: &str, number: &str) -> Result<()> {
        self.write_tenant_with(name, host, number, "")
    }

    fn write_tenant_with(&self, name: &str, host: &str, number: &str, more: &str) -> Result<()> {
        let graph = self.simulator.graph_url();
        let manifest = format!(
            "apiVersion: wigwag.dev/v1alpha1
kind: WhatsAppTenant
metadata: {{name: {name}}}
spec:
  providers:
  - name: primary
    cloudApi: {{phoneNumberId: \"{number}\", baseUrl: \"{graph}\", throughput: 1000, credentialsSecretRef: {{name: {name}-meta}}}}
  route: {{host: {host}}}
  api: {{tokensSecretRef: {{name: {name}-api}}}}
  database: {{secretRef: {{name: {name}-database, key: url}}}}
  http: {{allow: [127.0.0.1/32]}}
{more}"
        );
        self.write_secret(&format!("{name}-meta"), "access-token", &format!("{number}-access-token"))?;
        self.write_secret(&format!("{name}-meta"), "app-secret", &format!("{number}-app-secret"))?;
        self.write_secret(&format!("{name}-meta"), "verify-token", &format!("{number}-verify-token"))?;
        self.write_secret(&format!("{name}-api"), "token", &api_token(name))?;
        self.write(&format!("config/tenant-{name}.yaml"), &manifest)
    }

    /// Writes the Flows' manifests; the data plane picks them up. `$ENDPOINT` in them is the URL of the simulator's HTTP
    /// service, which calls of the first tenant may reach.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_flows(&self, manifests: &str) -> Result<()> {
        self.write("config/flows.yaml", &manifests.replace("$ENDPOINT", &self.simulator.endpoint_url()))
    }

    /// Writes other Flows, and waits until every replica runs them.
    ///
    /// # Errors
    /// When one does not within 10 s.
    pub async fn change_flows(&self, manifests: &str) -> Result<()> {
        let mut before = Vec::new();
        for replica in &self.replicas {
            before.push(revision(replica).await?);
        }
        self.write_flows(manifests)?;
        for (replica, before) in self.replicas.iter().zip(&before) {
            let is_new = async || revision(replica).await.is_ok_and(|now| now != *before);
            until(Duration::from_secs(10), "other Flows run", is_new).await?;
        }
        Ok(())
    }

    /// Writes a key of a Secret.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_secret(&self, secret: &str, key: &str, value: &str) -> Result<()> {
        fs::create_dir_all(self.path("secrets").join(secret))?;
        self.write(&format!("secrets/{secret}/{key}"), value)
    }

    /// A file of the shop.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A customer who writes to the first tenant.
    ///
    /// # Errors
    /// When the simulator does not know the number.
    pub fn customer(&self, phone: &str, name: &str) -> Result<Customer> {
        self.simulator.customer(NUMBER, phone, name)
    }

    // By renaming, so that no reader sees half a file.
    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.path(file);
        let aside = self.folder.path().join("aside");
        fs::write(&aside, text)?;
        fs::rename(aside, &path).with_context(|| path.display().to_string())
    }
}

/// The revision of the first tenant's configuration that a replica runs.
async fn revision(replica: &Replica) -> Result<Value> {
    Ok(replica.configz().await?["tenants"]["default/acme"]["revision"].clone())
}

/// A database with this version's tables, copied from a template that was migrated once.
async fn migrated(databases: &Databases, folder: &Path) -> Result<Database> {
    let program = binary("wigwag-dataplane")?;
    // A rebuilt binary may have other migrations.
    let mut hash = DefaultHasher::new();
    fs::metadata(&program)?.modified()?.hash(&mut hash);
    let name = format!("migrated_{:016x}", hash.finish());
    let template = databases
        .template(&name, async |url| {
            let mut migrate = Program::new("migrate", program.clone(), vec!["migrate".to_owned()]);
            migrate.env.insert("WIGWAG_DATABASE_URL".to_owned(), url.to_owned());
            let process = Process::spawn(migrate, &folder.join("logs"))?;
            let status = process.exited().await;
            anyhow::ensure!(status.success(), "migrate: {status}; see {}", process.log().display());
            Ok(())
        })
        .await?;
    databases.create_from(&template, "shop").await
}
