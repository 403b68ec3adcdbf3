//! Every kind of content there and back: files, templates, forms, and what a customer answers to them.

use serde_json::{Value, json};
use wigwag_simulator::{Inbound, Receipts, Rule, SendFault, Template, TemplateButton, TemplatePart};

use crate::bed::{ANA, Bed, ID, SOON, message};

fn of(kind: &str, content: Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": ANA, "type": kind, kind: content})
}

fn template(name: &str, components: Value) -> Value {
    of("template", json!({"name": name, "language": {"code": "es"}, "components": components}))
}

fn form(token: &str) -> Value {
    let parameters = json!({"flow_message_version": "3", "flow_token": token, "flow_id": "1", "flow_cta": "Pedir cita",
        "flow_action": "navigate", "flow_action_payload": {"screen": "FIRST"}});
    let action = json!({"name": "flow", "parameters": parameters});
    of("interactive", json!({"type": "flow", "body": {"text": "Elige día."}, "action": action}))
}

async fn code(bed: &Bed, body: Value) -> Option<i64> {
    bed.send(body).await.unwrap().body["error"]["code"].as_i64()
}

#[tokio::test]
async fn templates_are_held_against_the_registered_ones_once_there_is_one() {
    let bed = Bed::new().await;
    bed.simulator.set_receipts(Receipts::None);
    assert_eq!(code(&bed, template("anything", json!([]))).await, None, "none registered: any name passes");

    let header = TemplatePart::Header { format: "IMAGE".into(), text: String::new() };
    let url = TemplateButton::Url { text: "Ver".into(), url: "https://x/{{1}}".into() };
    let reply = TemplateButton::QuickReply { text: "Sí".into() };
    bed.simulator.register_template(
        Template::new("order", "es", "Hola {{1}}, tu pedido {{2}} va en camino.")
            .with(header)
            .with(TemplatePart::Buttons { buttons: vec![reply, url] }),
    );
    let text = |text: &str| json!({"type": "text", "text": text});
    let image = json!({"type": "header", "parameters": [{"type": "image", "image": {"id": "9"}}]});
    let body = json!({"type": "body", "parameters": [text("Ana"), text("42")]});
    let button = |sub_type: &str, index: &str, value: Value| json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [value]});
    let link = button("url", "1", text("42"));
    for (components, expected) in [
        (json!([image, body, link]), None),
        (json!([image, {"type": "body", "parameters": [text("Ana")]}, link]), Some(132_000)),
        (json!([body, link]), Some(132_012)),
        (json!([image, body]), Some(131_008)),
        (
            json!([image, body, link, button("quick_reply", "2", json!({"type": "payload", "payload": "x"}))]),
            Some(131_009),
        ),
        (json!([image, body, button("url", "0", text("x")), link]), Some(132_012)),
        (json!([image, {"type": "body", "parameters": [text("Ana"), text(&"x".repeat(1024))]}, link]), Some(132_005)),
    ] {
        assert_eq!(code(&bed, template("order", components.clone())).await, expected, "{components}");
    }
    let unknown = bed.send(template("other", json!([]))).await.unwrap();
    assert_eq!((unknown.status, unknown.body["error"]["code"].as_i64()), (404, Some(132_001)));
    for (status, expected) in [("PAUSED", 132_015), ("DISABLED", 132_016), ("REJECTED", 132_001)] {
        bed.simulator.register_template(Template { status: status.into(), ..Template::new("order", "es", "Hola") });
        assert_eq!(code(&bed, template("order", json!([]))).await, Some(expected));
    }
}

#[tokio::test]
async fn named_values_are_known_by_their_names() {
    let bed = Bed::new().await;
    let named: Template = serde_json::from_value(json!({
        "name": "order", "language": "es", "category": "UTILITY", "parameter_format": "NAMED", "id": "1",
        "components": [{"type": "BODY", "text": "Hola {{first_name}}", "example": {"body_text_named_params": []}},
                       {"type": "BUTTONS", "buttons": [{"type": "PHONE_NUMBER", "text": "Llamar", "phone_number": "+1"}]}],
    }))
    .unwrap();
    bed.simulator.register_template(named);
    let with = |value: Value| template("order", json!([{"type": "body", "parameters": [value]}]));
    let right = json!({"type": "text", "text": "Ana", "parameter_name": "first_name"});
    assert_eq!(code(&bed, with(right)).await, None);
    assert_eq!(code(&bed, with(json!({"type": "text", "text": "Ana"}))).await, Some(100));
    let other = json!({"type": "text", "text": "Ana", "parameter_name": "name"});
    assert_eq!(code(&bed, with(other)).await, Some(132_000));
}

#[tokio::test]
async fn a_templates_quick_reply_comes_back_as_a_button_with_its_payload() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    bed.simulator.register_template(Template::new("confirm", "es", "¿Vienes, {{1}}?").quick_replies(&["Sí", "No"]));
    let components = json!([
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "yes~w1"}]},
    ]);
    bed.send(template("confirm", components)).await.unwrap();
    let sent = ana.reply(SOON).await.unwrap();
    assert_eq!(sent.line(), "[template confirm es: Ana] [1 Sí] [2 No]");

    ana.tap("Sí").await.unwrap();
    ana.tap(2).await.unwrap();
    let taps = bed.receiver.all("messages");
    assert_eq!((&taps[0]["type"], &taps[0]["button"]), (&json!("button"), &json!({"payload": "yes~w1", "text": "Sí"})));
    assert_eq!(taps[0]["context"]["id"], sent.wamid.as_str());
    assert_eq!(taps[1]["button"], json!({"payload": "No", "text": "No"}), "without a payload Meta gives the title");
}

