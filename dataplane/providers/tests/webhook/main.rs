//! Meta's webhooks through the whole adapter, signature first: what comes in, and what becomes of it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod batches;
mod messages;
mod properties;
mod statuses;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};
use wigwag_domain::{DeadLetter, Inbound, Item, ProviderName, Receipt};
use wigwag_providers::{
    Provider,
    cloud_api::{self, CloudApi, Credentials, SIGNATURE_HEADER},
};

const SECRET: &str = "test_app_secret";
/// Our own number, and that of another account of the same tenant.
const NUMBER: &str = "106540352242922";
const SIBLING: &str = "206540352242922";

fn adapter() -> CloudApi {
    let spec = json!({"phoneNumberId": NUMBER, "credentialsSecretRef": {"name": "acme-meta"}});
    let credentials = Credentials {
        access_token: "access".to_owned(),
        app_secret: SECRET.to_owned(),
        verify_token: "verify".to_owned(),
    };
    let name = ProviderName::new("primary");
    cloud_api::adapter(&name, &serde_json::from_value(spec).unwrap(), credentials)
        .with_siblings([(SIBLING.to_owned(), ProviderName::new("second"))])
}

fn received() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// What becomes of a correctly signed body.
fn handled(body: &[u8]) -> Vec<Item> {
    let adapter = adapter();
    let mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let headers = HeaderMap::from_iter([(SIGNATURE_HEADER.parse().unwrap(), signature.parse().unwrap())]);
    let verified = adapter.verify(&headers, body).expect("signed with our secret");
    adapter.parse(verified, received())
}

/// A body with these changes, written by hand so that it can hold what no JSON library writes.
fn body(changes: &[String]) -> String {
    format!(r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1020","changes":[{}]}}]}}"#, changes.join(","))
}

/// A change of our number; `rest` follows in its value.
fn change(number: &str, rest: &str) -> String {
    let metadata = format!(r#"{{"display_phone_number":"15550783881","phone_number_id":"{number}"}}"#);
    format!(r#"{{"value":{{"messaging_product":"whatsapp","metadata":{metadata},{rest}}},"field":"messages"}}"#)
}

fn messages(list: &[String]) -> String {
    let contacts = r#"[{"profile":{"name":"Ana"},"wa_id":"16505551234","user_id":"US.1349"}]"#;
    body(&[change(NUMBER, &format!(r#""contacts":{contacts},"messages":[{}]"#, list.join(",")))])
}

fn statuses(list: &[String]) -> String {
    body(&[change(NUMBER, &format!(r#""statuses":[{}]"#, list.join(",")))])
}

fn hola(id: &str) -> String {
    json!({"from": "16505551234", "id": id, "timestamp": "1749416383", "type": "text", "text": {"body": "hola"}})
        .to_string()
}

/// What becomes of one message with these keys besides the common ones.
fn message(keys: Value) -> Item {
    let mut message = json!({"from": "16505551234", "id": "wamid.A", "timestamp": "1749416383"});
    message.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    only(handled(messages(&[message.to_string()]).as_bytes()))
}

fn only(mut items: Vec<Item>) -> Item {
    assert_eq!(items.len(), 1, "{items:#?}");
    items.remove(0)
}

fn inbound(item: Item) -> Inbound {
    match item {
        Item::Message(inbound) => *inbound,
        other => panic!("no message: {other:?}"),
    }
}

fn receipt(item: Item) -> Receipt {
    match item {
        Item::Receipt(receipt) => receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

fn dead(item: Item) -> DeadLetter {
    match item {
        Item::Dead(dead) => dead,
        other => panic!("no dead letter: {other:?}"),
    }
}
