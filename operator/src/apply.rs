//! Brings one object to what it should be, by server-side apply, and writes nothing when it is that already.
//!
//! Two things are compared. What is there must contain what should be there: so a change that somebody made to our
//! fields is undone, and what the API server or others added stays. And the hash of what was applied last, kept in an
//! annotation, must be that of what should be there now: so a field that we no longer want is seen, and the apply
//! takes it away.

mod contains;
mod quantity;

use std::fmt::Debug;

use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wigwag_crds::labels::{APPLIED, FIELD_MANAGER};

use crate::{error::Error, tenant::build::Owner};

/// A kind of object that a tenant owns.
pub trait Child:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned
{
}

impl<K> Child for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned
{
}

/// What became of an object.
#[derive(Clone, Debug)]
pub enum Applied<K> {
    /// It stands as it should.
    Stands(K),
    /// It is not there, and should not be.
    Absent,
    /// An object of that name belongs to somebody else and was left alone.
    Taken,
    /// The API server refused it, in these words.
    Refused(String),
}

/// What has to be done.
#[derive(Debug, PartialEq)]
enum Step {
    Leave,
    Write(Value),
    Taken,
}

// === impl Applied ===

impl<K> Applied<K> {
    /// The object, if it stands.
    pub const fn object(&self) -> Option<&K> {
        match self {
            Self::Stands(object) => Some(object),
            _ => None,
        }
    }
}

/// Makes the live object what it should be.
///
/// # Errors
/// When the API server does not answer, or the object changed hands in between: to be tried again. A refusal of the
/// object itself is not an error but [`Applied::Refused`].
pub async fn apply<K: Child>(
    client: &Client,
    owner: &Owner,
    live: Option<&K>,
    desired: &K,
) -> Result<Applied<K>, Error> {
    let what = || format!("{} {:?}", K::kind(&()), desired.name_any());
    let step =
        step(owner, live, desired).map_err(|error| Error::Manifest { what: what(), cause: error.to_string() })?;
    match (step, live) {
        (Step::Taken, _) => Ok(Applied::Taken),
        (Step::Leave, Some(live)) => Ok(Applied::Stands(live.clone())),
        (Step::Leave, None) => Ok(Applied::Absent),
        (Step::Write(body), _) => {
            let api: Api<K> = Api::namespaced(client.clone(), &owner.namespace);
            let params = PatchParams::apply(FIELD_MANAGER).force();
            let written = api.patch(&desired.name_any(), &params, &Patch::Apply(&body)).await;
            match written.map_err(Error::api(format!("applying {}", what()))) {
                Ok(object) => {
                    tracing::info!(namespace = owner.namespace, tenant = owner.name, object = what(), "applied");
                    Ok(Applied::Stands(object))
                }
                Err(error) => error.refusal().map(Applied::Refused).ok_or(error),
            }
        }
    }
}

/// Deletes what should not be there, if it is the tenant's.
///
/// # Errors
/// When the API server does not answer.
pub async fn remove<K: Child>(client: &Client, owner: &Owner, live: Option<&K>) -> Result<Applied<K>, Error> {
    let Some(live) = live.filter(|live| owner.owns(*live) && live.meta().deletion_timestamp.is_none()) else {
        return Ok(Applied::Absent);
    };
    let what = format!("{} {:?}", K::kind(&()), live.name_any());
    let api: Api<K> = Api::namespaced(client.clone(), &owner.namespace);
    let params = DeleteParams {
        preconditions: Some(Preconditions { uid: live.uid(), resource_version: None }),
        ..DeleteParams::default()
    };
    match api.delete(&live.name_any(), &params).await {
        Ok(_) => tracing::info!(namespace = owner.namespace, tenant = owner.name, object = what, "deleted"),
        Err(kube::Error::Api(status)) if status.is_not_found() => {}
        Err(error) => return Err(Error::api(format!("deleting {what}"))(error)),
    }
    Ok(Applied::Absent)
}

