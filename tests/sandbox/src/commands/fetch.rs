//! Gets beforehand what the demo and the tests would get when they first need it.

use anyhow::Result;

use super::parts;
use super::steps::step;
use crate::Sandbox;
use crate::binaries::Tool;

/// Finds, fetches or builds each program; PostgreSQL is tried, too.
pub(super) async fn run() -> Result<()> {
    parts::start_postgres(&mut Sandbox::empty()?).await?;
    for tool in Tool::ALL {
        step(tool.name(), tool.path()).await?;
    }
    Ok(())
}
