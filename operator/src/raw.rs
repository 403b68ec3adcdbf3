//! A custom resource as it stands in the API server: typed metadata, untyped spec and status.
//!
//! Two reasons. A revision is a hash over the spec as it was written, and typed specs serialise in their own way
//! (`60m` becomes `1h`). And one object that an older or newer version wrote must not fail the whole list: here it
//! fails where it is read, by itself.

use std::{borrow::Cow, marker::PhantomData};

use kube::{Resource, api::ObjectMeta};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// An object of kind `K`, its spec and status unread.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound = "")]
pub struct Raw<K> {
    /// Metadata, as everywhere.
    pub metadata: ObjectMeta,
    /// The spec as it was written and defaulted.
    #[serde(default)]
    pub spec: Value,
    /// The status as it was written.
    #[serde(default)]
    pub status: Value,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

/// A field that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Misfit {
    /// Its path within the object, such as `spec.session.timeout`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl<K> Raw<K> {
    /// The spec, read as this version's.
    ///
    /// # Errors
    /// When the spec is of another version, or has a value that the schema cannot tell from a good one.
    pub fn read_spec<S: DeserializeOwned>(&self) -> Result<S, Misfit> {
        serde_path_to_error::deserialize(&self.spec).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "spec".to_owned() } else { format!("spec.{path}") };
            Misfit { field, message: error.into_inner().to_string() }
        })
    }

    /// The status; one that does not read counts as none, because it is about to be written anew.
    #[must_use]
    pub fn read_status<S: DeserializeOwned + Default>(&self) -> S {
        S::deserialize(&self.status).unwrap_or_default()
    }

    /// Whether somebody has begun to delete the object.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// An object for tests of what is made from it.
    #[cfg(test)]
    pub fn of(name: &str, spec: Value) -> Self {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some("shop".to_owned()),
            uid: Some(format!("uid-of-{name}")),
            generation: Some(1),
            ..ObjectMeta::default()
        };
        Self { metadata, spec, status: Value::Null, kind: PhantomData }
    }
}

impl<K: Resource<DynamicType = ()>> Resource for Raw<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind(_: &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group(_: &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version(_: &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural(_: &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
