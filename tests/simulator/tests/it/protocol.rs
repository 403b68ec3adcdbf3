//! A conversation as it goes at Meta, and what the send endpoint refuses.

use serde_json::{Value, json};
use wigwag_simulator::{Event, Inbound, Receipts, Status};

use crate::bed::{ANA, Bed, ID, SOON, call, eventually, message};

fn buttons(to: Value) -> Value {
    let button = |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let mut body = json!({
        "messaging_product": "whatsapp", "type": "interactive", "biz_opaque_callback_data": "m-1",
        "interactive": {"type": "button", "body": {"text": "Hola Ana. ¿Qué quieres hacer?"},
                        "action": {"buttons": [button("buy", "Comprar"), button("bye", "Salir")]}},
    });
    body.as_object_mut().unwrap().extend(to.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_conversation_goes_there_and_back_with_receipts_and_a_tap() {
    let bed = Bed::new().await;
    let mut events = bed.simulator.events();
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();

    let posted = ana.say("hola").await.unwrap();
    let hola = &bed.receiver.all("messages")[0];
    assert_eq!(hola["id"], posted.id.as_str());
    assert_eq!(hola["from"], "34600111222");
    assert_eq!(hola["text"]["body"], "hola");
    assert!(hola["timestamp"].is_string());
    let contact = &bed.receiver.all("contacts")[0];
    assert_eq!((&contact["wa_id"], &contact["user_id"]), (&hola["from"], &hola["from_user_id"]));

    let answer = bed.send(buttons(json!({"to": ANA}))).await.unwrap();
    assert_eq!(answer.body["contacts"][0], json!({"input": ANA, "wa_id": "34600111222"}));
    let reply = ana.reply(SOON).await.unwrap();
    assert_eq!(reply.line(), "Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]");

    let acknowledged = bed
        .simulator
        .wait_for("three receipts", SOON, |ledger| {
            let receipts = &ledger.sent(&reply.wamid)?.receipts;
            (receipts.iter().filter(|r| r.acknowledged).count() == 3).then(|| receipts.clone())
        })
        .await
        .unwrap();
    assert_eq!(acknowledged.iter().map(|r| r.status.as_str()).collect::<Vec<_>>(), ["sent", "delivered", "read"]);
    let statuses = bed.receiver.all("statuses");
    assert_eq!(statuses.len(), 3);
    for status in &statuses {
        assert_eq!(status["id"], reply.wamid.as_str());
        assert_eq!(status["biz_opaque_callback_data"], "m-1");
        assert_eq!(status["recipient_id"], "34600111222");
        assert!(status.get("conversation").is_none());
    }

    ana.tap("Salir").await.unwrap();
    ana.tap(1).await.unwrap();
    let taps: Vec<_> = bed.receiver.all("messages").split_off(1);
    assert_eq!(taps[0]["interactive"]["button_reply"], json!({"id": "bye", "title": "Salir"}));
    assert_eq!(taps[1]["interactive"]["button_reply"]["id"], "buy");
    assert_eq!(taps[0]["context"]["id"], reply.wamid.as_str());
    let problem = ana.tap("Volar").await.unwrap_err().to_string();
    assert!(problem.contains("Comprar"), "{problem}");

    let lines = bed.simulator.conversation(ANA);
    let said: Vec<_> = lines.iter().map(|l| (l.from.as_str(), l.text.as_str())).collect();
    let question = "Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]";
    assert_eq!(said, [("Ana", "hola"), ("bot", question), ("Ana", "Salir"), ("Ana", "Comprar")]);
    assert_eq!(lines[1].receipts, ["sent", "delivered", "read"]);
    assert!(matches!(events.recv().await.unwrap(), Event::CustomerMessage { text, .. } if text == "hola"));
    assert!(matches!(events.recv().await.unwrap(), Event::BotMessage { .. }));
    bed.check_signatures();
}

#[tokio::test]
async fn a_customer_without_a_phone_is_written_to_by_business_scoped_id() {
    let bed = Bed::new().await;
    let leo = bed.simulator.customer(ID, "ES.13491208655302741918", "Leo").unwrap();
    leo.say("hola").await.unwrap();
    let message = &bed.receiver.all("messages")[0];
    assert!(message.get("from").is_none());
    assert_eq!(message["from_user_id"], "ES.13491208655302741918");

    let answer = bed.send(buttons(json!({"recipient": "ES.13491208655302741918"}))).await.unwrap();
    assert_eq!(answer.body["contacts"][0]["user_id"], "ES.13491208655302741918");
    leo.reply(SOON).await.unwrap();
    leo.tap(2).await.unwrap();
    let status = eventually("a receipt", || bed.receiver.all("statuses").pop()).await;
    assert!(status.get("recipient_id").is_none());
    assert_eq!(status["recipient_user_id"], "ES.13491208655302741918");
}

#[tokio::test]
async fn a_known_phone_customer_is_found_by_their_business_scoped_id_too() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap().with_user_id(Some("ES.77"));
    bed.send(buttons(json!({"recipient": "ES.77"}))).await.unwrap();
    let reply = ana.reply(SOON).await.unwrap();
    assert_eq!((reply.customer.as_str(), reply.user_id.as_deref()), ("34600111222", Some("ES.77")));
}

#[tokio::test]
async fn every_type_of_customer_message_arrives_under_its_own_key() {
    let bed = Bed::new().await;
    let ana = bed.simulator.customer(ID, ANA, "Ana").unwrap();
    let messages = [
        ("text", Inbound::text("x")),
        ("image", Inbound::image(Some("foto"))),
        ("video", Inbound::video(None)),
        ("audio", Inbound::audio()),
        ("audio", Inbound::voice()),
        ("document", Inbound::document("a.pdf", None)),
        ("sticker", Inbound::sticker(true)),
        ("location", Inbound::location(40.4, -3.7, Some("Sol"), None)),
        ("contacts", Inbound::contacts("Leo", "+34600000001")),
        ("button", Inbound::button("YES", "Sí")),
        ("interactive", Inbound::button_reply("a", "A")),
        ("interactive", Inbound::list_reply("a", "A", Some("b"))),
        ("interactive", Inbound::nfm_reply(&json!({"flow_token": "t"}))),
        ("reaction", Inbound::reaction("wamid.x", None)),
        ("order", Inbound::order("c", "p", 2, 9.5, "EUR")),
        ("system", Inbound::system("user_changed_number", "Ana changed", "34600111223")),
        ("unsupported", Inbound::unsupported("poll_creation")),
        ("edit", Inbound::edit("wamid.x", "y")),
        ("revoke", Inbound::revoke("wamid.x")),
        ("hologram", Inbound::of("hologram", json!({"a": 1})).with_id("wamid.mine")),
    ];
    for (_, message) in messages.clone() {
        assert!(ana.post(message).await.unwrap().acknowledged);
    }
    let received = bed.receiver.all("messages");
    assert_eq!(received.len(), messages.len());
    for ((kind, _), got) in messages.iter().zip(&received) {
        assert_eq!(got["type"], *kind);
        assert!(!got[*kind].is_null(), "{got}");
    }
    assert_eq!(received[4]["audio"]["voice"], true);
    assert!(received[12]["interactive"]["nfm_reply"]["response_json"].is_string());
    assert!(received[13]["reaction"].get("emoji").is_none());
    assert_eq!(received[16]["errors"][0]["code"], 131_051);
    assert_eq!(received[19]["id"], "wamid.mine");
    assert_eq!(bed.receiver.all("contacts").len(), messages.len() - 1, "system messages come without contacts");
}

#[tokio::test]
async fn refused_calls_get_graphs_envelope_and_are_not_in_the_ledger() {
    let bed = Bed::new().await;
    let url = |id: &str| format!("{}/v25.0/{id}/messages", bed.simulator.graph_url());
    let right = format!("{ID}-access-token");
    let long = message(ANA, "m", &"x".repeat(4097));
    for (url, token, body, status, code) in [
        (url(ID), None, message(ANA, "m", "x"), 401, 190),
        (url(ID), Some("wrong"), message(ANA, "m", "x"), 401, 190),
        (url("999"), Some(right.as_str()), message(ANA, "m", "x"), 400, 100),
        (url(ID), Some(right.as_str()), long, 400, 100),
        (url(ID), Some(right.as_str()), json!({"messaging_product": "whatsapp", "to": ANA}), 400, 131_008),
        (url(ID).replace("v25.0", "latest"), Some(right.as_str()), message(ANA, "m", "x"), 400, 2500),
    ] {
        let answer = call("POST", &url, token, Some(body)).await.unwrap();
        assert_eq!((answer.status, answer.body["error"]["code"].as_i64()), (status, Some(code)), "{}", answer.body);
        assert!(answer.body["error"]["error_data"]["details"].is_string());
        assert!(answer.body["error"]["message"].as_str().unwrap().starts_with(&format!("(#{code})")));
    }
    let ledger = bed.simulator.ledger();
    assert_eq!((ledger.sends.len(), ledger.refused.len()), (0, 6));
}

#[tokio::test]
async fn the_same_send_twice_is_two_messages_and_the_ledger_says_so() {
    let bed = Bed::new().await;
    bed.simulator.set_receipts(Receipts::None);
    let first = bed.say(ANA, "m-1", "x").await;
    let second = bed.say(ANA, "m-1", "x").await;
    bed.say(ANA, "m-2", "x").await;
    assert_ne!(first, second);
    let ledger = bed.simulator.ledger();
    assert_eq!(ledger.duplicates(), [("m-1".to_owned(), vec![first, second])]);
    assert_eq!(ledger.sends_to("34 600 111 222").len(), 3);
}

#[tokio::test]
async fn a_recipient_without_a_plus_goes_to_another_country() {
    let bed = Bed::new().await;
    bed.say("34600111222", "m-1", "x").await;
    let ledger = bed.simulator.ledger();
    assert!(ledger.sends_to(ANA).is_empty());
    assert!(ledger.sends[0].wrong_country);
    assert_eq!(ledger.sends[0].wa_id.as_deref(), Some("134600111222"));
}

#[tokio::test]
async fn receipts_can_be_switched_off_and_posted_by_hand() {
    let bed = Bed::new().await;
    bed.simulator.set_receipts(Receipts::None);
    let wamid = bed.say(ANA, "m-1", "x").await;
    assert!(bed.simulator.post_status(&wamid, Status::Read).await.unwrap().acknowledged);
    assert!(bed.simulator.post_status(&wamid, Status::Failed(131_026)).await.unwrap().acknowledged);
    let statuses = bed.receiver.all("statuses");
    assert_eq!(statuses.len(), 2);
    assert_eq!(statuses[0]["status"], "read");
    assert_eq!(statuses[1]["errors"][0]["code"], 131_026);
    assert!(bed.simulator.post_status("wamid.nothing", Status::Sent).await.is_err());

    bed.simulator.set_receipts(Receipts::Sent);
    let wamid = bed.say(ANA, "m-2", "x").await;
    let last = eventually("a receipt", || bed.receiver.all("statuses").get(2).cloned()).await;
    assert_eq!((last["id"].as_str(), &last["status"]), (Some(wamid.as_str()), &json!("sent")));
}

#[tokio::test]
async fn reading_marks_and_metadata_are_answered() {
    let bed = Bed::new().await;
    let mark = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x",
                      "typing_indicator": {"type": "text"}});
    assert_eq!(bed.send(mark).await.unwrap().body, json!({"success": true}));
    let ledger = bed.simulator.ledger();
    assert_eq!((ledger.read_marks[0].message_id.as_str(), ledger.read_marks[0].typing), ("wamid.x", true));

    let url = format!("{}/v25.0/{ID}?fields=display_phone_number,throughput", bed.simulator.graph_url());
    let token = format!("{ID}-access-token");
    let answer = call("GET", &url, Some(&token), None).await.unwrap();
    let expected = json!({"display_phone_number": "15550783881", "throughput": {"level": "STANDARD"}, "id": ID});
    assert_eq!(answer.body, expected);
    assert_eq!(call("GET", &url, None, None).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_stopped_simulator_lets_go_of_its_port() {
    let bed = Bed::new().await;
    let url = bed.simulator.graph_url();
    call("GET", &url, None, None).await.unwrap();
    bed.simulator.stop().await;
    assert!(call("GET", &url, None, None).await.unwrap_err().contains("Connect"));
}
