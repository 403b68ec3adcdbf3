//! What a tenant gives its conversations, their calls and the users of its API.

use super::*;

const MORE: &str = "
  api: {tokensSecretRef: {name: acme-tokens}}
  locale: {timezone: America/Bogota}
  http: {allow: ['10.20.0.0/16', 'crm.internal:8080']}
  flowSecrets:
  - {name: crm, hosts: [crm.example.com, '*.crm.example.com']}
";
const TOKEN: &str = "a token of sixteen and more";

impl Bed {
    /// With a tenant that has all of it.
    fn trusting() -> Self {
        let bed = Self::acme();
        bed.write("tenant.yaml", &format!("{ACME}{MORE}"));
        bed.secret("acme-tokens", "alice", format!("{TOKEN}\n").as_bytes());
        bed.secret("crm", "token", b"s3cr3t\n");
        bed
    }

    /// What is loaded after a part of the tenant's manifest was replaced.
    fn edited(&self, old: &str, new: &str) -> Config {
        let manifest = format!("{ACME}{MORE}");
        assert!(manifest.contains(old), "{old}");
        self.write("tenant.yaml", &manifest.replace(old, new));
        self.load(None)
    }
}

#[test]
fn a_tenants_secrets_become_tokens_and_values_for_calls_and_all_are_marked() {
    let config = Bed::trusting().load(None);
    assert_eq!(config.problems, Vec::<String>::new());
    let acme = acme(&config);
    assert!(acme.tokens.allow(TOKEN));
    for other in ["", "a token of sixteen and mor", "a token of sixteen and morE", "s3cr3t"] {
        assert!(!acme.tokens.allow(other), "{other:?}");
    }
    assert_eq!(acme.policy.secrets["crm"].values["token"], "s3cr3t");
    assert_eq!(acme.policy.secrets.keys().collect::<Vec<_>>(), ["crm"], "and not the provider's");
    let host = url::Host::parse("crm.internal").unwrap();
    let url::Host::Domain(name) = &host else { unreachable!() };
    assert!(acme.policy.allow.names(&url::Host::Domain(name.as_str()), 8080));
    assert_eq!(acme.secret_marks.keys().collect::<Vec<_>>(), ["acme-meta", "acme-tokens", "crm"]);
    assert_eq!(acme.base_url.as_deref(), Some("http://acme.localhost"));
    let printed = format!("{config:?}");
    assert!(!printed.contains("s3cr3t") && !printed.contains(TOKEN), "{printed}");
}

#[test]
fn a_missing_secret_is_a_problem_and_takes_nothing_else_down() {
    let bed = Bed::trusting();
    for secret in ["crm", "acme-tokens"] {
        fs::remove_dir_all(bed.secrets.join(secret)).unwrap();
    }
    let config = bed.load(None);
    assert_eq!(
        config.problems,
        [
            "tenant.yaml: spec.flowSecrets[0].name: Secret \"crm\" is not there: create it",
            "tenant.yaml: spec.api.tokensSecretRef: Secret \"acme-tokens\" is not there: create it",
        ]
    );
    let acme = acme(&config);
    assert!(acme.channels[&ProviderName::new("primary")].adapter.is_some());
    assert!(acme.policy.secrets["crm"].values.is_empty() && !acme.tokens.allow("") && !acme.tokens.allow(TOKEN));
}

#[test]
fn the_tenants_own_credentials_are_neither_sent_by_flows_nor_tokens() {
    let bed = Bed::trusting();
    bed.secret("acme-database", "url", b"postgres://user:password@host/name");
    for own in ["acme-meta", "acme-database", "acme-tokens"] {
        let config = bed.edited("name: crm", &format!("name: {own}"));
        let problem = format!("tenant.yaml: spec.flowSecrets[0].name: Secret {own:?} has the tenant's own credentials");
        assert!(config.problems[0].starts_with(&problem), "{:?}", config.problems);
        assert!(acme(&config).policy.secrets.is_empty());
        assert!(!acme(&config).secret_marks.contains_key("acme-database"), "it is not loaded");
    }
    for own in ["acme-meta", "acme-database"] {
        let config = bed.edited("name: acme-tokens", &format!("name: {own}"));
        assert!(config.problems[0].contains("has other credentials, and each of them would be a token"));
        assert!(!acme(&config).tokens.allow("acme-meta's verify-token"));
    }
}

