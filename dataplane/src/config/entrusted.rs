//! What a tenant entrusts to its Flows' calls and to the users of its API: from the manifest and its Secrets to a policy
//! and tokens. What cannot be used is left out and is a problem; it takes nothing else of the tenant down.

use std::collections::BTreeMap;

use wigwag_crds::tenant::SHORTEST_TOKEN;

use super::{Tokens, manifest::TenantManifest, secrets::Data};
use crate::calls::{
    address::{Allow, HostPattern},
    policy::{CallPolicy, FlowSecret},
};

/// A tenant with its Secrets, on the way to what runs.
pub(super) struct Entrusted<'a> {
    pub(super) manifest: &'a TenantManifest,
    /// The Secrets that were found, by name.
    pub(super) secrets: &'a BTreeMap<&'a str, Data>,
    pub(super) problems: &'a mut Vec<String>,
}

impl<'a> Entrusted<'a> {
    /// Where calls may go, and which Secrets they may take along.
    pub(super) fn policy(&mut self) -> CallPolicy {
        let spec = &self.manifest.spec;
        let mut allow = Vec::new();
        for (i, entry) in spec.http.iter().flat_map(|http| &http.allow).enumerate() {
            match Allow::parse([entry.as_str()]) {
                Ok(_) => allow.push(entry.as_str()),
                Err(error) => self.problem(&format!("http.allow[{i}]"), &error.to_string()),
            }
        }
        let sendable: BTreeMap<_, _> = spec.sendable_secrets().map(|secret| (&secret.name, secret)).collect();
        let mut secrets = BTreeMap::new();
        for (i, secret) in spec.flow_secrets.iter().enumerate() {
            let at = format!("flowSecrets[{i}]");
            if !sendable.contains_key(&secret.name) {
                let message = format!(
                    "Secret {:?} has the tenant's own credentials, which no Flow may send: keep what Flows need in a \
                     Secret of its own",
                    secret.name
                );
                self.problem(&format!("{at}.name"), &message);
                continue;
            }
            let hosts = self.hosts(&at, &secret.hosts);
            secrets.insert(secret.name.clone(), FlowSecret { hosts, values: self.values(&at, &secret.name) });
        }
        // Each entry was read above.
        CallPolicy { allow: Allow::parse(allow).unwrap_or_default(), secrets, ..CallPolicy::default() }
    }

    /// The bearer tokens of the API.
    pub(super) fn tokens(&mut self) -> Tokens {
        const FIELD: &str = "api.tokensSecretRef";
        let mut tokens = Vec::new();
        let Some(api) = &self.manifest.spec.api else { return Tokens(tokens) };
        let name = &api.tokens_secret_ref.name;
        if self.manifest.spec.tokens_secret().is_none() {
            let message = format!(
                "Secret {name:?} has other credentials, and each of them would be a token: keep the tokens in a Secret \
                 of their own"
            );
            self.problem(FIELD, &message);
            return Tokens(tokens);
        }
        let Some(data) = self.found(FIELD, name) else { return Tokens(tokens) };
        for key in data.0.keys() {
            match data.line(key) {
                Ok(token) if token.chars().count() >= SHORTEST_TOKEN => tokens.push(token),
                Ok(_) => {
                    let message = format!("{name}/{key} has fewer than {SHORTEST_TOKEN} characters: make it longer");
                    self.problem(FIELD, &message);
                }
                Err(why) => self.problem(FIELD, &format!("{name}/{key}{why} is no token")),
            }
        }
        Tokens(tokens)
    }

    fn hosts(&mut self, at: &str, hosts: &[String]) -> Vec<HostPattern> {
        let mut patterns = Vec::new();
        for (i, host) in hosts.iter().enumerate() {
            match HostPattern::parse(host) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => self.problem(&format!("{at}.hosts[{i}]"), &error.to_string()),
            }
        }
        patterns
    }

    /// What a Secret holds as text. A value with several lines stays: the call that would send it tells so.
    fn values(&mut self, at: &str, name: &str) -> BTreeMap<String, String> {
        let Some(data) = self.found(&format!("{at}.name"), name) else { return BTreeMap::new() };
        data.0.keys().filter_map(|key| Some((key.clone(), data.text(key)?.to_owned()))).collect()
    }

    fn found(&mut self, field: &str, name: &str) -> Option<&'a Data> {
        let secrets = self.secrets;
        let data = secrets.get(name);
        if data.is_none() {
            self.problem(field, &format!("Secret {name:?} is not there: create it"));
        }
        data
    }

    fn problem(&mut self, field: &str, message: &str) {
        self.problems.push(format!("{}: spec.{field}: {message}", self.manifest.file));
    }
}
