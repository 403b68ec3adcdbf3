//! What the calls of a tenant's Flows may do: where they may go, and which Secrets they may take along. A Flow names a
//! Secret, and never sees its value; whoever may write Flows may not thereby read Secrets.

use std::{collections::BTreeMap, fmt};

use http::HeaderValue;
use url::Url;
use wigwag_domain::CallFailure;

use super::{
    address::{Allow, HostPattern},
    connect::LookUps,
    request::Failure,
};

/// What a tenant's calls may do.
#[derive(Clone, Debug, Default)]
pub struct CallPolicy {
    /// What is opened beside the public internet (`spec.http.allow`).
    pub allow: Allow,
    /// The Secrets that Flows may send, by name (`spec.flowSecrets`).
    pub secrets: BTreeMap<String, FlowSecret>,
    /// The tenant's turns at DNS.
    pub look_ups: LookUps,
}

/// A Secret that Flows may send.
#[derive(Clone, Default)]
pub struct FlowSecret {
    /// The hosts to which its values may go.
    pub hosts: Vec<HostPattern>,
    /// Values by key.
    pub values: BTreeMap<String, String>,
}

impl fmt::Debug for FlowSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.values.keys().collect();
        f.debug_struct("FlowSecret").field("hosts", &self.hosts).field("keys", &keys).finish_non_exhaustive()
    }
}

impl CallPolicy {
    /// The header's value for a call to this URL, marked so that nothing prints it.
    ///
    /// # Errors
    /// `invalid` when the tenant lists no such Secret, or it has no such key; `refused` when it may not go there.
    pub(super) fn secret(&self, url: &Url, name: &str, key: &str, prefix: &str) -> Result<HeaderValue, Failure> {
        let invalid = |message| Failure { class: CallFailure::Invalid, message };
        let refused = |message| Failure { class: CallFailure::Refused, message };
        let Some(secret) = self.secrets.get(name) else {
            return Err(invalid(format!(
                "Secret {name:?} is none that Flows may send: the tenant lists them in spec.flowSecrets"
            )));
        };
        let Some(value) = secret.values.get(key) else {
            return Err(invalid(format!("Secret {name:?} has no key {key:?}: add it")));
        };
        let Some(host) = url.host() else {
            return Err(invalid("the URL names no host".to_owned()));
        };
        let shown = host.to_string();
        if !secret.hosts.iter().any(|pattern| pattern.matches(&shown)) {
            return Err(refused(format!(
                "Secret {name:?} may not go to {shown}: the tenant lists its hosts in spec.flowSecrets"
            )));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if url.scheme() != "https" && !self.allow.names(&host, port) {
            return Err(refused(format!(
                "Secret {name:?} may not go to {shown} over http, where others can read it: write https"
            )));
        }
        let mut header = HeaderValue::try_from(format!("{prefix}{value}")).map_err(|_| {
            invalid(format!("Secret {name:?}, key {key:?}, with its prefix is no value of a header: it has a line break or another control character"))
        })?;
        header.set_sensitive(true);
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const VALUE: &str = "s3cr3t-v4lue";

    fn policy(allow: &[&str]) -> CallPolicy {
        let hosts = ["api.example.com", "*.shop.example", "10.0.0.7"].map(|host| HostPattern::parse(host).unwrap());
        let values = [("token", VALUE), ("broken", "a\r\nX-Evil: b")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let secret = FlowSecret { hosts: hosts.to_vec(), values: values.into() };
        let allow = Allow::parse(allow.iter().copied()).unwrap();
        CallPolicy { allow, secrets: [("crm".to_owned(), secret)].into(), look_ups: LookUps::default() }
    }

    fn secret(allow: &[&str], url: &str, name: &str, key: &str) -> Result<HeaderValue, Failure> {
        policy(allow).secret(&Url::parse(url).unwrap(), name, key, "Bearer ")
    }

    #[test]
    fn a_secret_goes_to_its_hosts_with_its_prefix_and_is_never_printed() {
        let header = secret(&[], "https://api.example.com/v1", "crm", "token").unwrap();
        assert_eq!(header, "Bearer s3cr3t-v4lue");
        assert!(secret(&[], "https://eu.shop.example", "crm", "token").is_ok());
        let printed = format!("{header:?} {:?}", policy(&[]));
        assert!(!printed.contains("s3cr3t"), "{printed}");
    }

    #[test]
    fn a_secret_goes_nowhere_else_and_not_in_clear_text() {
        for elsewhere in [
            "https://example.com",
            "https://api.example.com.evil.org",
            "https://shop.example",
            "https://evilshop.example",
            "http://api.example.com",
            "http://10.0.0.7",
        ] {
            let failure = secret(&[], elsewhere, "crm", "token").unwrap_err();
            assert_eq!(failure.class, CallFailure::Refused, "{elsewhere}");
            assert!(!failure.message.contains("s3cr3t"), "{}", failure.message);
        }
        assert!(secret(&["api.example.com:80"], "http://api.example.com", "crm", "token").is_ok(), "opened by name");
        assert!(secret(&["10.0.0.0/8"], "http://10.0.0.7", "crm", "token").is_ok(), "opened by address");
        assert!(secret(&["api.example.com:81"], "http://api.example.com", "crm", "token").is_err(), "another port");
    }

    #[test]
    fn a_secret_that_is_not_listed_or_has_no_such_key_is_named() {
        let failure = secret(&[], "https://api.example.com", "acme-meta", "access-token").unwrap_err();
        assert_eq!(failure.class, CallFailure::Invalid);
        assert!(failure.message.contains("acme-meta") && failure.message.contains("flowSecrets"));
        let failure = secret(&[], "https://api.example.com", "crm", "tokn").unwrap_err();
        assert_eq!(failure.message, "Secret \"crm\" has no key \"tokn\": add it");
    }

    #[test]
    fn a_secret_with_a_line_break_makes_no_second_header_and_is_not_repeated_in_the_message() {
        let failure = secret(&[], "https://api.example.com", "crm", "broken").unwrap_err();
        assert_eq!(failure.class, CallFailure::Invalid);
        assert!(!failure.message.contains("Evil"), "{}", failure.message);
    }
}