#[test]
fn a_token_that_can_be_guessed_or_is_no_line_of_text_is_a_problem_and_the_others_count() {
    let bed = Bed::trusting();
    bed.secret("acme-tokens", "bob", b"fifteen letters\n");
    bed.secret("acme-tokens", "carol", b"two lines of text\nthat are long enough");
    bed.secret("acme-tokens", "dave", b"");
    let config = bed.load(None);
    let at = "tenant.yaml: spec.api.tokensSecretRef: acme-tokens";
    assert_eq!(
        config.problems,
        [
            format!("{at}/bob has fewer than 16 characters: make it longer"),
            format!("{at}/carol (more than one line of text) is no token"),
            format!("{at}/dave (empty) is no token"),
        ]
    );
    let tokens = &acme(&config).tokens;
    assert!(tokens.allow(TOKEN) && !tokens.allow("fifteen letters") && !tokens.allow(""));
}

#[test]
fn an_entry_that_does_not_read_is_a_problem_and_the_others_count() {
    let bed = Bed::trusting();
    let config = bed.edited("'10.20.0.0/16'", "'10.20.0.0/99'");
    assert!(config.problems[0].starts_with("tenant.yaml: spec.http.allow[0]: \"10.20.0.0/99\" is no network"));
    let place = url::Host::Domain("crm.internal");
    assert!(acme(&config).policy.allow.names(&place, 8080));
    let config = bed.edited("[crm.example.com,", "['https://crm.example.com',");
    assert!(config.problems[0].starts_with("tenant.yaml: spec.flowSecrets[0].hosts[0]: "), "{:?}", config.problems);
    assert_eq!(acme(&config).policy.secrets["crm"].hosts.len(), 1);
}

#[test]
fn a_setting_of_conversations_that_is_wrong_is_a_problem_and_the_tenant_goes_on() {
    let bed = Bed::trusting();
    let config = bed.edited(
        "America/Bogota}",
        "Mars/Base}\n  fallbackMessage: '{{ 1 + }}'\n  escape: [{words: [menu], flow: main}]",
    );
    assert_eq!(config.problems.len(), 3, "{:?}", config.problems);
    assert!(config.problems[0].starts_with("tenant.yaml: spec.locale.timezone: there is no time zone \"Mars/Base\""));
    assert!(config.problems[1].starts_with("tenant.yaml: spec.fallbackMessage: "));
    assert_eq!(
        config.problems[2],
        "tenant.yaml: spec.escape[0].flow: Flow \"main\" is not among the tenant's, and nothing begins: add it, or name \
         one that is"
    );
    assert_eq!(acme(&config).flows.len(), 1);
    bed.write("flow-main.yaml", &flow("main", "acme", "Menu"));
    assert_eq!(bed.load(None).problems.len(), 2);
}

#[test]
fn another_value_of_a_secret_or_another_setting_is_news() {
    let bed = Bed::trusting();
    let first = bed.load(None);
    let is_news = || load(&bed.config, &bed.secrets, Some(&first)).changed;
    assert!(!is_news());
    bed.secret("crm", "token", b"another");
    assert!(is_news());
    bed.secret("crm", "token", b"s3cr3t\n");
    bed.edited("America/Bogota", "America/Lima");
    assert!(is_news());
}

#[test]
fn what_flows_name_that_is_not_there_is_a_finding_of_the_flow() {
    let bed = Bed::trusting();
    let nodes = "
  nodes:
  - {name: hi, http: {url: 'https://crm.example.com', next: ask, headers: [
      {name: A, secret: {name: crm, key: token}}, {name: B, secret: {name: acme-meta, key: access-token}}]}}
  - {name: ask, call: {flow: nobody}}
  escape: {add: [{words: [menu], flow: main}]}
";
    let calls = flow("calls", "acme", "Hola");
    let (head, _) = calls.split_once("\n  nodes:").unwrap();
    bed.write("flow-calls.yaml", &format!("{head}{nodes}"));
    let config = bed.load(None);
    let calls = acme(&config).flows.iter().find(|flow| flow.program.name() == "calls").unwrap();
    let found: Vec<_> = calls.findings.iter().map(|f| (f.node.as_deref(), f.field.as_str())).collect();
    assert_eq!(
        found,
        [(Some("ask"), "flow"), (None, "escape.add[0].flow"), (Some("hi"), "headers[1].secret.name")],
        "{:?}",
        calls.findings
    );
    assert!(calls.findings.iter().all(|finding| finding.severity == Severity::Warning));
}