#[tokio::test]
async fn a_form_comes_back_with_its_own_token_and_an_old_one_can_be_filled_in_too() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    assert!(ana.submit(json!({})).await.unwrap_err().to_string().contains("no form"));
    bed.send(form("old")).await.unwrap();
    let old = ana.reply(SOON).await.unwrap();
    bed.send(form("new")).await.unwrap();
    ana.submit(json!({"slot": "9"})).await.unwrap();
    ana.submit_to(&old, json!({"slot": "10"})).await.unwrap();
    let answers: Vec<Value> = bed
        .receiver
        .all("messages")
        .iter()
        .map(|m| serde_json::from_str(m["interactive"]["nfm_reply"]["response_json"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(answers, [json!({"flow_token": "new", "slot": "9"}), json!({"flow_token": "old", "slot": "10"})]);
    assert_eq!(bed.receiver.all("messages")[1]["context"]["id"], old.wamid.as_str());
}

#[tokio::test]
async fn a_customer_comes_from_an_ad_quotes_and_taps_on_old_messages() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    ana.post(Inbound::text("hola").from_ad("Verano", "https://fb.me/x")).await.unwrap();
    let menu = |id: &str| {
        let buttons = json!([{"type": "reply", "reply": {"id": id, "title": "Comprar"}}]);
        of("interactive", json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": buttons}}))
    };
    bed.send(menu("buy~old")).await.unwrap();
    let old = ana.reply(SOON).await.unwrap();
    bed.send(menu("buy~new")).await.unwrap();
    ana.tap_on(&old, "Comprar").await.unwrap();
    ana.quote(&old.wamid, Inbound::text("¿este?")).await.unwrap();

    let messages = bed.receiver.all("messages");
    assert_eq!((&messages[0]["referral"]["source_type"], &messages[0]["text"]["body"]), (&json!("ad"), &json!("hola")));
    assert_eq!(messages[1]["interactive"]["button_reply"]["id"], "buy~old");
    assert_eq!((&messages[2]["context"]["id"], &messages[2]["text"]["body"]), (&json!(old.wamid), &json!("¿este?")));
    assert_eq!(bed.simulator.conversation(ANA)[0].text, "hola [from the ad \"Verano\"]");
}

#[tokio::test]
async fn a_shut_window_lets_templates_through_and_nothing_else() {
    let bed = Bed::new().await;
    bed.simulator.fail_sends(Rule::always(SendFault::ShutWindow).customer(ANA));
    for body in [message(ANA, "m", "x"), form("t"), of("image", json!({"id": "9"}))] {
        assert_eq!(code(&bed, body).await, Some(131_047));
    }
    assert_eq!(code(&bed, template("hi", json!([]))).await, None);
    assert_eq!(code(&bed, message("+34600000001", "m", "x")).await, None);
    bed.simulator.clear_faults();

    bed.simulator.fail_sends(Rule::once(SendFault::ShutWindow));
    assert_eq!(code(&bed, template("hi", json!([]))).await, None, "does not use the rule up");
    assert_eq!(code(&bed, message(ANA, "m", "x")).await, Some(131_047));
    assert_eq!(code(&bed, message(ANA, "m", "x")).await, None);
}

#[tokio::test]
async fn all_that_a_customer_does_can_be_asked_for_with_curl() {
    let bed = Bed::new().await;
    let url = bed.simulator.graph_url();
    let sim = async |path: &str, body: Value| {
        let answer = crate::bed::call("POST", &format!("{url}/sim{path}"), None, Some(body)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let write = async |body: Value| sim("/customers/34600111222/messages", body).await;
    sim(
        "/templates",
        json!({"name": "hi", "language": "es", "components": [
        {"type": "BODY", "text": "Hola"}, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sí"}]}]}),
    )
    .await;

    write(json!({"name": "Ana", "text": "hola", "referral": {"headline": "Verano"}})).await;
    write(json!({"image": {"caption": "foto"}})).await;
    write(json!({"location": {"latitude": 40.4, "longitude": -3.7}})).await;
    write(json!({"contacts": [{"name": {"formatted_name": "Leo"}}]})).await;
    write(json!({"order": {"catalog_id": "c", "product_items": []}})).await;
    bed.send(form("t")).await.unwrap();
    bed.send(template("hi", json!([]))).await.unwrap();
    let wamid = bed.simulator.ledger().sends[0].wamid.clone();
    write(json!({"form": {"slot": "9"}})).await;
    write(json!({"tap": "Sí"})).await;
    write(json!({"text": "¿este?", "on": wamid})).await;

    let messages = bed.receiver.all("messages");
    let kinds: Vec<_> = messages.iter().map(|m| m["type"].as_str().unwrap()).collect();
    let expected = ["text", "image", "location", "contacts", "order", "interactive", "button", "text"];
    assert_eq!(kinds, expected);
    assert_eq!(messages[0]["referral"]["headline"], "Verano");
    assert_eq!(messages[1]["image"]["caption"], "foto");
    assert!(messages[1]["image"]["id"].is_string(), "what Meta adds is there");
    assert_eq!(messages[7]["context"]["id"], wamid.as_str());
    let nothing = call_nothing(&url).await;
    assert!(nothing.contains("location"), "{nothing}");
}

/// The error of a message that says nothing.
async fn call_nothing(url: &str) -> String {
    let url = format!("{url}/sim/customers/34600111222/messages");
    let answer = crate::bed::call("POST", &url, None, Some(json!({"nothing": 1}))).await.unwrap();
    assert_eq!(answer.status, 400);
    answer.body["error"].as_str().unwrap().to_owned()
}