fn step<K: Child>(owner: &Owner, live: Option<&K>, desired: &K) -> serde_json::Result<Step> {
    let mut body = serde_json::to_value(desired)?;
    body["apiVersion"] = json!(K::api_version(&()));
    body["kind"] = json!(K::kind(&()));
    let hash = hex::encode(&Sha256::digest(serde_json::to_vec(&body)?)[..8]);
    body["metadata"]["annotations"][APPLIED] = json!(hash);
    let Some(live) = live else { return Ok(Step::Write(body)) };
    if !owner.owns(live) {
        return Ok(Step::Taken);
    }
    // Type and status are not ours to compare; a typed object has no type to show anyway.
    let mut standing = serde_json::to_value(live)?;
    standing["apiVersion"] = body["apiVersion"].clone();
    standing["kind"] = body["kind"].clone();
    if contains::contains(&standing, &body) {
        return Ok(Step::Leave);
    }
    // The write is for this very object: should somebody have put another in its place, it is refused.
    body["metadata"]["uid"] = json!(live.uid());
    Ok(Step::Write(body))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::{core::v1::ConfigMap, networking::v1::Ingress};

    use super::*;

    fn owner() -> Owner {
        Owner { namespace: "shop".into(), name: "acme".into(), uid: "u1".into() }
    }

    fn config_map(data: &[(&str, &str)]) -> ConfigMap {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        ConfigMap { metadata: owner().metadata(), data: Some(data), ..ConfigMap::default() }
    }

    /// What stands in the API server after the body was applied to nothing.
    fn stored<K: Child>(desired: &K) -> K {
        let Step::Write(mut body) = step(&owner(), None, desired).unwrap() else { unreachable!("nothing is there") };
        body["metadata"]["uid"] = json!("object-1");
        body["metadata"]["resourceVersion"] = json!("7");
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn what_stands_as_it_should_is_not_written_again_whatever_others_added() {
        let desired = config_map(&[("a", "1")]);
        let mut live = stored(&desired);
        assert_eq!(step(&owner(), Some(&live), &desired).unwrap(), Step::Leave);
        live.labels_mut().insert("added-by".into(), "somebody".into());
        live.data.as_mut().unwrap().insert("theirs".into(), "x".into());
        assert_eq!(step(&owner(), Some(&live), &desired).unwrap(), Step::Leave);
    }

    #[test]
    fn a_change_of_ours_is_written_and_so_is_what_somebody_undid() {
        let desired = config_map(&[("a", "1")]);
        let mut live = stored(&desired);
        assert!(matches!(step(&owner(), Some(&live), &config_map(&[("a", "2")])).unwrap(), Step::Write(_)));
        live.data.as_mut().unwrap().insert("a".into(), "edited".into());
        assert!(matches!(step(&owner(), Some(&live), &desired).unwrap(), Step::Write(_)));
    }

    #[test]
    fn a_field_that_is_no_longer_wanted_is_seen_though_what_stands_contains_the_rest() {
        let live = stored(&config_map(&[("a", "1"), ("b", "2")]));
        assert!(matches!(step(&owner(), Some(&live), &config_map(&[("a", "1")])).unwrap(), Step::Write(_)));
    }

    #[test]
    fn an_object_of_another_owner_is_left_alone_also_one_of_a_tenant_with_the_same_name() {
        let desired = config_map(&[]);
        let mut theirs = stored(&desired);
        theirs.metadata.owner_references = None;
        assert_eq!(step(&owner(), Some(&theirs), &desired).unwrap(), Step::Taken);
        let earlier = Owner { uid: "u0".into(), ..owner() };
        theirs.metadata = earlier.metadata();
        assert_eq!(step(&owner(), Some(&theirs), &desired).unwrap(), Step::Taken);
    }

    #[test]
    fn a_write_over_an_object_is_for_that_object_only() {
        let live = stored(&config_map(&[("a", "1")]));
        let Step::Write(body) = step(&owner(), Some(&live), &config_map(&[("a", "2")])).unwrap() else {
            unreachable!("it changed")
        };
        assert_eq!(body["metadata"]["uid"], "object-1");
        assert_eq!(body["metadata"]["resourceVersion"], Value::Null);
        assert_eq!((&body["kind"], &body["apiVersion"]), (&json!("ConfigMap"), &json!("v1")));
    }

    #[test]
    fn a_second_host_that_somebody_added_to_our_rules_is_taken_away() {
        let ingress = |hosts: &[&str]| {
            let rules: Vec<_> = hosts.iter().map(|host| json!({"host": host})).collect();
            let body = json!({"metadata": owner().metadata(), "spec": {"rules": rules}});
            serde_json::from_value::<Ingress>(body).unwrap()
        };
        let desired = ingress(&["a.example"]);
        let mut live = stored(&desired);
        live.spec = ingress(&["a.example", "b.example"]).spec;
        assert!(matches!(step(&owner(), Some(&live), &desired).unwrap(), Step::Write(_)));
    }
}
