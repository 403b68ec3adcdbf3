//! Webhooks as Meta posts them: one text message of about 600 bytes each, signed, with an id that no other has.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use sha2::Sha256;

use crate::tenant::{APP_SECRET, NUMBER};

/// A webhook, ready to be posted.
#[derive(Debug)]
pub struct Signed {
    /// The body.
    pub body: Bytes,
    /// The value of `X-Hub-Signature-256`.
    pub signature: HeaderValue,
}

/// Signs bodies; the keyed state is made once.
#[derive(Debug, Clone)]
pub struct Signer(Hmac<Sha256>);

/// An endless row of messages, of contacts that take turns.
#[derive(Debug)]
pub struct Messages {
    signer: Signer,
    /// 0: each message is of a new contact.
    contacts: u64,
    next: Cell<u64>,
}

impl Signer {
    /// With the tenant's secret.
    ///
    /// # Errors
    /// Never: HMAC takes keys of any length.
    pub fn new() -> Result<Self> {
        Hmac::new_from_slice(APP_SECRET.as_bytes()).map(Self).context("HMAC takes keys of any length")
    }

    /// Signs a body.
    ///
    /// # Errors
    /// Never: hexadecimal digits are a header's value.
    pub fn sign(&self, body: String) -> Result<Signed> {
        let mac = self.0.clone().chain_update(body.as_bytes()).finalize();
        let signature = HeaderValue::from_str(&format!("sha256={}", hex::encode(mac.into_bytes())))?;
        Ok(Signed { body: body.into(), signature })
    }
}

impl Messages {
    /// Messages of so many contacts in turn; 0: each of a new one.
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub fn new(contacts: u64) -> Result<Self> {
        Ok(Self { signer: Signer::new()?, contacts, next: Cell::new(0) })
    }

    /// The next one.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub fn next(&self) -> Result<Signed> {
        let n = self.next.replace(self.next.get() + 1);
        self.signer.sign(body(n, self.contact(n), "Hola, quiero saber si ya salio mi pedido"))
    }

    /// Contacts that have written so far.
    pub fn contacts_so_far(&self) -> u64 {
        let written = self.next.get();
        if self.contacts == 0 { written } else { written.min(self.contacts) }
    }

    fn contact(&self, n: u64) -> u64 {
        n.checked_rem(self.contacts).unwrap_or(n)
    }
}

/// The phone of a contact, digits only.
#[must_use]
pub fn phone(contact: u64) -> String {
    format!("{}", 34_600_000_000 + contact)
}

/// The body with message `n`, by `contact`. `text` goes in as it is: plain ASCII without quotes.
#[must_use]
pub fn body(n: u64, contact: u64, text: &str) -> String {
    let phone = phone(contact);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"102290129340398","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550783881","phone_number_id":"{NUMBER}"}},"contacts":[{{"profile":{{"name":"Ana Garcia"}},"wa_id":"{phone}","user_id":"US.1349{contact:016}"}}],"messages":[{{"from":"{phone}","from_user_id":"US.1349{contact:016}","id":"wamid.HBgLMzQ2MDAxMTEyMjIVAgASGBQzQTdDNEQ2{n:020}","timestamp":"{seconds}","text":{{"body":"{text}"}},"type":"text"}}]}},"field":"messages"}}]}}]}}"#
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use http::HeaderMap;
    use jiff::Timestamp;
    use wigwag_domain::Item;
    use wigwag_providers::{Provider, cloud_api::SIGNATURE_HEADER};

    use super::*;
    use crate::plain::adapter;

    #[test]
    fn every_message_is_genuine_and_of_the_size_of_real_ones_and_has_an_id_of_its_own() {
        let adapter = adapter().unwrap();
        let messages = Messages::new(2).unwrap();
        let mut ids = Vec::new();
        let mut phones = Vec::new();
        for _ in 0..3 {
            let Signed { body, signature } = messages.next().unwrap();
            assert!((550..=700).contains(&body.len()), "{} bytes", body.len());
            let headers = HeaderMap::from_iter([(SIGNATURE_HEADER.parse().unwrap(), signature)]);
            let verified = adapter.verify(&headers, &body).unwrap();
            let items = adapter.parse(verified, Timestamp::now());
            let [Item::Message(message)] = &items[..] else { panic!("{items:?}") };
            ids.push(message.provider_id.clone());
            phones.push(message.from.phone.clone().unwrap());
        }
        assert_eq!(messages.contacts_so_far(), 2);
        assert_eq!(phones, [phone(0), phone(1), phone(0)]);
        ids.dedup();
        assert_eq!(ids.len(), 3);
    }
}
