//! What the API server refuses by the schema, and that it says what to write instead; and what it takes all the same.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};
use wigwag_crds::{Flow, FlowStatus, WhatsAppTenant};
use wigwag_e2e::cluster::{SOON, Town};
use wigwag_sandbox::eventually;

use crate::shared;

fn change(mut object: Value, path: &str, to: Value) -> Value {
    *object.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = to;
    object
}

/// The object with more fields in its spec; `null` takes one away.
fn with(mut object: Value, fields: Value) -> Value {
    let spec = object["spec"].as_object_mut().unwrap();
    for (name, value) in fields.as_object().unwrap() {
        if value.is_null() {
            spec.remove(name)
        } else {
            spec.insert(name.clone(), value.clone())
        };
    }
    object
}

#[tokio::test]
async fn a_bad_flow_is_refused_with_words_that_help() {
    let town = Town::found(shared().await, "badflow").await.unwrap();
    let good = town.flow().unwrap();
    let node = |node: Value| change(good.clone(), "/spec/nodes/1", node);
    let trigger = |trigger: Value| change(good.clone(), "/spec/triggers/0", trigger);
    let form = json!({"flowId": "1", "screen": "A"});
    let native = json!({"nodes": null, "start": null, "triggers": null});
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
        (trigger(json!({})), "a trigger is exactly one of keyword: WORD, default: {}, media: {}"),
        (trigger(json!({"keyword": "a", "order": {}})), "a trigger is exactly one of"),
        (trigger(json!({"default": {}, "match": "Word"})), "match goes with keyword: remove it"),
        (trigger(json!({"manual": {}, "interrupt": true})), "interrupt goes with keyword: remove it"),
        (
            change(good.clone(), "/spec/nodes/0/name", json!("confused")),
            "duplicate entries for key [name=\"confused\"]",
        ),
        (
            node(json!({"name": "confused", "mesage": {"text": "a"}})),
            ".spec.nodes[name=\"confused\"].mesage: field not declared in schema",
        ),
        (change(good.clone(), "/spec/nodes/0/options/options", json!([])), "should have at least 1 items"),
        (change(good.clone(), "/spec/nodes/0/options/options/0/id", json!("a~b")), "should match"),
        (change(good.clone(), "/metadata/name", json!("x".repeat(201))), "metadata.name"),
        (
            with(good.clone(), json!({"definition": {"nodes": []}})),
            "a Flow has either triggers, start and nodes, or the editor's definition",
        ),
        (with(good.clone(), native), "a Flow has either triggers, start and nodes, or the editor's definition"),
        (with(good.clone(), json!({"whatsappFlow": form})), "whatsappFlow goes with the editor's definition"),
        (with(good.clone(), json!({"session": {"timeout": "soon"}})), "spec.session.timeout"),
        (with(good.clone(), json!({"session": {"maxAge": "long"}})), "spec.session.maxAge"),
        (
            with(good.clone(), json!({"escape": {"add": [{"words": ["menu"]}]}})),
            "an escape leads to a flow or is the end: write flow: NAME or end: true",
        ),
        (
            with(good.clone(), json!({"escape": {"add": [{"words": ["menu"], "end": false}]}})),
            "an escape leads to a flow or is the end",
        ),
        (
            with(good.clone(), json!({"escape": {"add": [{"words": ["menu"], "flow": "menu", "end": true}]}})),
            "an escape leads to a flow or is the end",
        ),
        (with(good.clone(), json!({"escape": {"add": [{"words": [], "end": true}]}})), "should have at least 1 items"),
    ];
    for (flow, told) in cases {
        let error = format!("{:#}", town.apply::<Flow>(&flow).await.unwrap_err());
        assert!(error.contains(told), "expected {told:?} in: {error}");
    }
    town.apply::<Flow>(&good).await.unwrap();
}

