//! Watches. Broken ones are tried again by themselves, and what vanished while one was broken is told too.

use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
};

use futures::{Stream, StreamExt, future::ready};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::PartialObjectMeta,
    core::NamespaceResourceScope,
    runtime::{
        WatchStreamExt,
        reflector::store::Writer,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

use crate::backoff::WatchBackoff;

/// What a controller works on: a namespace, or all of them.
pub struct Watched<K: Resource<DynamicType = ()> + Clone + 'static> {
    /// The namespace; `None` for all.
    pub scope: Option<String>,
    /// Fills the store of the controller's own objects.
    pub writer: Writer<K>,
}

/// The API for a scope.
pub fn api<K>(client: &Client, scope: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match scope {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// The events of a watch. Never fails: a controller that is handed an error pauses *all* its watches.
pub fn events<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut is_broken = false;
    watcher(api, config).backoff(WatchBackoff::default()).filter_map(move |event| {
        match &event {
            // Once, not at every try.
            Err(error) if !is_broken => tracing::warn!(kind = %K::kind(&()), %error, "watching failed; trying again"),
            Ok(_) if is_broken => tracing::info!(kind = %K::kind(&()), "watching again"),
            _ => {}
        }
        is_broken = event.is_err();
        ready(event.ok().map(Ok))
    })
}

/// Metadata of the objects that were touched, deleted ones included.
pub fn touched<K>(
    api: Api<PartialObjectMeta<K>>,
    config: watcher::Config,
) -> impl Stream<Item = Result<PartialObjectMeta<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + 'static,
{
    events(api, config).touched_objects()
}

/// Follows one fact of each object of a watch and tells where it changed: from what to what. The fact is what other
/// objects depend on; a change of anything else wakes nobody.
#[derive(Debug)]
pub struct Changes<F> {
    known: HashMap<(String, String), F>,
    listed: HashSet<(String, String)>,
}

/// A fact before and after.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<F> {
    /// Namespace of the object.
    pub namespace: String,
    /// Its fact before; `None` if the object is new.
    pub old: Option<F>,
    /// Its fact now; `None` if the object is gone.
    pub new: Option<F>,
}

// === impl Changes ===

impl<F> Default for Changes<F> {
    fn default() -> Self {
        Self { known: HashMap::new(), listed: HashSet::new() }
    }
}

impl<F: Clone + PartialEq> Changes<F> {
    /// Takes the next event in.
    pub fn follow<K: Resource>(&mut self, event: &Event<K>, fact: impl Fn(&K) -> F) -> Vec<Change<F>> {
        let key = |object: &K| (object.namespace().unwrap_or_default(), object.name_any());
        match event {
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::Apply(object) => self.put(key(object), Some(fact(object))),
            Event::Delete(object) => self.put(key(object), None),
            Event::InitApply(object) => {
                self.listed.insert(key(object));
                self.put(key(object), Some(fact(object)))
            }
            Event::InitDone => {
                let gone: Vec<_> = self.known.keys().filter(|key| !self.listed.contains(*key)).cloned().collect();
                gone.into_iter().flat_map(|key| self.put(key, None)).collect()
            }
        }
    }

    fn put(&mut self, key: (String, String), new: Option<F>) -> Vec<Change<F>> {
        let namespace = key.0.clone();
        let old = match new.clone() {
            Some(new) => self.known.insert(key, new),
            None => self.known.remove(&key),
        };
        if old == new { Vec::new() } else { vec![Change { namespace, old, new }] }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;

    use super::*;

    fn object(name: &str, generation: i64) -> ConfigMap {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some("shop".to_owned()),
            generation: Some(generation),
            ..ObjectMeta::default()
        };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    fn follow(changes: &mut Changes<Option<i64>>, event: &Event<ConfigMap>) -> Vec<(Option<i64>, Option<i64>)> {
        let told = changes.follow(event, |object| object.metadata.generation);
        told.into_iter().map(|change| (change.old.flatten(), change.new.flatten())).collect()
    }

    #[test]
    fn only_a_change_of_the_fact_is_told() {
        let mut changes = Changes::default();
        assert_eq!(follow(&mut changes, &Event::Apply(object("a", 1))), [(None, Some(1))]);
        assert_eq!(follow(&mut changes, &Event::Apply(object("a", 1))), []);
        assert_eq!(follow(&mut changes, &Event::Apply(object("a", 2))), [(Some(1), Some(2))]);
        assert_eq!(follow(&mut changes, &Event::Delete(object("a", 2))), [(Some(2), None)]);
    }

    #[test]
    fn what_vanished_while_the_watch_was_broken_is_told_when_it_is_back() {
        let mut changes = Changes::default();
        for event in [Event::Init, Event::InitApply(object("a", 1)), Event::InitApply(object("b", 1)), Event::InitDone]
        {
            follow(&mut changes, &event);
        }
        assert_eq!(follow(&mut changes, &Event::Init), []);
        assert_eq!(follow(&mut changes, &Event::InitApply(object("b", 1))), []);
        assert_eq!(follow(&mut changes, &Event::InitDone), [(Some(1), None)], "a is gone");
    }
}
