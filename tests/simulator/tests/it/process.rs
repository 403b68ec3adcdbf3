//! The binary, driven over `/sim/*` as curl would.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::bed::{ID, Receiver, call, message};

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_process_is_driven_with_curl_from_registration_to_ledger() {
    let (receiver, address) = Receiver::start().await;
    let mut process = Process(
        Command::new(env!("CARGO_BIN_EXE_wigwag-simulator"))
            .args(["--connect", &format!("acme.localhost={address}"), "--receipts", "sent", "--number"])
            .arg("phone_number_id=1,token=t,secret=s,verify=v,webhook=http://acme.localhost/webhooks/primary")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    let messages = format!("{url}/v25.0/1/messages");
    let sim = async |method: &str, path: &str, body: Value| {
        call(method, &format!("{url}/sim{path}"), None, Some(body)).await.unwrap()
    };

    let posted = sim("POST", "/customers/+34600111222/messages", json!({"name": "Ana", "text": "hola"})).await;
    assert_eq!(posted.body["posted"]["acknowledged"], true, "{}", posted.body);
    assert_eq!(lines.next().unwrap().unwrap(), "Ana (34600111222): hola");
    assert_eq!(receiver.posts()[0].host, "acme.localhost");
    let image = json!({"type": "image", "image": {"id": "9"}, "context": {"forwarded": true}});
    assert_eq!(sim("POST", "/customers/34600111222/messages", image).await.status, 200);
    assert_eq!(receiver.all("messages")[1]["context"]["forwarded"], true);
    assert_eq!(receiver.all("contacts")[1]["profile"]["name"], "Ana");

    let send = call("POST", &messages, Some("t"), Some(message("+34600111222", "m", "Hola")));
    assert_eq!(send.await.unwrap().status, 200);
    let lines = sim("GET", "/conversation/34600111222", Value::Null).await.body;
    assert_eq!((&lines[2]["from"], &lines[2]["text"]), (&json!("bot"), &json!("Hola")));

    let rules = json!({"sends": [{"fault": {"refuse": {"code": 131047}}, "times": 1}],
                       "messages": [{"fault": "drop", "customer": "34600111222"}]});
    assert_eq!(sim("POST", "/faults", rules).await.status, 204);
    let send = call("POST", &messages, Some("t"), Some(message("+34600111222", "m", "Hola")));
    assert_eq!(send.await.unwrap().body["error"]["code"], 131_047);
    assert_eq!(sim("DELETE", "/faults", Value::Null).await.status, 204);

    let stats = sim("GET", "/stats", Value::Null).await.body;
    assert_eq!((&stats["sends"], &stats["refused"]), (&json!(1), &json!(1)));
    let ledger = sim("GET", "/ledger", Value::Null).await.body;
    let wamid = ledger["sends"][0]["wamid"].clone();
    let status = sim("POST", "/statuses", json!({"wamid": wamid, "status": {"failed": 131026}})).await;
    assert_eq!(status.body["acknowledged"], true, "{}", status.body);

    let number = json!({"phone_number_id": ID, "access_tokens": ["t2"], "app_secret": "s", "verify_token": "v",
                        "webhook_url": format!("http://{address}/webhooks/other")});
    assert_eq!(sim("POST", "/numbers", number).await.status, 200);
    let ambiguous = sim("POST", "/customers/34600111222/messages", json!({"text": "hola"})).await;
    assert_eq!(ambiguous.status, 400);
    assert!(ambiguous.body["error"].as_str().unwrap().contains("several numbers"), "{}", ambiguous.body);
    let plan = json!({"phone_number_id": ID, "contacts": 3, "messages": 2});
    let report = sim("POST", "/load", plan).await.body;
    assert_eq!(report["messages"].as_array().unwrap().len(), 6);

    assert_eq!(sim("POST", "/pause", json!({"for_ms": 100, "discard": false})).await.status, 204);
    assert_eq!(sim("GET", "/held", Value::Null).await.body, json!([]));
}
