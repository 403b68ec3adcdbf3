//! What the API server's schema refuses in a tenant. A folder has no API server before it, so the rules that keep the
//! data plane from acting on nonsense are kept here too; a Flow's are in the check of Flows.

use std::collections::BTreeSet;

use wigwag_crds::{
    WhatsAppTenantSpec,
    flow::Escape,
    tenant::{CloudApi, FlowSecret, Locale, Provider},
};

use super::typed::Misfit;

/// Everything that is wrong with a tenant.
pub(super) fn of_tenant(name: &str, spec: &WhatsAppTenantSpec) -> Vec<Misfit> {
    let mut found = Findings(Vec::new());
    found.hold(is_label(name, 50), "metadata.name", "write 1 to 50 small letters, digits and \"-\"");
    found.hold((1..=16).contains(&spec.providers.len()), "spec.providers", "name 1 to 16 providers");
    let mut names = BTreeSet::new();
    for (i, provider) in spec.providers.iter().enumerate() {
        let at = format!("spec.providers[{i}]");
        found.hold(names.insert(&provider.name), format!("{at}.name"), "another provider has this name: choose one");
        found.provider(&at, provider);
    }
    if let Some(route) = &spec.route {
        let is_host = route.host.len() <= 130 && route.host.split('.').all(|label| is_label(label, 63));
        found.hold(
            is_host,
            "spec.route.host",
            "write a host name of at most 130 small letters, digits, \"-\" and dots",
        );
    }
    if let Some(api) = &spec.api {
        found.secret("spec.api.tokensSecretRef.name", &api.tokens_secret_ref.name);
    }
    found.locale(&spec.locale);
    found.hold(spec.variables.len() <= 100, "spec.variables", "keep at most 100 variables");
    found.hold(spec.escape.len() <= 20, "spec.escape", "write at most 20 escapes");
    for (i, escape) in spec.escape.iter().enumerate() {
        found.escape(&format!("spec.escape[{i}]"), escape);
    }
    let allow = spec.http.iter().flat_map(|http| &http.allow);
    found.hold(allow.clone().count() <= 50, "spec.http.allow", "open at most 50 places");
    for (i, place) in allow.enumerate() {
        found.hold(is_within(place, 253), format!("spec.http.allow[{i}]"), "write 1 to 253 characters");
    }
    found.flow_secrets(&spec.flow_secrets);
    found.0
}

struct Findings(Vec<Misfit>);

impl Findings {
    fn hold(&mut self, holds: bool, field: impl Into<String>, message: &str) {
        if !holds {
            self.0.push(Misfit { field: field.into(), message: message.to_owned() });
        }
    }

    fn provider(&mut self, at: &str, provider: &Provider) {
        let is_name = is_label(&provider.name, 40);
        self.hold(is_name, format!("{at}.name"), "write 1 to 40 small letters, digits and \"-\"");
        match &provider.cloud_api {
            Some(cloud_api) => self.cloud_api(&format!("{at}.cloudApi"), cloud_api),
            None => self.hold(false, at, "no kind: write cloudApi: {phoneNumberId, credentialsSecretRef} under it"),
        }
    }

    fn cloud_api(&mut self, at: &str, spec: &CloudApi) {
        let number = &spec.phone_number_id;
        let is_id = (1..=32).contains(&number.len()) && is_digits(number);
        self.hold(is_id, format!("{at}.phoneNumberId"), "write Meta's id of the number, 1 to 32 digits");
        let version = spec.api_version.strip_prefix('v').and_then(|version| version.split_once('.'));
        let is_version = version.is_some_and(|(major, minor)| is_digits(major) && is_digits(minor));
        self.hold(is_version, format!("{at}.apiVersion"), "write a version such as v25.0");
        let host = ["https://", "http://"].iter().find_map(|scheme| spec.base_url.strip_prefix(scheme));
        let is_url = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']));
        self.hold(is_url, format!("{at}.baseUrl"), "write scheme and host only, such as https://graph.facebook.com");
        self.secret(&format!("{at}.credentialsSecretRef.name"), &spec.credentials_secret_ref.name);
        let is_rate = (1..=5000).contains(&spec.throughput);
        self.hold(is_rate, format!("{at}.throughput"), "write 1 to 5000 messages a second");
    }

    /// The name becomes that of a folder: a path must not pass for one.
    fn secret(&mut self, at: &str, name: &str) {
        let is_name = name.len() <= 253 && name.split('.').all(|label| is_label(label, 253));
        self.hold(is_name, at, "write the name of a Secret");
    }

    fn locale(&mut self, locale: &Locale) {
        self.hold(is_within(&locale.timezone, 64), "spec.locale.timezone", "write 1 to 64 characters");
        let is_language = |language: &str| is_within(language, 16) && language.chars().count() >= 2;
        self.hold(is_language(&locale.language), "spec.locale.language", "write a language such as es or pt-BR");
        self.hold(locale.languages.len() <= 20, "spec.locale.languages", "name at most 20 languages");
        for (i, language) in locale.languages.iter().enumerate() {
            let at = format!("spec.locale.languages[{i}]");
            self.hold(is_language(language), at, "write a language such as es or pt-BR");
        }
    }

    fn escape(&mut self, at: &str, escape: &Escape) {
        let are_words = (1..=20).contains(&escape.words.len()) && escape.words.iter().all(|word| is_within(word, 64));
        self.hold(are_words, format!("{at}.words"), "write 1 to 20 words of at most 64 characters");
        let is_name = escape.flow.as_ref().is_none_or(|flow| is_within(flow, 200));
        self.hold(is_name, format!("{at}.flow"), "write the name of a Flow");
    }

