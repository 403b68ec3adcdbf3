//! What people and pipelines read of their Flows.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

const GOOD_FLOW: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: welcome}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: hola}]
  start: hi
  nodes:
  - {name: hi, message: {text: Hola}}
";

const TENANT: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: WhatsAppTenant
metadata: {name: acme}
spec:
  providers:
  - name: primary
    cloudApi: {phoneNumberId: '1065', credentialsSecretRef: {name: acme-meta}}
  database: {secretRef: {name: acme-database, key: url}}
";

fn check_as(output: Output, files: &[(&str, &str)]) -> (u8, String) {
    let dir = tempfile::tempdir().unwrap();
    let write = |(name, text): &(&str, &str)| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let paths: Vec<_> = files.iter().map(write).collect();
    let mut out = Vec::new();
    let code = run(&paths, output, &mut out).unwrap();
    let folder = format!("{}/", dir.path().display());
    (code, String::from_utf8(out).unwrap().replace(&folder, ""))
}

fn check(files: &[(&str, &str)]) -> (u8, String) {
    check_as(Output::Text, files)
}

#[test]
fn a_good_flow_is_good() {
    assert_eq!(check(&[("a.yaml", GOOD_FLOW)]), (GOOD, "1 Flow checked: 0 errors, 0 warnings\n".to_owned()));
}

#[test]
fn an_error_names_file_line_node_and_field() {
    let dangling = GOOD_FLOW.replace("text: Hola}", "text: Hola, next: nowhere}");
    let (code, out) = check(&[("good.yaml", GOOD_FLOW), ("a.yaml", &dangling)]);
    assert_eq!(code, ERRORS);
    assert!(out.starts_with("a.yaml:10: node \"hi\", next: "), "{out}");
    let misspelt = GOOD_FLOW.replace("text:", "txt:");
    let (code, out) = check(&[("a.yaml", &misspelt)]);
    assert_eq!(code, ERRORS);
    assert!(out.contains("a.yaml:10: spec.nodes[0].message.txt: unknown field"), "{out}");
}

#[test]
fn two_flows_that_match_equally_well_are_told_of_each_other() {
    let other = GOOD_FLOW.replace("name: welcome", "name: hello");
    let (code, out) = check(&[("two.yaml", &format!("{GOOD_FLOW}---{other}"))]);
    assert_eq!(code, GOOD);
    assert!(out.contains("two.yaml:7: warning: flow \"welcome\", "), "{out}");
    assert!(out.contains("two.yaml:17: warning: flow \"hello\", "), "{out}");
    let elsewhere = other.replace("tenantRef: {name: acme}", "tenantRef: {name: beta}");
    assert_eq!(check(&[("a.yaml", GOOD_FLOW), ("b.yaml", &elsewhere)]).1, "2 Flows checked: 0 errors, 0 warnings\n");
}

#[test]
fn calls_are_followed_among_all_flows_of_the_tenant() {
    let calling = |name: &str, flow: &str| {
        let node = format!("{{name: hi, call: {{flow: {flow}}}}}");
        let text = GOOD_FLOW.replace("{name: hi, message: {text: Hola}}", &node);
        text.replace("name: welcome", &format!("name: {name}")).replace("hola", name)
    };
    let (a, b) = (calling("ask-a", "ask-b"), calling("ask-b", "ask-a"));
    let (code, out) = check(&[("a.yaml", &a)]);
    assert_eq!(code, GOOD);
    assert!(out.contains("a.yaml:10: warning: node \"hi\", flow: it calls Flow \"ask-b\", which is not"), "{out}");
    let (_, out) = check(&[("a.yaml", &a), ("b.yaml", &b)]);
    assert_eq!(out.matches("which calls this one again").count(), 2, "{out}");
    let elsewhere = b.replace("tenantRef: {name: acme}", "tenantRef: {name: beta}");
    let (_, out) = check(&[("a.yaml", &a), ("b.yaml", &elsewhere)]);
    assert_eq!(out.matches("which is not among the tenant's").count(), 2, "{out}");
}

