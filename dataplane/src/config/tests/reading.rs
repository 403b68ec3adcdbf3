//! What is in the folders is what runs.

use http::HeaderMap;
use wigwag_crds::configz::DatabaseReport;

use super::*;

#[test]
fn a_tenant_a_flow_and_the_files_of_a_secret_become_a_configuration() {
    let bed = Bed::acme();
    let config = bed.load(None);
    assert_eq!(config.problems, Vec::<String>::new());
    let acme = acme(&config);
    let revision = flow_revision(&spec(&flow("welcome", "acme", "Hola")));
    assert_eq!(revisions(acme), [("welcome", revision.as_str())]);
    assert_eq!(acme.revision, config_revision(&spec(ACME), [("welcome", revision.as_str())]));
    assert_eq!(acme.host.as_deref(), Some("acme.localhost"));
    let channel = &acme.channels[&ProviderName::new("primary")];
    assert_eq!(channel.adapter.as_ref().unwrap().channel(), "1065");
    assert_eq!((channel.throughput, channel.missing.len()), (80, 0));
    let kept: Value = serde_json::from_str(&acme.flows[0].spec).unwrap();
    assert_eq!(flow_revision(&kept), revision, "the text that is kept with the revision is the text of the revision");
}

#[test]
fn the_newline_at_the_end_of_a_secrets_file_is_no_part_of_it() {
    let bed = Bed::acme();
    let query = |token: &str| format!("hub.mode=subscribe&hub.challenge=7&hub.verify_token={token}");
    let challenge = |token: &str| {
        let config = bed.load(None);
        let adapter = acme(&config).channels[&ProviderName::new("primary")].adapter.clone().unwrap();
        adapter.challenge(&query(token))
    };
    for file in ["verify", "verify\n", "verify\r\n"] {
        bed.secret("acme-meta", "verify-token", file.as_bytes());
        assert_eq!(challenge("verify").as_deref(), Ok("7"), "{file:?}");
        assert!(challenge("verify%0A").is_err());
    }
}

#[test]
fn a_missing_or_useless_credential_takes_its_own_provider_down_and_names_the_file() {
    let bed = Bed::acme();
    bed.write(
        "tenant.yaml",
        &ACME.replace(
            "  route",
            "  - name: second
    cloudApi: {phoneNumberId: '2065', credentialsSecretRef: {name: second-meta}}
  - name: third
    cloudApi: {phoneNumberId: '3065', credentialsSecretRef: {name: nobody}}
  route",
        ),
    );
    bed.secret("second-meta", "access-token", b"two\nlines");
    bed.secret("second-meta", "app-secret", b"\n");
    bed.secret("second-meta", "verify-token", b"\xff");
    let config = bed.load(None);
    let channels = &acme(&config).channels;
    let missing = |name| channels[&ProviderName::new(name)].missing.clone();
    assert!(channels[&ProviderName::new("primary")].adapter.is_some());
    assert_eq!(
        missing("second"),
        [
            "second-meta/access-token (more than one line of text)",
            "second-meta/app-secret (empty)",
            "second-meta/verify-token (no text)"
        ]
    );
    assert_eq!(missing("third"), ["nobody/access-token", "nobody/app-secret", "nobody/verify-token"]);
    assert!(channels[&ProviderName::new("third")].adapter.is_none());
    assert_eq!(acme(&config).secret_marks.keys().collect::<Vec<_>>(), ["acme-meta", "second-meta"]);
}

#[test]
fn a_mark_is_over_the_whole_secret_salted_with_the_tenants_uid() {
    let bed = Bed::acme();
    bed.secret("acme-meta", "unused", b"x\n");
    mount(&bed.secrets.join("acme-meta"), "..v1", &[]);
    let config = bed.load(None);
    let data = [
        ("access-token", b"acme-meta's access-token\n".as_slice()),
        ("app-secret", b"acme-meta's app-secret\n"),
        ("verify-token", b"acme-meta's verify-token\n"),
        ("unused", b"x\n"),
    ];
    assert_eq!(acme(&config).secret_marks["acme-meta"], secret_mark("uid-of-acme", data));
}

#[test]
fn a_secret_manifest_serves_where_there_are_no_files() {
    let bed = Bed::new();
    bed.write(
        "all.yml",
        &format!(
            "{ACME}---\n{}---
apiVersion: v1
kind: Secret
metadata: {{name: acme-meta}}
data: {{access-token: dG9rZW4K, app-secret: b3ZlcnJpZGRlbg==}}
stringData: {{app-secret: test_app_secret, verify-token: verify}}
",
            flow("welcome", "acme", "Hola")
        ),
    );
    let config = bed.load(None);
    assert_eq!(config.problems, Vec::<String>::new());
    let channel = &acme(&config).channels[&ProviderName::new("primary")];
    let signature = "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756";
    let headers = HeaderMap::from_iter([("x-hub-signature-256".parse().unwrap(), signature.parse().unwrap())]);
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    assert!(channel.adapter.as_ref().unwrap().verify(&headers, body).is_ok(), "stringData goes before data");
    bed.meta_secret("acme-meta");
    let config = bed.load(None);
    let channel = &acme(&config).channels[&ProviderName::new("primary")];
    assert!(channel.adapter.as_ref().unwrap().verify(&headers, body).is_err(), "files go before manifests");
}