    fn flow_secrets(&mut self, secrets: &[FlowSecret]) {
        self.hold(secrets.len() <= 20, "spec.flowSecrets", "list at most 20 Secrets");
        let mut names = BTreeSet::new();
        for (i, secret) in secrets.iter().enumerate() {
            let at = format!("spec.flowSecrets[{i}]");
            self.secret(&format!("{at}.name"), &secret.name);
            self.hold(names.insert(&secret.name), format!("{at}.name"), "this Secret is listed already: list it once");
            let are_hosts =
                (1..=20).contains(&secret.hosts.len()) && secret.hosts.iter().all(|host| is_within(host, 253));
            self.hold(are_hosts, format!("{at}.hosts"), "write 1 to 20 hosts of at most 253 characters");
        }
    }
}

/// Small letters, digits and `-`, which neither begins nor ends it.
pub(super) fn is_label(text: &str, longest: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=longest).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

/// Not empty, and not more than so many characters.
fn is_within(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn fields(providers: Value, host: &str) -> Vec<String> {
        fields_with(providers, host, json!({}))
    }

    fn fields_with(providers: Value, host: &str, more: Value) -> Vec<String> {
        let mut spec = json!({"providers": providers, "route": {"host": host}, "database": {"secretRef": {"name": "d", "key": "k"}}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let spec = serde_json::from_value(spec).unwrap();
        of_tenant("acme", &spec).into_iter().map(|misfit| misfit.field).collect()
    }

    fn meta(name: &str, secret: &str) -> Value {
        json!({"name": name, "cloudApi": {"phoneNumberId": "1065", "credentialsSecretRef": {"name": secret}}})
    }

    #[test]
    fn a_good_tenant_breaks_no_rule() {
        assert!(fields(json!([meta("primary", "acme-meta"), meta("2nd", "a.b")]), "acme.wa.example.com").is_empty());
    }

    #[test]
    fn each_broken_rule_names_its_field() {
        assert_eq!(fields(json!([]), "acme.localhost"), ["spec.providers"]);
        assert_eq!(fields(json!([{"name": "primary"}]), "a"), ["spec.providers[0]"]);
        assert_eq!(
            fields(json!([meta("a", "s"), meta("a", "s")]), "A.example.com"),
            ["spec.providers[1].name", "spec.route.host"]
        );
        let odd = json!([{"name": "A/b", "cloudApi": {
            "phoneNumberId": "+1", "apiVersion": "25", "baseUrl": "https://x/y", "throughput": 0,
            "credentialsSecretRef": {"name": "../../etc"}}}]);
        let at = "spec.providers[0]";
        let of_cloud_api = ["phoneNumberId", "apiVersion", "baseUrl", "credentialsSecretRef.name", "throughput"];
        let mut expected = vec![format!("{at}.name")];
        expected.extend(of_cloud_api.map(|field| format!("{at}.cloudApi.{field}")));
        assert_eq!(fields(odd, "a"), expected);
    }

    #[test]
    fn each_broken_rule_of_what_conversations_get_names_its_field() {
        let more = |more: Value| fields_with(json!([meta("primary", "acme-meta")]), "acme.localhost", more);
        let good = json!({
            "api": {"tokensSecretRef": {"name": "tokens"}},
            "locale": {"timezone": "America/Bogota", "language": "es", "languages": ["es", "pt-BR"]},
            "variables": {"opens": "9:00"},
            "escape": [{"words": ["menu"], "flow": "main"}, {"words": ["baja"], "end": true}],
            "http": {"allow": ["10.20.0.0/16"]},
            "flowSecrets": [{"name": "crm", "hosts": ["crm.example.com"]}],
        });
        assert!(more(good).is_empty());
        let odd = json!({
            "api": {"tokensSecretRef": {"name": "../tokens"}},
            "locale": {"timezone": "", "language": "x", "languages": ["es", ""]},
            "escape": [{"words": [], "end": true}, {"words": ["x".repeat(65)], "flow": ""}],
            "http": {"allow": ["10.20.0.0/16", ""]},
            "flowSecrets": [{"name": "..", "hosts": ["a"]}, {"name": "crm", "hosts": []}, {"name": "crm", "hosts": [""]}],
        });
        assert_eq!(
            more(odd),
            [
                "spec.api.tokensSecretRef.name",
                "spec.locale.timezone",
                "spec.locale.language",
                "spec.locale.languages[1]",
                "spec.escape[0].words",
                "spec.escape[1].words",
                "spec.escape[1].flow",
                "spec.http.allow[1]",
                "spec.flowSecrets[0].name",
                "spec.flowSecrets[1].hosts",
                "spec.flowSecrets[2].name",
                "spec.flowSecrets[2].hosts",
            ]
        );
        let many = |count: usize| -> Vec<Value> { (0..count).map(|n| json!(format!("a{n}"))).collect() };
        let names: serde_json::Map<_, _> = (0..101).map(|n| (format!("v{n}"), json!(n))).collect();
        assert_eq!(more(json!({"variables": names})), ["spec.variables"]);
        assert_eq!(more(json!({"http": {"allow": many(51)}})), ["spec.http.allow"]);
        assert_eq!(more(json!({"locale": {"languages": many(21)}})), ["spec.locale.languages"]);
    }
}