#[tokio::test]
async fn a_bad_node_is_refused_with_words_that_help() {
    let town = Town::found(shared().await, "badnode").await.unwrap();
    let good = town.flow().unwrap();
    let node =
        |kind: &str, fields: Value| change(good.clone(), "/spec/nodes/1", json!({"name": "confused", kind: fields}));
    let options = |fields: Value| {
        let mut node = json!({"text": "?", "options": [{"id": "a", "title": "A"}]});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node
    };
    let header = |fields: Value| json!({"url": "https://example.com", "headers": [fields]});
    let file = json!({"type": "Image", "url": "https://example.com/a.png"});
    let secret = json!({"name": "crm", "key": "token"});
    let cases = [
        ("message", json!({}), "message.text: Required value"),
        ("message", json!({"template": {"name": ""}}), "at least 1 chars long"),
        ("options", json!({"options": [{"id": "a", "title": "A"}]}), "options.text: Required value"),
        ("options", options(json!({"header": {}})), "options.header.text: Required value"),
        ("options", options(json!({"header": {"text": "a", "media": file}})), "must validate one and only one schema"),
        ("options", options(json!({"timeout": "soon"})), "options.timeout"),
        ("ask", json!({"text": "?"}), "ask.into: Required value"),
        ("ask", json!({"text": "?", "into": "x", "type": "number"}), "supported values: \"Text\", \"Number\""),
        ("ask", json!({"text": "?", "into": "x", "retries": 11}), "less than or equal to 10"),
        ("ask", json!({"text": "?", "into": "x", "min": 1.5}), "must be of type integer,string"),
        ("ask", json!({"text": "?", "into": "x", "max": "1".repeat(33)}), "may not be more than 32 bytes"),
        ("media", json!({"type": "Image"}), "a file is either at a url or has an id: write one of them"),
        ("media", json!({"type": "Image", "url": "https://x", "id": "1"}), "a file is either at a url or has an id"),
        (
            "options",
            options(json!({"header": {"media": {"type": "Image"}}})),
            "a file is either at a url or has an id: write one of them",
        ),
        ("whatsappFlow", json!({"body": "?", "cta": "Go", "flowId": "1"}), "whatsappFlow.into: Required value"),
        ("condition", json!({"cases": []}), "should have at least 1 items"),
        ("assign", json!({"set": {}}), "should have at least 1 properties"),
        ("http", json!({"url": "ftp://example.com"}), "should match '^https?://'"),
        ("http", json!({"url": "https://example.com", "method": "get"}), "supported values: \"GET\", \"HEAD\""),
        ("http", header(json!({"name": "A"})), "a header has either a value or a secret: write one of them"),
        (
            "http",
            header(json!({"name": "A", "value": "a", "secret": secret})),
            "a header has either a value or a secret: write one of them",
        ),
        ("http", header(json!({"name": "A: b", "value": "a"})), "should match"),
        ("delay", json!({}), "delay.for: Required value"),
        ("waitFor", json!({"timeout": "1 day"}), "waitFor.timeout"),
        ("split", json!({"ways": [{"weight": 1}]}), "should have at least 2 items"),
        ("split", json!({"ways": [{"weight": 1}, {"weight": 0}]}), "greater than or equal to 1"),
        ("call", json!({}), "call.flow: Required value"),
        ("handoff", json!({}), "handoff.timeout: Required value"),
        ("goto", json!({}), "goto.node: Required value"),
        ("end", json!({"reason": "x".repeat(201)}), "Too long"),
    ];
    for (kind, fields, told) in cases {
        let error = format!("{:#}", town.apply::<Flow>(&node(kind, fields)).await.unwrap_err());
        assert!(error.contains(told), "{kind}: expected {told:?} in: {error}");
    }
}

