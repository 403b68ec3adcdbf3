//! Waits for the custom resources: a chart's CRDs may come after its Deployment. Asking discovery needs no rights.

use std::time::Duration;

use kube::{Client, Resource};
use tokio::time::{sleep, timeout};
use wigwag_crds::{Flow, WhatsAppTenant};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// A look takes no longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Returns when the API server serves both custom resources.
pub async fn custom_resources(client: &Client) {
    let mut last_cause = String::new();
    loop {
        let cause = match timeout(PATIENCE, missing(client)).await {
            Ok(Ok(missing)) if missing.is_empty() => return,
            Ok(Ok(missing)) => format!("no CustomResourceDefinition of {}", missing.join(" and ")),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        // Once a cause, not once a second.
        if cause != last_cause {
            tracing::warn!(%cause, "waiting for the custom resources; the chart brings them (crds.enabled)");
            last_cause = cause;
        }
        sleep(PAUSE).await;
    }
}

async fn missing(client: &Client) -> Result<Vec<String>, kube::Error> {
    let served = match client.list_api_group_resources(&WhatsAppTenant::api_version(&())).await {
        Ok(list) => list.resources.into_iter().map(|resource| resource.name).collect(),
        Err(kube::Error::Api(status)) if status.is_not_found() => Vec::new(),
        Err(error) => return Err(error),
    };
    let wanted = [WhatsAppTenant::plural(&()), Flow::plural(&())];
    Ok(wanted.into_iter().map(String::from).filter(|name| !served.contains(name)).collect())
}
