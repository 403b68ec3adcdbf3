//! Parts that both commands begin with: the binaries, ports, PostgreSQL, the simulator.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use wigwag_simulator::{Settings, Simulator};

use super::manifests::{Account, Found};
use super::steps::{step, step_titled};
use crate::{Sandbox, port};

/// Slow enough to be seen.
const RECEIPT_GAP: Duration = Duration::from_millis(150);

/// A binary of Wigwag: it lies beside ours.
///
/// # Errors
/// When it was not built.
pub(super) fn binary(name: &str) -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name(name);
    ensure!(path.is_file(), "{} is not there: `cargo build --workspace --bins` makes it", path.display());
    Ok(path)
}

/// Makes sure that nobody listens on `address`.
///
/// # Errors
/// When somebody does; the message says `what` wants the port, and the `way_out`.
pub(super) fn ensure_free(address: SocketAddr, what: &str, way_out: &str) -> Result<()> {
    let port = address.port();
    ensure!(!port::is_taken(port), "port {port} is taken, and {what} needs it: end what listens there, or {way_out}");
    Ok(())
}

/// Starts PostgreSQL, or takes that of `DATABASE_URL`.
///
/// # Errors
/// When there is none to be had; the message names the ways out.
pub(super) async fn start_postgres(sandbox: &mut Sandbox) -> Result<()> {
    let work = async {
        let postgres = sandbox.start_postgres().await?;
        let version = postgres.databases().version().await?;
        anyhow::Ok((version, matches!(postgres, crate::postgres::Postgres::Own(_))))
    };
    let title = |(version, is_own): &(u32, bool)| {
        let whose = if *is_own { "private" } else { "at DATABASE_URL" };
        format!("PostgreSQL {}.{}, {whose}", version / 10_000, version % 10_000)
    };
    step_titled("PostgreSQL", work, title).await.map(drop)
}

/// Starts the simulator where the manifests expect Meta.
///
/// # Errors
/// When there is no account, or they do not agree on an address, or it is taken.
pub(super) async fn start_simulator(found: &Found, folder: &str) -> Result<Simulator> {
    let Some(address) = found.accounts.first().map(|account| account.graph) else {
        let left_out = found.left_out.join("\n");
        bail!("{folder} has no tenant that the simulator can play (examples/quickstart has one).\n{left_out}")
    };
    if let Some(other) = found.accounts.iter().find(|account| account.graph != address) {
        let (tenant, graph) = (&other.tenant, other.graph);
        bail!(
            "tenant {tenant} has the baseUrl http://{graph}, others http://{address}: there is one simulator, name one"
        );
    }
    ensure_free(address, "the simulator", &format!("change cloudApi.baseUrl in {folder}"))?;
    let settings = Settings { listen: address, receipt_gap: RECEIPT_GAP, ..Settings::default() };
    step(&format!("Meta's Cloud API, simulated, at {address}"), Simulator::start(settings)).await
}

/// Registers each account, its webhooks to go where `webhook` says, and has each answer the handshake.
///
/// # Errors
/// When one does not.
pub(super) async fn register(
    simulator: &Simulator,
    accounts: &[Account],
    webhook: impl Fn(&Account) -> String,
) -> Result<()> {
    for account in accounts {
        let number = wigwag_simulator::Number { webhook_url: webhook(account), ..account.number.clone() };
        let (id, url) = (number.phone_number_id.clone(), number.webhook_url.clone());
        simulator.register(number)?;
        simulator.verify(&id).await.with_context(|| format!("the handshake with {url}"))?;
    }
    Ok(())
}
