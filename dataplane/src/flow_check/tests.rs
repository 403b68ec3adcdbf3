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
    assert!(out.contains("a.yaml:10: node \"hi\", spec.nodes[0].message.txt: unknown field"), "{out}");
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
    for (file, text) in [("a.yaml", ""), ("tenant.yaml", TENANT)] {
        let (code, out) = check(&[(file, text)]);
        assert_eq!(code, UNREADABLE);
        assert_eq!(
            out,
            format!(
                "{file}: there is no Flow in these files: name one with a Flow\n0 Flows checked: 0 errors, 0 warnings\n"
            )
        );
    }
    let mut out = Vec::new();
    assert_eq!(run(&[PathBuf::from("/nowhere/a.yaml")], Output::Text, &mut out).unwrap(), UNREADABLE);
    assert!(String::from_utf8(out).unwrap().starts_with("/nowhere/a.yaml: cannot be read: "));
}

#[test]
fn of_a_folder_the_manifests_are_checked_and_scripts_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let run = || {
        let mut out = Vec::new();
        let code = run(&[dir.path().to_owned()], Output::Text, &mut out).unwrap();
        (code, String::from_utf8(out).unwrap())
    };
    fs::create_dir(dir.path().join("test")).unwrap();
    write("test/flow.yaml", GOOD_FLOW);
    let (code, out) = run();
    assert_eq!(code, UNREADABLE);
    assert!(
        out.contains("there is no Flow in these files, and folders within a folder are not read: name one"),
        "{out}"
    );
    write("flow.yaml", GOOD_FLOW);
    write("other.yml", &GOOD_FLOW.replace("name: welcome", "name: other").replace("hola", "adiós"));
    write("transcript.yaml", "- customer: hola\n- bot: Hola\n");
    write(".flow.yaml.swp", "{");
    write("notes.txt", "{");
    assert_eq!(run(), (GOOD, "2 Flows checked: 0 errors, 0 warnings\n".to_owned()));
}

#[test]
fn what_the_editor_saves_is_told_where_it_belongs() {
    let json = r#"{"nodes": [{"id": "1", "type": "end"}], "edges": []}"#;
    let (code, out) = check(&[("editor.json", json)]);
    assert_eq!(code, UNREADABLE);
    let says = "editor.json:1: this is what the editor saves: put it under spec.definition of a Flow\n";
    assert!(out.starts_with(says), "{out}");
}

#[test]
fn a_document_that_is_none_of_ours_is_told_by_its_line() {
    let (code, out) = check(&[("a.yaml", &format!("{GOOD_FLOW}---\napiVersion: wigwag.dev/v1alpha1\nkind: Flwo\n"))]);
    assert_eq!(code, UNREADABLE);
    assert!(out.starts_with("a.yaml:12: kind: \"Flwo\" has no place here"), "{out}");
}

#[test]
fn what_does_not_fit_its_type_is_told_with_its_node_and_what_to_write() {
    let with = |node: &str| GOOD_FLOW.replace("{name: hi, message: {text: Hola}}", node);
    let options = "{name: hi, options: {text: x, options: [{id: y, title: Sí}]}}";
    for (node, field, says) in [
        (options, "spec.nodes[0].options.options[0].id", "put quotes around it; YAML takes y, no, on"),
        (
            &options.replace("id: y", "id: 7"),
            "spec.nodes[0].options.options[0].id",
            "expected a string: put quotes around it",
        ),
        ("{name: hi, goto: {}}", "spec.nodes[0].goto", "write node: and its value"),
    ] {
        let (code, out) = check_as(Output::Json, &[("a.yaml", &with(node))]);
        assert_eq!(code, ERRORS);
        let report: Value = serde_json::from_str(&out).unwrap();
        let finding = &report["findings"][0];
        assert_eq!((&finding["node"], &finding["field"]), (&json!("hi"), &json!(field)), "{out}");
        assert!(finding["message"].as_str().unwrap().contains(says), "{out}");
    }
}

#[test]
fn a_flow_is_held_against_what_its_tenant_has() {
    let tenant = TENANT.replace(
        "  database:",
        "  variables: {address: Mayor 1}\n  flowSecrets: [{name: crm, hosts: ['*.shop.example']}]\n  database:",
    );
    let with = |node: &str| format!("{tenant}---{}", GOOD_FLOW.replace("{name: hi, message: {text: Hola}}", node));
    let calls = |host: &str, secret: &str| {
        with(&format!(
            "{{name: hi, http: {{url: 'https://{host}/x', headers: [{{name: A, secret: {{name: {secret}, key: k}}}}]}}}}"
        ))
    };
    assert_eq!(check(&[("a.yaml", &calls("api.shop.example", "crm"))]).0, GOOD);
    for (text, says) in [
        (calls("api.other.example", "crm"), "Secret \"crm\" may not go to api.other.example, and the call fails: list"),
        (calls("api.shop.example", "other"), "Secret \"other\" is none that Flows may send"),
        (
            calls("api.shop.example", "acme-meta"),
            "Secret \"acme-meta\" has the tenant's own credentials, which no Flow",
        ),
        (calls("api.shop.example", "acme-database"), "keep what Flows need in a Secret of its own"),
        (
            with("{name: hi, message: {text: '{{ tenant.adress }}'}}"),
            "text: the tenant has no variable `tenant.adress`",
        ),
    ] {
        let (code, out) = check(&[("a.yaml", &text)]);
        assert_eq!(code, GOOD);
        assert!(out.contains(says) && out.ends_with("0 errors, 1 warning\n"), "{out}");
    }
}
