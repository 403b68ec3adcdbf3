//! What the API server's schema refuses in a tenant. A folder has no API server before it, so the rules that keep the
//! data plane from acting on nonsense are kept here too; a Flow's are in the check of Flows.

use std::collections::BTreeSet;

use wigwag_crds::{
    WhatsAppTenantSpec,
    tenant::{CloudApi, Provider},
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
        let secret = &spec.credentials_secret_ref.name;
        let is_name = secret.len() <= 253 && secret.split('.').all(|label| is_label(label, 253));
        self.hold(is_name, format!("{at}.credentialsSecretRef.name"), "write the name of a Secret");
        let is_rate = (1..=5000).contains(&spec.throughput);
        self.hold(is_rate, format!("{at}.throughput"), "write 1 to 5000 messages a second");
    }
}

/// Small letters, digits and `-`, which neither begins nor ends it.
pub(super) fn is_label(text: &str, longest: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=longest).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
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
        let spec = json!({"providers": providers, "route": {"host": host}, "database": {"secretRef": {"name": "d", "key": "k"}}});
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
}
