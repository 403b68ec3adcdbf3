//! Memory of a data plane that has nothing to do.

use std::fs;
use std::time::Duration;

use anyhow::Result;

use crate::bed::Bed;
use crate::conversation::quickstart;
use crate::process::{Resident, resident};

/// Until a process that has started does nothing any more.
const SETTLE: Duration = Duration::from_secs(3);

/// Of the data plane with the quickstart's manifests, its Secret among them.
///
/// # Errors
/// When it does not start.
pub async fn dataplane(bed: &Bed) -> Result<Resident> {
    let secrets = bed.folder().join("no-secrets");
    fs::create_dir_all(&secrets)?;
    let database = bed.database().await?;
    let dataplane = bed.start_dataplane(&database, &quickstart(), &secrets).await?;
    tokio::time::sleep(SETTLE).await;
    let memory = resident(dataplane.pid()?)?;
    dataplane.end().await?;
    Ok(memory)
}