#[test]
fn secrets_of_one_name_in_two_namespaces_are_nobodys() {
    let bed = Bed::acme();
    bed.write(
        "other.yaml",
        &ACME.replace("name: acme,", "name: acme, namespace: prod,").replace("acme.local", "prod.local"),
    );
    let config = bed.load(None);
    assert!(config.tenants.values().all(|tenant| tenant.channels.values().all(|channel| channel.adapter.is_none())));
    assert!(
        config.problems[0].contains("tenants of several namespaces name a Secret \"acme-meta\""),
        "{:?}",
        config.problems
    );
}

#[test]
fn what_has_no_place_or_two_places_is_a_problem_that_names_its_file() {
    let bed = Bed::acme();
    bed.write("a-copy.yaml", &flow("welcome", "acme", "Copy"));
    bed.write("deployment.yaml", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}");
    bed.write("flow-lost.yaml", &flow("lost", "nobody", "Hola"));
    bed.write("other.yaml", &ACME.replace("name: acme,", "name: other,"));
    bed.write("notes.txt", "not: read");
    bed.write(".hidden.yaml", "not: read");
    fs::create_dir(bed.config.join("folder.yaml")).unwrap();
    let config = bed.load(None);
    assert_eq!(
        config.problems,
        [
            "deployment.yaml: kind: \"Deployment\" has no place here: write WhatsAppTenant, Flow or Secret",
            "flow-welcome.yaml: Flow default/welcome stands in another manifest too, which is used: remove one",
            "flow-lost.yaml: spec.tenantRef.name: no tenant default/nobody is here: add it, or name one that is",
            "other.yaml: spec.route.host: tenant default/acme has the host acme.localhost too and gets its requests: choose another",
        ]
    );
    assert_eq!(
        revisions(acme(&config)),
        [("welcome", flow_revision(&spec(&flow("welcome", "acme", "Copy"))).as_str())]
    );
}

#[test]
fn the_operators_revision_is_taken_over_and_a_stale_one_is_a_problem() {
    let bed = Bed::acme();
    let annotated = |revision: &str| {
        flow("welcome", "acme", "Hola").replace(
            "name: welcome}\nspec",
            &format!("name: welcome, annotations: {{wigwag.dev/revision: '{revision}'}}}}\nspec"),
        )
    };
    let revision = flow_revision(&spec(&annotated("x")));
    bed.write("flow-welcome.yaml", &annotated(&revision));
    assert_eq!(bed.load(None).problems, Vec::<String>::new());
    bed.write("flow-welcome.yaml", &annotated("0123456789ab"));
    let config = bed.load(None);
    assert_eq!(revisions(acme(&config)), [("welcome", "0123456789ab")]);
    assert!(
        config.problems[0].contains(&format!("is not the revision of this spec ({revision})")),
        "{:?}",
        config.problems
    );
}

#[test]
fn configz_shows_what_runs_and_no_secret_is_shown_anywhere() {
    let bed = Bed::acme();
    bed.write("secret.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: acme-meta's}}");
    bed.write("broken.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: [acme-meta's]}}");
    bed.write("worse.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: acme-meta's]");
    let config = bed.load(None);
    let key = (TenantKey::new(None, "acme"), ProviderName::new("primary"));
    let runtime = Runtime {
        replica: "acme-0".to_owned(),
        database: DatabaseReport { ready: true, message: String::new() },
        paused: BTreeMap::from([(key, "access token refused (190)".to_owned())]),
    };
    let shown = configz(&config, &runtime);
    let report = &shown.tenants["default/acme"];
    assert_eq!(report.revision, acme(&config).revision);
    assert_eq!(report.flows["welcome"].revision, acme(&config).flows[0].program.revision());
    assert_eq!(report.channels["primary"].paused.as_deref(), Some("access token refused (190)"));
    assert!(report.channels["primary"].credentials);
    assert_eq!((shown.replica.as_str(), shown.problems.len()), ("acme-0", 2));
    let printed = format!("{config:?} {}", serde_json::to_string(&shown).unwrap());
    assert!(!printed.contains("acme-meta's"), "{printed}");
}

#[test]
fn a_request_finds_its_tenant_by_host_then_prefix_then_header() {
    let bed = Bed::acme();
    let find = |config: &Config, host, prefix, header| {
        config.find(host, prefix, header).map(|tenant| tenant.key.as_str().to_owned())
    };
    let alone = bed.load(None);
    let acme = Some("default/acme".to_owned());
    assert_eq!(find(&alone, Some("10.0.0.7:8080"), None, None), acme, "the only one there is");
    assert_eq!(find(&alone, None, Some("other"), None), None, "a wrong name finds nobody");
    assert_eq!(find(&alone, None, None, Some("other")), None);

    bed.write("other.yaml", &ACME.replace("name: acme,", "name: other,").replace("acme.local", "other.local"));
    bed.write(
        "prod.yaml",
        &ACME.replace("name: acme,", "name: acme, namespace: prod,").replace("acme.local", "prod.local"),
    );
    let three = bed.load(None);
    for host in ["acme.localhost", "ACME.localhost:8080", "acme.localhost."] {
        assert_eq!(find(&three, Some(host), Some("other"), Some("prod/acme")), acme, "{host}");
    }
    let other = Some("default/other".to_owned());
    assert_eq!(find(&three, Some("[::1]:8080"), Some("other"), Some("default/acme")), other);
    assert_eq!(find(&three, None, None, Some("other")), other);
    assert_eq!(find(&three, None, None, Some("prod/acme")), Some("prod/acme".to_owned()));
    assert_eq!(find(&three, None, None, Some("acme")), None, "two have this name");
    assert_eq!(find(&three, None, None, None), None);
}
