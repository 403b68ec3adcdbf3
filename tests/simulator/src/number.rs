//! A business phone number as registered at Meta, with the app that owns it: who may send through it, how its webhooks
//! are signed and where they go. Registered at start, by [`crate::Platform::register`], or by `POST /sim/numbers`.

use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use http::Uri;
use serde::{Deserialize, Serialize};

/// A registered number. Register it again under the same id to change it (a new token, secret or webhook URL).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Number {
    /// The id in the send URL and in `metadata.phone_number_id`.
    pub phone_number_id: String,
    /// The number itself, digits only.
    #[serde(default = "default_display")]
    pub display_phone_number: String,
    /// The WhatsApp business account: `entry[].id`.
    #[serde(default = "default_waba")]
    pub waba_id: String,
    /// Bearer tokens that may send through it.
    pub access_tokens: Vec<String>,
    /// The Meta app's secret, which signs the webhooks.
    pub app_secret: String,
    /// What the GET handshake presents as `hub.verify_token`.
    pub verify_token: String,
    /// Where its webhooks are posted; plain `http://`. Its host may be sent elsewhere by [`crate::Platform::connect`].
    pub webhook_url: String,
}

fn default_display() -> String {
    "15550783881".to_owned()
}

fn default_waba() -> String {
    "102290129340398".to_owned()
}

impl Number {
    /// A number with credentials made from its id: `ID-access-token`, `ID-app-secret`, `ID-verify-token`.
    pub fn new(phone_number_id: impl Into<String>, webhook_url: impl Into<String>) -> Self {
        let id = phone_number_id.into();
        Self {
            access_tokens: vec![format!("{id}-access-token")],
            app_secret: format!("{id}-app-secret"),
            verify_token: format!("{id}-verify-token"),
            phone_number_id: id,
            display_phone_number: default_display(),
            waba_id: default_waba(),
            webhook_url: webhook_url.into(),
        }
    }

    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let id = &self.phone_number_id;
        ensure!(!id.is_empty(), "a number needs a phone_number_id");
        let url: Uri =
            self.webhook_url.parse().with_context(|| format!("number {id}: webhook URL {:?}", self.webhook_url))?;
        ensure!(
            url.scheme_str() == Some("http") && url.host().is_some(),
            "number {id}: webhook URL {:?} must be http://HOST/PATH, the simulator speaks no TLS",
            self.webhook_url
        );
        Ok(())
    }
}

/// `phone_number_id=…,token=…,secret=…,verify=…,webhook=URL[,display=DIGITS][,waba=ID]`, as on the command line.
impl FromStr for Number {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut number = Self::new("", "");
        number.access_tokens.clear();
        for pair in text.split(',') {
            let (key, value) = pair.split_once('=').with_context(|| format!("{pair:?} is not KEY=VALUE"))?;
            let value = value.to_owned();
            match key {
                "phone_number_id" => number.phone_number_id = value,
                "token" => number.access_tokens.push(value),
                "secret" => number.app_secret = value,
                "verify" => number.verify_token = value,
                "webhook" => number.webhook_url = value,
                "display" => number.display_phone_number = value,
                "waba" => number.waba_id = value,
                _ => bail!(
                    "{key:?} is not known: write phone_number_id, token, secret, verify, webhook, display or waba"
                ),
            }
        }
        number.check()?;
        Ok(number)
    }
}
