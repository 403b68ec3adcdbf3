//! Tells kubelets that a Pod's files have changed. A kubelet looks at its volumes at every change of the Pod, but else
//! only once in a minute or so; so an annotation of the Pod is changed.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;
use wigwag_crds::{configz::Configz, labels::CONFIG_SYNC, revision::flow_revision};

use super::{build::Owner, pods::Replica};
use crate::{
    error::Error,
    replicas::{Expected, Lag, Report},
};

/// Wakes the kubelets of the replicas that told that they are behind, once for each expectation.
///
/// # Errors
/// When the API server does not take a patch.
pub async fn sync_pods(
    client: &Client,
    owner: &Owner,
    replicas: &[Replica],
    expected: &Expected,
    reports: &BTreeMap<String, Report>,
) -> Result<(), Error> {
    let api: Api<Pod> = Api::namespaced(client.clone(), &owner.namespace);
    let state = state(expected);
    let patch = json!({"metadata": {"annotations": {CONFIG_SYNC: state}}});
    for pod in behind(owner, replicas, expected, reports, &state) {
        match api.patch(pod, &PatchParams::default(), &Patch::Merge(&patch)).await {
            Ok(_) => {}
            // It has ended in the meantime.
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => return Err(Error::api(format!("annotating Pod {pod:?}"))(error)),
        }
    }
    Ok(())
}

fn behind<'a>(
    owner: &Owner,
    replicas: &'a [Replica],
    expected: &Expected,
    reports: &BTreeMap<String, Report>,
    state: &str,
) -> Vec<&'a str> {
    let key = owner.key().to_string();
    let is_behind = |report: &Configz| expected.lag(report.tenants.get(&key)) != Lag::None;
    let replicas = replicas.iter().filter(|replica| replica.synced_to.as_deref() != Some(state));
    let names = replicas.map(|replica| replica.target.pod.as_str());
    names.filter(|pod| matches!(reports.get(*pod), Some(Ok(report)) if is_behind(report))).collect()
}

/// A short name for what is expected, so that each expectation is told once.
fn state(expected: &Expected) -> String {
    flow_revision(&json!([expected.revision, expected.secrets]))
}

#[cfg(test)]
mod tests {
    use wigwag_crds::configz::TenantReport;

    use super::*;
    use crate::replicas::Target;

    #[test]
    fn a_pod_is_told_once_and_only_if_it_is_behind() {
        let owner = Owner { namespace: "shop".into(), name: "acme".into(), uid: "u".into() };
        let expected = Expected { revision: "new".into(), ..Expected::default() };
        let report = |revision: &str| {
            let report = TenantReport { revision: revision.to_owned(), ..TenantReport::default() };
            Ok(Configz { tenants: BTreeMap::from([("shop/acme".to_owned(), report)]), ..Configz::default() })
        };
        let replica = |pod: &str, synced_to: Option<&str>| Replica {
            target: Target { pod: pod.to_owned(), address: None, ready: true },
            synced_to: synced_to.map(str::to_owned),
            trouble: None,
        };
        let state = state(&expected);
        let replicas = [
            replica("behind", Some("earlier")),
            replica("told", Some(&state)),
            replica("new", None),
            replica("mute", None),
        ];
        let reports = BTreeMap::from([
            ("behind".to_owned(), report("old")),
            ("told".to_owned(), report("old")),
            ("new".to_owned(), report("new")),
            ("mute".to_owned(), Err("no answer".to_owned())),
        ]);
        assert_eq!(behind(&owner, &replicas, &expected, &reports, &state), ["behind"]);
    }
}
