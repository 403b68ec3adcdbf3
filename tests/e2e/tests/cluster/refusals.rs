//! What the API server refuses by the schema, and that it says what to write instead.

use serde_json::{Value, json};
use wigwag_crds::{Flow, WhatsAppTenant};
use wigwag_e2e::cluster::Town;

use crate::shared;

fn change(mut object: Value, path: &str, to: Value) -> Value {
    *object.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = to;
    object
}

#[tokio::test]
async fn a_bad_flow_is_refused_with_words_that_help() {
    let town = Town::found(shared().await, "badflow").await.unwrap();
    let good = town.flow().unwrap();
    let node = |node: Value| change(good.clone(), "/spec/nodes/1", node);
    let cases = [
        (
            change(good.clone(), "/spec/start", json!("nowhere")),
            "start names node \"nowhere\", which is not among the nodes",
        ),
        (
            node(json!({"name": "confused"})),
            "node \"confused\" must have exactly one kind: write one of message, options",
        ),
        (
            node(json!({"name": "confused", "message": {"text": "a"}, "end": {}})),
            "node \"confused\" must have exactly one kind",
        ),
        (change(good.clone(), "/spec/triggers/0", json!({})), "a trigger is either keyword: WORD or default: {}"),
        (
            change(good.clone(), "/spec/triggers/0", json!({"default": {}, "match": "Word"})),
            "match goes with keyword: remove it",
        ),
        (
            change(good.clone(), "/spec/nodes/0/name", json!("confused")),
            "duplicate entries for key [name=\"confused\"]",
        ),
        (
            node(json!({"name": "confused", "mesage": {"text": "a"}})),
            ".spec.nodes[name=\"confused\"].mesage: field not declared in schema",
        ),
        (node(json!({"name": "confused", "message": {"text": ""}})), "at least 1 chars long"),
        (node(json!({"name": "confused", "message": {"text": "x".repeat(5000)}})), "Too long"),
        (change(good.clone(), "/spec/nodes/0/options/options", json!([])), "should have at least 1 items"),
        (change(good.clone(), "/spec/nodes/0/options/options/0/id", json!("a~b")), "should match"),
        (change(good.clone(), "/metadata/name", json!("x".repeat(201))), "metadata.name"),
    ];
    for (flow, told) in cases {
        let error = format!("{:#}", town.apply::<Flow>(&flow).await.unwrap_err());
        assert!(error.contains(told), "expected {told:?} in: {error}");
    }
    let mut session = good.clone();
    session["spec"]["session"] = json!({"timeout": "soon"});
    let error = format!("{:#}", town.apply::<Flow>(&session).await.unwrap_err());
    assert!(error.contains("spec.session.timeout"), "{error}");
    town.apply::<Flow>(&good).await.unwrap();
}

#[tokio::test]
async fn a_bad_tenant_is_refused_with_words_that_help() {
    let town = Town::found(shared().await, "badtenant").await.unwrap();
    let good = town.tenant().unwrap();
    let cases = [
        (
            change(good.clone(), "/spec/providers/0", json!({"name": "meta"})),
            "provider \"meta\" has no kind: write cloudApi",
        ),
        (change(good.clone(), "/spec/providers/0/name", json!("Not A Name")), "should match"),
        (change(good.clone(), "/spec/providers/0/cloudApi/phoneNumberId", json!("+34 600")), "should match"),
        (change(good.clone(), "/spec/providers", json!([])), "should have at least 1 items"),
        (change(good.clone(), "/spec/route/host", json!("not a host")), "should match"),
        (change(good.clone(), "/spec/dataPlane/replicas", json!(-1)), "greater than or equal to 0"),
        (change(good.clone(), "/spec/database", json!({})), "spec.database.secretRef: Required value"),
        (change(good.clone(), "/metadata/name", json!("x".repeat(51))), "metadata.name is longer than 50 characters"),
        (change(good.clone(), "/metadata/name", json!("acme.eu")), "metadata.name"),
        (change(good.clone(), "/spec/providers/0/cloudApi/baseUrl", json!("ftp://meta")), "should match"),
        (change(good.clone(), "/spec/providers/0/cloudApi/businessAccountId", json!("acme")), "should match"),
    ];
    for (tenant, told) in cases {
        let error = format!("{:#}", town.apply::<WhatsAppTenant>(&tenant).await.unwrap_err());
        assert!(error.contains(told), "expected {told:?} in: {error}");
    }
    let twice =
        change(good.clone(), "/spec/providers", json!([good["spec"]["providers"][0], good["spec"]["providers"][0]]));
    let error = format!("{:#}", town.apply::<WhatsAppTenant>(&twice).await.unwrap_err());
    assert!(error.to_lowercase().contains("duplicate"), "{error}");
}