#[test]
fn a_tenant_among_the_files_is_checked_with_its_flows() {
    let tenant = format!("{TENANT}  escape:\n  - {{words: [menu], flow: welcme}}\n  locale: {{timezone: Mars/Base}}\n");
    let flow = GOOD_FLOW.replace(
        "{name: hi, message: {text: Hola}}",
        "{name: hi, http: {url: 'https://a.example', headers: [{name: A, secret: {name: crm, key: k}}]}}",
    );
    let (code, out) = check(&[("all.yaml", &format!("{tenant}---{flow}"))]);
    assert_eq!(code, ERRORS);
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("all.yaml:12: tenant \"acme\", locale.timezone: there is no time zone"), "{out}");
    let escape = "all.yaml:11: warning: tenant \"acme\", escape[0].flow: Flow \"welcme\" is not among the tenant's";
    assert!(lines[1].starts_with(escape), "{out}");
    let secret = "warning: flow \"welcome\", node \"hi\", headers[0].secret.name: Secret \"crm\" is none that Flows";
    assert!(lines[2].contains(secret), "{out}");
    assert_eq!(lines[3], "1 Flow checked: 1 error, 2 warnings");

    let right = tenant.replace("welcme", "welcome").replace("Mars/Base", "UTC");
    let (code, out) = check(&[("tenant.yaml", &right), ("flow.yaml", GOOD_FLOW)]);
    assert_eq!((code, out.as_str()), (GOOD, "1 Flow checked: 0 errors, 0 warnings\n"));
}

#[test]
fn a_broken_tenant_is_an_error_and_an_unknown_field_of_it_is_none() {
    let broken = TENANT.replace("'1065'", "'+1'");
    let (code, out) = check(&[("tenant.yaml", &broken), ("flow.yaml", GOOD_FLOW)]);
    assert_eq!(code, ERRORS);
    assert!(out.starts_with("tenant.yaml:8: spec.providers[0].cloudApi.phoneNumberId: write Meta's id"), "{out}");
    let newer = TENANT.replace("  database:", "  retention: {messages: 90d}\n  database:");
    let (code, out) = check(&[("tenant.yaml", &newer), ("flow.yaml", GOOD_FLOW)]);
    assert_eq!(code, GOOD);
    assert!(out.starts_with("tenant.yaml:9: warning: spec.retention: unknown field"), "{out}");
}

#[test]
fn json_has_every_part_of_a_finding_by_itself() {
    let dangling = GOOD_FLOW.replace("text: Hola}", "text: Hola, next: nowhere}");
    let (code, out) = check_as(Output::Json, &[("a.yaml", &dangling), ("b.yaml", "{")]);
    assert_eq!(code, UNREADABLE);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["flows"], &report["errors"], &report["warnings"]), (&json!(1), &json!(1), &json!(0)));
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("nowhere"), "{message}");
    let found = json!({"file": "a.yaml", "line": 10, "kind": "Flow", "name": "welcome", "severity": "Error", "node": "hi",
                       "field": "next", "message": message});
    assert_eq!(report["findings"], json!([found]));
    assert_eq!(report["unreadable"][0]["file"], "b.yaml");
}

#[test]
fn what_cannot_be_read_is_no_good_flow() {
    assert_eq!(check(&[("a.yaml", "{")]).0, UNREADABLE);
    assert_eq!(check(&[("a.yaml", "apiVersion: wigwag.dev/v1alpha1\nkind: Flwo")]).0, UNREADABLE);
    assert_eq!(check(&[("a.yaml", "")]), (UNREADABLE, "0 Flows checked: 0 errors, 0 warnings\n".to_owned()));
    assert_eq!(check(&[("tenant.yaml", TENANT)]).0, UNREADABLE, "a tenant alone is no Flow");
    let mut out = Vec::new();
    assert_eq!(run(&[PathBuf::from("/nowhere/a.yaml")], Output::Text, &mut out).unwrap(), UNREADABLE);
    assert!(String::from_utf8(out).unwrap().starts_with("/nowhere/a.yaml: cannot be read: "));
}
