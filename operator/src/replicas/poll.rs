//! The task that asks a tenant's replicas, round after round.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{Expected, Replicas, Report, Sessions, TenantKey};

/// Between two rounds while a change is on its way to the replicas.
const EAGER: Duration = Duration::from_millis(500);
/// For so long after a change; a kubelet that was not woken syncs within a minute or two.
const EAGER_FOR: Duration = Duration::from_secs(150);
/// Between two rounds otherwise.
const CALM: Duration = Duration::from_secs(15);
/// Between two counts of the open sessions: what they lead to in a Flow's status is written no more often.
const COUNT: Duration = Duration::from_secs(60);

/// Asks until the tenant is forgotten.
pub async fn run(replicas: Arc<Replicas>, tenant: TenantKey, mut expectation: watch::Receiver<Expected>) {
    let mut changed_at = Instant::now();
    let mut counted_at: Option<Instant> = None;
    loop {
        let expected = expectation.borrow_and_update().clone();
        let reports = round(&replicas, &expected).await;
        if expectation.has_changed().is_err() {
            return;
        }
        let settled = expected.targets.iter().all(|target| expected.is_settled(&tenant, reports.get(&target.pod)));
        replicas.heard(&tenant, reports);
        if counted_at.is_none_or(|at| at.elapsed() >= COUNT)
            && let Some(sessions) = count(&replicas, &tenant, &expected).await
        {
            counted_at = Some(Instant::now());
            replicas.counted(&tenant, sessions);
        }
        tokio::select! {
            changed = expectation.changed() => match changed {
                Ok(()) => changed_at = Instant::now(),
                Err(_) => return,
            },
            () = sleep(pause(settled, changed_at.elapsed(), rand::random())) => {}
        }
    }
}

async fn round(replicas: &Replicas, expected: &Expected) -> BTreeMap<String, Report> {
    let asked = expected.targets.iter().filter_map(|target| Some((target.pod.clone(), target.address?)));
    let answers = asked.map(async |(pod, address)| (pod, replicas.prober.configz(address).await));
    join_all(answers).await.into_iter().collect()
}

/// The tenant's open sessions, as the first replica that takes traffic knows them. One that does not tell is asked again
/// in the next round.
async fn count(replicas: &Replicas, tenant: &TenantKey, expected: &Expected) -> Option<Sessions> {
    let address = expected.targets.iter().filter(|target| target.ready).find_map(|target| target.address)?;
    match replicas.prober.standing(address).await {
        Ok(mut standing) => Some(standing.tenants.remove(&tenant.to_string()).unwrap_or_default()),
        Err(cause) => {
            tracing::debug!(%tenant, cause, "the open sessions were not counted");
            None
        }
    }
}

/// With jitter, so that the tenants of a restarted operator spread out.
fn pause(settled: bool, since_change: Duration, jitter: f64) -> Duration {
    if !settled && since_change < EAGER_FOR { EAGER } else { CALM.mul_f64(0.8 + 0.4 * jitter) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_asked_eagerly_only_while_a_change_is_on_its_way() {
        let minute = Duration::from_secs(60);
        assert_eq!(pause(false, minute, 0.5), EAGER);
        assert_eq!(pause(true, minute, 0.5), CALM);
        assert_eq!(pause(false, minute * 10, 0.5), CALM, "a replica that never gets there is not hammered for ever");
    }
}
