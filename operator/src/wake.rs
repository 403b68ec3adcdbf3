//! Wakes a reconcile from outside its watches: after another object changed that it depends on, or after a replica of
//! the data plane told something new.

use futures::{
    Stream,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};
use kube::{Resource, runtime::reflector::ObjectRef};

/// One sender for each controller of the kind; `None` stands for a controller of all namespaces.
///
/// Unbounded is safe: controllers take references out at once and keep each object only once.
#[derive(Debug)]
pub struct Waker<K: Resource<DynamicType = ()>> {
    controllers: Vec<(Option<String>, UnboundedSender<ObjectRef<K>>)>,
}

impl<K: Resource<DynamicType = ()> + 'static> Waker<K> {
    /// A waker, and for each scope the stream that its controller listens to.
    pub fn new(scopes: &[Option<String>]) -> (Self, Vec<impl Stream<Item = ObjectRef<K>> + Send + use<K>>) {
        let (senders, receivers): (Vec<_>, Vec<UnboundedReceiver<_>>) = scopes.iter().map(|_| unbounded()).unzip();
        (Self { controllers: scopes.iter().cloned().zip(senders).collect() }, receivers)
    }

    /// Has the object reconciled soon; without effect where it does not exist.
    pub fn wake(&self, namespace: &str, name: &str) {
        for (scope, sender) in &self.controllers {
            if scope.as_deref().is_none_or(|scope| scope == namespace) {
                // A controller that is gone is on its way out with the process.
                let _ = sender.unbounded_send(ObjectRef::new(name).within(namespace));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};
    use k8s_openapi::api::core::v1::Pod;

    use super::*;

    #[tokio::test]
    async fn only_the_controller_of_the_namespace_is_woken() {
        let scopes = [Some("a".to_owned()), Some("b".to_owned())];
        let (waker, mut streams) = Waker::<Pod>::new(&scopes);
        waker.wake("b", "x");
        assert!(streams[0].next().now_or_never().is_none());
        assert_eq!(streams[1].next().await, Some(ObjectRef::new("x").within("b")));
    }
}
