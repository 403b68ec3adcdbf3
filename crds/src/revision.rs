//! Revisions: short hashes that name a Flow's text, a tenant's configuration, and the content of a Secret.
//!
//! They are taken over untyped JSON with sorted keys: typed specs of two builds serialise differently, and a
//! session that was begun under one build must find its Flow's text under the next.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Revision of a Flow: 12 hex digits of SHA-256 over its manifest's `spec`.
#[must_use]
pub fn flow_revision(spec: &Value) -> String {
    short(Sha256::digest(canonical(spec)))
}

/// Revision of a tenant's configuration: over the tenant's `spec` and the revision of each Flow by name.
#[must_use]
pub fn config_revision<'a>(tenant_spec: &Value, flows: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let flows: BTreeMap<_, _> = flows.into_iter().collect();
    let mut hash = Sha256::new();
    hash.update(canonical(tenant_spec));
    for (name, revision) in flows {
        hash.update(format!("\n{name}={revision}"));
    }
    short(hash.finalize())
}

/// Mark of a Secret's content that can be shown: it tells whether two processes have the same content, and a
/// short secret cannot be guessed from it without the salt, which is the configuration's own (the tenant's UID in a
/// cluster).
#[must_use]
pub fn secret_mark<'a>(salt: &str, data: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let data: BTreeMap<_, _> = data.into_iter().collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(salt.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    for (key, value) in data {
        // Lengths first, so that no two contents read the same.
        mac.update(&(key.len() as u64).to_be_bytes());
        mac.update(key.as_bytes());
        mac.update(&(value.len() as u64).to_be_bytes());
        mac.update(value);
    }
    short(mac.finalize().into_bytes())
}

fn short(digest: impl AsRef<[u8]>) -> String {
    hex::encode(&digest.as_ref()[..6])
}

/// JSON without white space, keys sorted at every level: the form that is hashed, and kept with a revision.
#[must_use]
pub fn canonical(value: &Value) -> String {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Object(map) => {
                let sorted: BTreeMap<_, _> = map.iter().collect();
                out.push('{');
                for (i, (key, value)) in sorted.into_iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    out.push_str(&Value::from(key.as_str()).to_string());
                    out.push(':');
                    write(value, out);
                }
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write(item, out);
                }
                out.push(']');
            }
            scalar => out.push_str(&scalar.to_string()),
        }
    }
    let mut out = String::new();
    write(value, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_make_a_revision() {
        let a = json!({"start": "a", "nodes": [{"name": "a", "message": {"text": "x"}}]});
        let b = json!({"nodes": [{"message": {"text": "x"}, "name": "a"}], "start": "a"});
        assert_eq!(flow_revision(&a), flow_revision(&b));
        assert_eq!(flow_revision(&a).len(), 12);
    }

    #[test]
    fn any_change_of_text_makes_another_revision() {
        assert_ne!(flow_revision(&json!({"text": "a"})), flow_revision(&json!({"text": "b"})));
        assert_ne!(config_revision(&json!({}), [("a", "1")]), config_revision(&json!({}), [("a", "2")]));
    }

    #[test]
    fn a_mark_tells_keys_from_values_and_depends_on_the_salt() {
        let split = secret_mark("s", [("ab", b"c".as_slice())]);
        assert_ne!(split, secret_mark("s", [("a", b"bc".as_slice())]));
        assert_ne!(split, secret_mark("t", [("ab", b"c".as_slice())]));
    }
}
