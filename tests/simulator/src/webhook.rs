//! What a webhook's bytes are: updates packed into Meta's envelope, written as Meta writes JSON, and signed.
//! Pure; `delivery` posts the result.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::Number;

/// Most updates that Meta puts into one POST.
pub(crate) const BATCH_LIMIT: usize = 1000;

/// Updates of one change in a batch: enough that a reader who takes only the first message of a value loses some.
const MERGE: usize = 10;

/// One change on its way to a webhook: a customer message, a receipt, or anything else.
#[derive(Clone, Debug)]
pub struct Update {
    pub(crate) number: String,
    pub(crate) field: String,
    pub(crate) value: Map<String, Value>,
    pub(crate) subject: Subject,
}

/// What an update tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Subject {
    /// A message of a customer.
    Message {
        /// Its wamid.
        id: String,
        /// Phone digits, or business-scoped id.
        customer: String,
    },
    /// A receipt.
    Status {
        /// The wamid of the message that it is about.
        id: String,
        /// `sent`, `delivered`, `read`, `played` or `failed`.
        status: String,
        /// Phone digits, or business-scoped id.
        customer: String,
    },
    /// Another field, or a shape made by the test.
    Other,
}

impl Subject {
    /// The wamid that it is about.
    pub fn id(&self) -> &str {
        match self {
            Self::Message { id, .. } | Self::Status { id, .. } => id,
            Self::Other => "",
        }
    }
}

impl Update {
    /// Any `value` under any `field`, of this number's business account. For `messages` the metadata is up to the caller.
    pub fn raw(number: &Number, field: impl Into<String>, value: Map<String, Value>) -> Self {
        Self { number: number.phone_number_id.clone(), field: field.into(), value, subject: Subject::Other }
    }

    pub(crate) fn messages(number: &Number, rest: Map<String, Value>, subject: Subject) -> Self {
        let mut value = Map::new();
        value.insert("messaging_product".into(), json!("whatsapp"));
        value.insert(
            "metadata".into(),
            json!({
                "display_phone_number": number.display_phone_number,
                "phone_number_id": number.phone_number_id,
            }),
        );
        value.extend(rest);
        Self { number: number.phone_number_id.clone(), field: "messages".into(), value, subject }
    }

    fn merges_with(&self, other: &Self) -> bool {
        use Subject::{Message, Status};
        self.field == other.field
            && matches!(
                (&self.subject, &other.subject),
                (Message { .. }, Message { .. }) | (Status { .. }, Status { .. })
            )
    }
}

/// A customer as Meta knows them.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) user_id: Option<String>,
}

impl Profile {
    /// The name that the ledger keeps them under.
    pub(crate) fn key(&self) -> String {
        self.phone.clone().or_else(|| self.user_id.clone()).unwrap_or_default()
    }
}

/// Digits of a phone however it is written; anything else, such as a business-scoped id, as it is.
pub(crate) fn customer_key(identity: &str) -> String {
    let phone_like = identity.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c));
    match phone_like {
        true => identity.chars().filter(char::is_ascii_digit).collect(),
        false => identity.to_owned(),
    }
}

pub(crate) fn same_customer(a: &str, b: &str) -> bool {
    customer_key(a) == customer_key(b)
}

/// The body of one POST with these updates in their order, spread over `entries` entries.
pub(crate) fn body(number: &Number, updates: &[Update], entries: usize) -> Bytes {
    let per_entry = updates.len().div_ceil(entries.max(1)).max(1);
    let entries: Vec<Value> =
        updates.chunks(per_entry).map(|updates| json!({"id": number.waba_id, "changes": changes(updates)})).collect();
    as_meta_writes(&json!({"object": "whatsapp_business_account", "entry": entries}))
}

/// Neighbours of one kind share a change, as several messages of several users share a value at Meta.
fn changes(updates: &[Update]) -> Vec<Value> {
    updates
        .chunk_by(Update::merges_with)
        .flat_map(|run| run.chunks(MERGE))
        .map(|run| {
            let mut value = run[0].value.clone();
            for update in &run[1..] {
                for (key, item) in &update.value {
                    merge(&mut value, key, item);
                }
            }
            json!({"field": run[0].field, "value": value})
        })
        .collect()
}

fn merge(value: &mut Map<String, Value>, key: &str, more: &Value) {
    let Value::Array(more) = more else { return };
    match value.get_mut(key) {
        Some(Value::Array(there)) => {
            // One contact object a customer, however many messages; messages that are equal stay as many as they are.
            for item in more {
                if key != "contacts" || !there.contains(item) {
                    there.push(item.clone());
                }
            }
        }
        _ => {
            value.insert(key.to_owned(), Value::Array(more.clone()));
        }
    }
}

/// JSON with `/` and everything beyond ASCII escaped, as Meta writes it: a receiver that checks the signature over what
/// it serialised itself fails here as it would in the field.
pub(crate) fn as_meta_writes(value: &Value) -> Bytes {
    let plain = value.to_string();
    let mut escaped = String::with_capacity(plain.len() + plain.len() / 8);
    for c in plain.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    Bytes::from(escaped)
}

/// The value of `X-Hub-Signature-256`: HMAC-SHA256 over the raw bytes under the app secret.
pub fn sign(app_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_published_vectors() {
        let compact = br#"{"object":"whatsapp_business_account","entry":[]}"#;
        let spaced = br#"{"object": "whatsapp_business_account", "entry": []}"#;
        for (secret, body, hex) in [
            ("test_app_secret", &compact[..], "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"),
            ("test_app_secret", &spaced[..], "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"),
            ("otro_secreto", &compact[..], "769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7"),
        ] {
            assert_eq!(sign(secret, body), format!("sha256={hex}"));
        }
    }

    #[test]
    fn json_is_escaped_as_meta_does_and_reads_back_the_same() {
        let value = json!({"body": "¿Qué? 😀 a/b \u{0}"});
        let bytes = as_meta_writes(&value);
        assert!(bytes.is_ascii());
        assert!(bytes.windows(12).any(|w| w == br"\ud83d\ude00"));
        assert_eq!(serde_json::from_slice::<Value>(&bytes).ok(), Some(value));
    }

    #[test]
    fn a_batch_keeps_every_message_in_order_over_all_entries() {
        let number = Number::new("1", "http://localhost/");
        let updates: Vec<_> = (0..1000)
            .map(|n| {
                let customer = format!("34{}", n % 7);
                let rest = json!({"contacts": [{"wa_id": customer}], "messages": [{"id": n}]});
                let Value::Object(rest) = rest else { unreachable!() };
                Update::messages(&number, rest, Subject::Message { id: n.to_string(), customer })
            })
            .collect();
        let posted: Value = serde_json::from_slice(&body(&number, &updates, 3)).unwrap_or_default();
        assert_eq!(posted["entry"].as_array().map(Vec::len), Some(3));
        let ids: Vec<_> = posted["entry"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|e| e["changes"].as_array().into_iter().flatten())
            .flat_map(|c| c["value"]["messages"].as_array().into_iter().flatten())
            .filter_map(|m| m["id"].as_u64())
            .collect();
        assert_eq!(ids, (0..1000).collect::<Vec<_>>());
        let contacts = posted["entry"][0]["changes"][0]["value"]["contacts"].as_array().map(Vec::len);
        assert_eq!(contacts, Some(7), "one contact object a customer");
    }
}
