//! Garbage collection by the real controllers.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DeleteParams, PostParams};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::{Api, ResourceExt};
use serde_json::json;
use wigwag_sandbox::{Options, Sandbox, eventually};

use super::SOON;

#[tokio::test]
async fn what_a_custom_resource_owns_goes_with_it_once_the_controllers_know_its_kind() {
    let sandbox = Sandbox::start(Options { control_plane: true, ..Options::default() }).await.unwrap();
    let control_plane = sandbox.control_plane().unwrap();
    let client = control_plane.client().await.unwrap();

    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
    let names = json!({"kind": "Thing", "plural": "things", "singular": "thing"});
    let spec = json!({"group": "sandbox.test", "scope": "Namespaced", "names": names, "versions": [version]});
    let definition = json!({"metadata": {"name": "things.sandbox.test"}, "spec": spec});
    let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
    Api::all(client.clone()).create(&PostParams::default(), &definition).await.unwrap();
    control_plane.restart_controller_manager().await.unwrap();

    let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("sandbox.test", "v1", "Thing"), "things");
    let things: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &kind);
    let owner = DynamicObject::new("owner", &kind);
    let owner = eventually!(SOON, things.create(&PostParams::default(), &owner).await);
    let reference = json!([{"apiVersion": "sandbox.test/v1", "kind": "Thing", "name": "owner", "uid": owner.uid()}]);
    let owned = json!({"metadata": {"name": "owned", "ownerReferences": reference}});
    let owned: ConfigMap = serde_json::from_value(owned).unwrap();
    let config_maps: Api<ConfigMap> = Api::namespaced(client, "default");
    config_maps.create(&PostParams::default(), &owned).await.unwrap();

    things.delete("owner", &DeleteParams::default()).await.unwrap();
    eventually!(SOON, config_maps.get_opt("owned").await.unwrap(), |left| left.is_none());
}
