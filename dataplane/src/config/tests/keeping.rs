//! What is broken leaves running what ran before it.

use super::*;

fn text_of(tenant: &Tenant, flow: &str) -> String {
    let loaded = tenant.flows.iter().find(|loaded| loaded.program.name() == flow).unwrap();
    let spec: Value = serde_json::from_str(&loaded.spec).unwrap();
    spec["nodes"][0]["message"]["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_flow_with_a_misspelt_field_goes_on_as_it_was_and_others_change() {
    let bed = Bed::acme();
    bed.write("flow-orders.yaml", &flow("orders", "acme", "Pide"));
    let before = bed.load(None);
    bed.write("flow-welcome.yaml", &flow("welcome", "acme", "Adios").replace("message:", "mesage:"));
    bed.write("flow-orders.yaml", &flow("orders", "acme", "Compra"));
    let after = bed.load(Some(&before));
    let problem = "spec.nodes[0].mesage: unknown field: correct its name, or remove it";
    assert_eq!(after.problems, [format!("flow-welcome.yaml: {problem}")]);
    let acme = acme(&after);
    assert_eq!((text_of(acme, "welcome").as_str(), text_of(acme, "orders").as_str()), ("Hola", "Compra"));
    let welcome = acme.flows.iter().find(|flow| flow.program.name() == "welcome").unwrap();
    assert_eq!(welcome.findings.iter().map(ToString::to_string).collect::<Vec<_>>(), [problem]);
    assert_eq!(acme.revision, config_revision(&spec(ACME), revisions(acme)), "the revision of what runs");

    bed.write("flow-welcome.yaml", &flow("welcome", "acme", "Adios"));
    let mended = bed.load(Some(&after));
    assert_eq!((mended.problems.len(), text_of(self::acme(&mended), "welcome").as_str()), (0, "Adios"));
}

#[test]
fn a_flow_that_does_not_compile_goes_on_as_it_was_or_is_refused_with_its_findings() {
    let bed = Bed::acme();
    let broken = flow("welcome", "acme", "Adios").replace("}}\n", ", next: nowhere}}\n");
    assert!(broken.contains("next: nowhere"));
    let before = bed.load(None);
    bed.write("flow-welcome.yaml", &broken);
    let after = bed.load(Some(&before));
    assert_eq!(text_of(acme(&after), "welcome"), "Hola");
    assert!(after.problems[0].starts_with("flow-welcome.yaml: node \"hi\", "), "{:?}", after.problems);

    let fresh = bed.load(None);
    assert!(acme(&fresh).flows.is_empty());
    assert_eq!(acme(&fresh).refused["welcome"], acme(&after).flows[0].findings);
    assert_eq!(configz(&fresh, &Runtime::default()).tenants["default/acme"].flows["welcome"].revision, "");
}

#[test]
fn a_broken_tenant_goes_on_as_it_was_with_its_newest_flows_and_secrets() {
    let bed = Bed::acme();
    let before = bed.load(None);
    let mark = |config: &Config| acme(config).channels[&ProviderName::new("primary")].token_mark.clone();
    bed.write("tenant.yaml", &ACME.replace("phoneNumberId: '1065'", "phoneNumberId: '+1'"));
    bed.write("flow-welcome.yaml", &flow("welcome", "acme", "Adios"));
    bed.secret("acme-meta", "access-token", b"another");
    let after = bed.load(Some(&before));
    assert_eq!(
        after.problems,
        ["tenant.yaml: spec.providers[0].cloudApi.phoneNumberId: write Meta's id of the number, 1 to 32 digits"]
    );
    let adapter = acme(&after).channels[&ProviderName::new("primary")].adapter.clone();
    assert_eq!(adapter.unwrap().channel(), "1065");
    assert_eq!(text_of(acme(&after), "welcome"), "Adios");
    assert_ne!(mark(&before), mark(&after));
}

#[test]
fn a_field_of_tomorrow_is_reported_and_stops_no_tenant() {
    let bed = Bed::acme();
    bed.write("tenant.yaml", &ACME.replace("  route:", "  retention: {messages: 90d}\n  route:"));
    let config = bed.load(None);
    assert_eq!(config.problems, ["tenant.yaml: spec.retention: unknown field: correct its name, or remove it"]);
    assert!(acme(&config).channels[&ProviderName::new("primary")].adapter.is_some());
}

#[test]
fn a_file_that_cannot_be_read_keeps_all_that_it_held() {
    let bed = Bed::new();
    let secret = "
apiVersion: v1
kind: Secret
metadata: {name: acme-meta}
stringData: {access-token: a, app-secret: b, verify-token: c}
";
    let all = format!("{ACME}---\n{}---\n{secret}", flow("welcome", "acme", "Hola"));
    bed.write("all.yaml", &all);
    let before = bed.load(None);
    for broken in
        ["{", "kind: Flow\napiVersion: wigwag.dev/v1alpha1", "apiVersion: wigwag.dev/v1alpha1\nkind: Flwo", "a: 1"]
    {
        bed.write("all.yaml", broken);
        let after = bed.load(Some(&before));
        assert_eq!(after.problems.len(), 1, "{broken}: {:?}", after.problems);
        assert!(after.problems[0].starts_with("all.yaml: "), "{:?}", after.problems);
        assert_eq!(
            (&acme(&after).revision, text_of(acme(&after), "welcome").as_str()),
            (&acme(&before).revision, "Hola")
        );
        assert!(acme(&after).channels[&ProviderName::new("primary")].adapter.is_some());
        let again = bed.load(Some(&after));
        assert_eq!(acme(&again).flows.len(), 1, "and goes on keeping it");
    }
    fs::remove_dir_all(&bed.config).unwrap();
    let gone = bed.load(Some(&before));
    assert_eq!((gone.tenants.len(), gone.problems.len()), (1, 1), "a folder that cannot be read is no empty folder");
}

#[test]
fn what_is_deleted_is_gone() {
    let bed = Bed::acme();
    let before = bed.load(None);
    bed.remove("flow-welcome.yaml");
    let after = bed.load(Some(&before));
    assert!(acme(&after).flows.is_empty() && after.problems.is_empty());
    bed.remove("tenant.yaml");
    assert!(bed.load(Some(&after)).tenants.is_empty());
}

#[test]
fn a_folder_that_says_the_same_is_no_news() {
    let bed = Bed::acme();
    let first = load(&bed.config, &bed.secrets, None);
    assert!(first.changed);
    let again = || load(&bed.config, &bed.secrets, Some(&first.config)).changed;
    bed.write("tenant.yaml", &format!("# a comment\n{ACME}"));
    assert!(!again());
    bed.secret("acme-meta", "access-token", b"another");
    assert!(again(), "another token");
    bed.meta_secret("acme-meta");
    assert!(!again());
    bed.write("flow-more.yaml", "{");
    assert!(again(), "a problem");
}
