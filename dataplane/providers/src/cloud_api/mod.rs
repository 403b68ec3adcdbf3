//! Meta's WhatsApp Cloud API.
//!
//! | module | what |
//! | --- | --- |
//! | `signature` | the verification request, and the signature of a webhook |
//! | `repair` | makes text that no database column holds readable, without moving a byte |
//! | `object` | JSON one level at a time, so that what is wrong in one update fails that update alone |
//! | `webhook` | a webhook's envelope: each update becomes an item |
//! | `message`, `status` | one update |
//! | `send` | a message of ours as a request |
//! | `content` | what it says, kind by kind, within Meta's limits |
//! | `answer`, `error` | the answer to it, and what each error code asks of us |

mod answer;
mod content;
mod error;
mod message;
mod object;
mod repair;
mod send;
mod signature;
mod status;
mod webhook;

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use wigwag_crds::tenant;
use wigwag_domain::{Body, Item, OutboundId, ProviderName, Recipient};

use crate::{Outcome, Provider, Refusal, Unsendable, Verified};

/// The header with Meta's signature: `sha256=` and 64 hex digits.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// What an account is accessed with. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Credentials {
    /// System-user or business token; goes into `Authorization`.
    pub access_token: String,
    /// Secret of the Meta app; webhooks are signed with it.
    pub app_secret: String,
    /// What Meta must present in the verification request.
    pub verify_token: String,
}

/// A phone number on the Cloud API.
#[derive(Clone, Debug)]
pub struct CloudApi {
    number: String,
    /// Phone number id to account, of all numbers whose webhooks are handled: our own and its siblings.
    numbers: BTreeMap<String, ProviderName>,
    /// Where messages are posted.
    url: String,
    credentials: Credentials,
}

/// The adapter of an account.
#[must_use]
pub fn adapter(name: &ProviderName, spec: &tenant::CloudApi, credentials: Credentials) -> CloudApi {
    CloudApi {
        number: spec.phone_number_id.clone(),
        numbers: BTreeMap::from([(spec.phone_number_id.clone(), name.clone())]),
        url: format!("{}/{}/{}/messages", spec.base_url, spec.api_version, spec.phone_number_id),
        credentials,
    }
}

// === impl CloudApi ===

impl CloudApi {
    /// Also handles updates of these numbers: Meta calls one URL for all numbers of an app. They must be numbers of
    /// the same tenant; an update of any other number becomes a dead letter.
    #[must_use]
    pub fn with_siblings(mut self, numbers: impl IntoIterator<Item = (String, ProviderName)>) -> Self {
        for (number, name) in numbers {
            self.numbers.entry(number).or_insert(name);
        }
        self
    }
}

impl Provider for CloudApi {
    fn kind(&self) -> &'static str {
        "cloud_api"
    }

    fn channel(&self) -> &str {
        &self.number
    }

    fn challenge(&self, query: &str) -> Result<String, Refusal> {
        signature::challenge(&self.credentials.verify_token, query)
    }

    fn is_verify_token(&self, token: &str) -> bool {
        signature::is_verify_token(&self.credentials.verify_token, token)
    }

    fn verify<'a>(&self, headers: &HeaderMap, body: &'a [u8]) -> Result<Verified<'a>, Refusal> {
        signature::verify(&self.credentials.app_secret, headers, body)
    }

    fn parse(&self, verified: Verified<'_>, received: Timestamp) -> Vec<Item> {
        webhook::parse(&self.numbers, verified.0, received)
    }

    fn request(&self, id: OutboundId, to: &Recipient, body: &Body) -> Result<Request<Bytes>, Unsendable> {
        send::request(&self.url, &self.credentials.access_token, id, to, body)
    }

    fn answer(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Outcome {
        answer::read(&self.credentials.access_token, status, headers, body)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_people_print_of_an_adapter_holds_no_secret() {
        let spec = serde_json::from_str(r#"{"phoneNumberId": "1", "credentialsSecretRef": {"name": "acme"}}"#).unwrap();
        let credentials = Credentials {
            access_token: "EAAtoken".to_owned(),
            app_secret: "EAAsecret".to_owned(),
            verify_token: "EAAverify".to_owned(),
        };
        let printed = format!("{:?}", adapter(&ProviderName::new("primary"), &spec, credentials));
        assert!(!printed.contains("EAA"), "{printed}");
        assert!(printed.contains("https://graph.facebook.com/v25.0/1/messages"), "{printed}");
    }
}
