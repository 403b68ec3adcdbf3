//! The edge: one HTTP entry that routes by the Ingress objects, as an ingress controller does.
//!
//! Host and path -> Ingress rule -> Service -> Ready Pods, so that a wrong Ingress or Service fails a test. It passes
//! requests on as they are, Host header included, streams bodies both ways, and repeats nothing. It serves every
//! ingress class and writes its address into each Ingress's status.

mod route;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{Request, StatusCode, Uri, header};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::Store;
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::background;
use crate::control_plane::client_of;

/// What an Ingress's status is told.
const ADDRESS: &str = "127.0.0.1";

/// An edge that runs; it stops with its owner.
#[derive(Debug)]
pub struct Edge {
    address: SocketAddr,
    task: AbortHandle,
}

/// What a request needs.
struct Routes {
    ingresses: Store<Ingress>,
    services: Store<Service>,
    pods: Store<Pod>,
    http: HttpClient<HttpConnector, Body>,
    turn: AtomicUsize,
}

impl Edge {
    /// Starts an edge with all rights of `kubeconfig` on `port` of 127.0.0.1; 0 takes a free one. It returns when it
    /// knows every Ingress, Service and Pod that there is.
    ///
    /// # Errors
    /// When the port is taken or the API server does not answer.
    pub async fn start(kubeconfig: &Path, port: u16) -> Result<Self> {
        let kubeconfig = kubeconfig.to_owned();
        let begun = background::spawn(async move {
            let client = client_of(&kubeconfig).await?;
            let listener = TcpListener::bind((ADDRESS, port)).await;
            let listener = listener.with_context(|| format!("the edge cannot listen on {ADDRESS}:{port}"))?;
            let address = listener.local_addr()?;
            let (routes, watches) = Routes::watch(&client).await?;
            let serve = async move {
                let app = Router::new().fallback(forward).with_state(routes);
                tokio::select! {
                    () = watches => {}
                    _ = axum::serve(listener, app) => {}
                }
            };
            anyhow::Ok(Self { address, task: background::spawn(serve)?.abort_handle() })
        })?;
        begun.await?
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Routes {
    /// The routes, once they are complete, and the work that keeps them so.
    async fn watch(client: &Client) -> Result<(Arc<Self>, impl Future<Output = ()> + use<>)> {
        let (ingresses, keep_ingresses) = reflect::<Ingress>(client);
        let (services, keep_services) = reflect::<Service>(client);
        let (pods, keep_pods) = reflect::<Pod>(client);
        let claimed = claim(client.clone());
        let mut watches = Box::pin(async move {
            tokio::join!(keep_ingresses, keep_services, keep_pods, claimed);
        });
        let http = HttpClient::builder(TokioExecutor::new())
            // A pooled connection may just be closing: a request would be lost, or repeated.
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build_http();
        let routes = Arc::new(Self { ingresses, services, pods, http, turn: AtomicUsize::new(0) });
        let complete = async {
            routes.ingresses.wait_until_ready().await?;
            routes.services.wait_until_ready().await?;
            routes.pods.wait_until_ready().await
        };
        tokio::select! {
            complete = complete => complete.context("the edge's watches ended")?,
            () = &mut watches => {}
        }
        Ok((routes, watches))
    }

    /// The address of a Pod that serves `host` and `path`; Ready Pods take turns.
    fn target(&self, host: &str, path: &str) -> Result<SocketAddr, (StatusCode, String)> {
        let ingresses = self.ingresses.state();
        let Some(backend) = route::backend(ingresses.iter().map(AsRef::as_ref), host, path) else {
            return Err((StatusCode::NOT_FOUND, format!("no Ingress has a rule for host {host:?} and path {path:?}")));
        };
        let unavailable = |why: String| (StatusCode::SERVICE_UNAVAILABLE, why);
        let (namespace, name) = (&backend.namespace, &backend.service);
        let is_it = |it: &Service| it.namespace().as_ref() == Some(namespace) && it.name_any() == *name;
        let service = self.services.find(is_it);
        let service = service.ok_or_else(|| unavailable(format!("there is no Service {namespace}/{name}")))?;
        let pods = self.pods.state();
        let targets = route::targets(&service, &backend.port, pods.iter().map(AsRef::as_ref)).map_err(unavailable)?;
        if targets.is_empty() {
            return Err(unavailable(format!("Service {namespace}/{name} has no Ready Pod")));
        }
        Ok(targets[self.turn.fetch_add(1, Ordering::Relaxed) % targets.len()])
    }
}

async fn forward(State(routes): State<Arc<Routes>>, mut request: Request<Body>) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    let target = match routes.target(&name, request.uri().path()) {
        Ok(target) => target,
        Err((status, why)) => {
            tracing::info!(host = name, path = request.uri().path(), %status, why);
            return (status, format!("edge: {why}\n")).into_response();
        }
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match Uri::builder().scheme("http").authority(target.to_string()).path_and_query(path).build() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("edge: {error}\n")).into_response(),
    }
    // It speaks of one connection, and there are two.
    request.headers_mut().remove(header::CONNECTION);
    match routes.http.request(request).await {
        Ok(mut response) => {
            response.headers_mut().remove(header::CONNECTION);
            response.map(Body::new)
        }
        Err(error) => {
            tracing::info!(host = name, %target, %error, "no answer");
            (StatusCode::BAD_GATEWAY, format!("edge: no answer from {target}: {error}\n")).into_response()
        }
    }
}

/// A store of all objects of a kind, and the work that keeps it up to date.
fn reflect<K>(client: &Client) -> (Store<K>, impl Future<Output = ()> + use<K>)
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let objects: Api<K> = Api::all(client.clone());
    let stream = reflector(writer, watcher(objects, watcher::Config::default()).default_backoff());
    (store, stream.for_each(|_| std::future::ready(())))
}

/// Writes our address into every Ingress that does not have it.
async fn claim(client: Client) {
    let ingresses: Api<Ingress> = Api::all(client.clone());
    let stream = watcher(ingresses, watcher::Config::default()).default_backoff().applied_objects();
    stream
        .for_each(|ingress| async {
            let Ok(ingress) = ingress else { return };
            if route::has_address(&ingress, ADDRESS) {
                return;
            }
            let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}});
            let api: Api<Ingress> = Api::namespaced(client.clone(), &ingress.namespace().unwrap_or_default());
            let patched = api.patch_status(&ingress.name_any(), &PatchParams::default(), &Patch::Merge(status)).await;
            if let Err(error) = patched {
                tracing::debug!(ingress = ingress.name_any(), %error, "status not written");
            }
        })
        .await;
}