/// What no schema can tell from a good Flow is told by a finding, and one odd Flow stops no other.
#[tokio::test]
async fn what_the_api_server_takes_and_nobody_can_run_is_a_finding() {
    let town = Town::found(shared().await, "oddflow").await.unwrap();
    town.apply_quickstart().await.unwrap();
    let good = town.flow().unwrap();
    let odd = |name: &str, text: Value, timeout: &str| {
        let node = json!({"name": "a", "ask": {"text": text, "into": "x", "timeout": timeout}});
        let fields = json!({"triggers": [{"keyword": name}], "start": "a", "nodes": [node]});
        change(with(good.clone(), fields), "/metadata/name", json!(name))
    };
    let cases = [
        (odd("number", json!(5), "1h"), "node \"a\", text: "),
        // The API server takes it, and then leaves it out.
        (odd("nothing", Value::Null, "1h"), "spec.nodes[0].ask: missing field `text`"),
        (odd("list", json!(["Hola"]), "1h"), "node \"a\", text: "),
        (odd("age", json!("Hola"), "999999999d"), "spec.nodes[0].ask.timeout: \"999999999d\" is no span of time"),
    ];
    // Some do not read as our type, so that nothing here may be typed.
    let flows: Api<DynamicObject> =
        Api::namespaced_with(town.client.clone(), &town.namespace, &ApiResource::erase::<Flow>(&()));
    let as_person = PatchParams::apply("person").force().validation_strict();
    for (flow, _) in &cases {
        flows.patch(flow["metadata"]["name"].as_str().unwrap(), &as_person, &Patch::Apply(flow)).await.unwrap();
    }
    let accepted = async |name: &str| {
        let status = flows.get(name).await.unwrap().data["status"].clone();
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        conditions.into_iter().find(|condition| condition["type"] == "Accepted").unwrap_or_default()
    };
    for (flow, told) in &cases {
        let name = flow["metadata"]["name"].as_str().unwrap();
        eventually!(SOON, accepted(name).await, |condition| condition["reason"] == "FlowInvalid"
            && condition["message"].as_str().is_some_and(|message| message.contains(told)));
    }
    town.ready().await;
    let revision = async || {
        let status: Option<FlowStatus> = town.api::<Flow>().get("welcome").await.ok().and_then(|flow| flow.status);
        status.and_then(|status| status.revision)
    };
    let before = revision().await;
    town.apply::<Flow>(&with(good.clone(), json!({"suspend": true}))).await.unwrap();
    eventually!(SOON, revision().await, |now| now.is_some() && *now != before);
    eventually!(SOON, town.flow_condition("welcome", "Ready").await, |condition| condition
        .as_ref()
        .is_ok_and(|(status, reason, _)| status == "True" && reason == "Suspended"))
    .ok();
}

#[tokio::test]
async fn a_bad_tenant_is_refused_with_words_that_help() {
    let town = Town::found(shared().await, "badtenant").await.unwrap();
    let good = town.tenant().unwrap();
    let flow_secret = |name: &str| json!({"flowSecrets": [{"name": name, "hosts": ["crm.example.com"]}]});
    let tokens = |name: &str| json!({"api": {"tokensSecretRef": {"name": name}}});
    let both = |name: &str| with(with(good.clone(), tokens(name)), flow_secret(name));
    let variables: serde_json::Map<_, _> = (0..101).map(|n| (format!("v{n}"), json!(n))).collect();
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
        (with(good.clone(), json!({"api": {}})), "spec.api.tokensSecretRef: Required value"),
        (with(good.clone(), tokens("acme-meta")), "api.tokensSecretRef names a Secret with other credentials"),
        (with(good.clone(), tokens("acme-database")), "api.tokensSecretRef names a Secret with other credentials"),
        (with(good.clone(), flow_secret("acme-meta")), "flowSecrets names a Secret with the tenant's own credentials"),
        (with(good.clone(), flow_secret("acme-database")), "flowSecrets names a Secret with the tenant's own"),
        (both("acme-tokens"), "flowSecrets names a Secret with the tenant's own credentials"),
        (with(good.clone(), json!({"flowSecrets": [{"name": "crm", "hosts": []}]})), "should have at least 1 items"),
        (with(good.clone(), json!({"http": {"allow": [""]}})), "at least 1 chars long"),
        (with(good.clone(), json!({"locale": {"timezone": ""}})), "at least 1 chars long"),
        (with(good.clone(), json!({"locale": {"languages": ["x"]}})), "at least 2 chars long"),
        (with(good.clone(), json!({"variables": variables})), "must have at most 100 items"),
        (with(good.clone(), json!({"escape": [{"words": ["menu"]}]})), "an escape leads to a flow or is the end"),
    ];
    for (tenant, told) in cases {
        let error = format!("{:#}", town.apply::<WhatsAppTenant>(&tenant).await.unwrap_err());
        assert!(error.contains(told), "expected {told:?} in: {error}");
    }
    let provider = &good["spec"]["providers"][0];
    let secret = json!({"name": "crm", "hosts": ["crm.example.com"]});
    for twice in [json!({"providers": [provider, provider]}), json!({"flowSecrets": [secret, secret]})] {
        let error = format!("{:#}", town.apply::<WhatsAppTenant>(&with(good.clone(), twice)).await.unwrap_err());
        assert!(error.to_lowercase().contains("duplicate"), "{error}");
    }
}
