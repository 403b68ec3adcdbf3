//! An inbound message on its way from an adapter into the table `inbound`, and as it stands there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Content, ProviderName, TenantKey};

/// A message as an adapter read it from a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// Which account of the tenant it came in by.
    pub provider: ProviderName,
    /// The provider's id of our number.
    pub channel: String,
    /// Our number as the provider displays it.
    pub to: Option<String>,
    /// The provider's id of the message, unique within the channel.
    pub provider_id: String,
    /// Who wrote.
    pub from: Sender,
    /// When the customer sent it, by the provider's clock.
    pub sent_at: Timestamp,
    /// What it says.
    pub content: Content,
    /// Provider's id of the message that it quotes.
    pub quotes: Option<String>,
    /// The ad or post that led the customer here, as the provider sent it.
    pub referral: Option<Value>,
}

/// Who wrote. At least one of `phone` and `user_id` is there: a customer with a username may hide the phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Digits only.
    pub phone: Option<String>,
    /// Business-scoped user id: opaque, and another one after the customer changed numbers.
    pub user_id: Option<String>,
    /// Profile name.
    pub name: Option<String>,
}

/// A stored message: the JSON of a job's `payload`. The first six fields are those of the worker protocol
/// (`GET /queue/next-job`); the others are our own beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// Phone with `+`, else the business-scoped user id.
    pub from: String,
    /// Our number as the provider displays it, else the provider's id of it.
    pub to: String,
    /// What the customer wrote, as plain text.
    pub message: String,
    /// The provider's id of the message; empty where a program says it in the customer's place.
    pub message_id: String,
    /// The tenant's name.
    pub tenant_id: String,
    /// Profile name, if the provider told one.
    pub contact_name: Option<String>,
    /// When the customer sent it.
    pub timestamp: Timestamp,
    /// Which account of the tenant it came in by; the answer goes out by the same.
    pub provider: ProviderName,
    /// The provider's id of our number.
    pub channel: String,
    /// Business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What it says, told apart.
    pub content: Content,
    /// Provider's id of the message that it quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotes: Option<String>,
    /// The ad or post that led the customer here, as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Value>,
}

impl Inbound {
    /// The form in which it is stored.
    #[must_use]
    pub fn into_payload(self, tenant: &TenantKey) -> Payload {
        let from = self.from.phone.map(|phone| format!("+{phone}"));
        Payload {
            from: from.or_else(|| self.from.user_id.clone()).unwrap_or_default(),
            to: self.to.unwrap_or_else(|| self.channel.clone()),
            message: self.content.text().to_owned(),
            message_id: self.provider_id,
            tenant_id: tenant.name().to_owned(),
            contact_name: self.from.name,
            timestamp: self.sent_at,
            provider: self.provider,
            channel: self.channel,
            user_id: self.from.user_id,
            content: self.content,
            quotes: self.quotes,
            referral: self.referral,
        }
    }
}
