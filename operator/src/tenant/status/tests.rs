//! Each case changes one fact of a tenant that is fine, and says what an SRE then reads.

use std::collections::BTreeMap;

use k8s_openapi::api::{apps::v1::Deployment, networking::v1::Ingress};
use serde_json::{Value, json};
use wigwag_crds::{
    WhatsAppTenant,
    configz::{ChannelReport, Configz, DatabaseReport, TenantReport},
};

use super::*;
use crate::{
    apply::Applied,
    raw::Raw,
    replicas::{Expected, Target},
    tenant::{
        build::{Owner, config::Config},
        observe::{Credentials, Live},
        pods::Replica,
    },
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A tenant with two providers and two replicas; everything as it should be unless a test changes it.
struct Case {
    observed: Observed,
    plan: Plan,
    outcome: Outcome,
    view: View,
}

fn spec() -> Value {
    let provider = |name: &str, secret: &str| json!({"name": name, "cloudApi": {"phoneNumberId": "1", "credentialsSecretRef": {"name": secret}}});
    json!({
        "providers": [provider("meta", "beta-meta"), provider("infobip", "beta-infobip")],
        "route": {"host": "beta.example.com", "ingress": {"className": "nginx"}},
        "dataPlane": {"replicas": 2},
        "database": {"secretRef": {"name": "beta-database", "key": "url"}},
    })
}

fn good_secret() -> Option<Credentials> {
    Some(Credentials::of(&[("access-token", "a"), ("app-secret", "b"), ("verify-token", "c")]))
}

fn answer() -> Configz {
    let report = TenantReport {
        revision: "new".into(),
        channels: BTreeMap::from([("meta".to_owned(), ChannelReport { credentials: true, paused: None })]),
        ..TenantReport::default()
    };
    Configz {
        database: DatabaseReport { ready: true, message: String::new() },
        tenants: BTreeMap::from([("shop/beta".to_owned(), report)]),
        ..Configz::default()
    }
}

fn deployment(ready: i32) -> Applied<Deployment> {
    let deployment = json!({"metadata": {}, "status": {"readyReplicas": ready}});
    Applied::Stands(serde_json::from_value(deployment).unwrap())
}

fn ingress(addresses: Value) -> Applied<Ingress> {
    let ingress = json!({"metadata": {}, "status": {"loadBalancer": {"ingress": addresses}}});
    Applied::Stands(serde_json::from_value(ingress).unwrap())
}

fn case() -> Case {
    let tenant: Raw<WhatsAppTenant> = Raw::of("beta", spec());
    let targets: Vec<_> =
        ["p1", "p2"].map(|pod| Target { pod: pod.to_owned(), address: None, ready: true }).into_iter().collect();
    let replicas = targets.iter().map(|target| Replica { target: target.clone(), synced_to: None, trouble: None });
    let config = Config { revision: "new".into(), ..Config::default() };
    Case {
        observed: Observed {
            owner: Owner::of(&tenant),
            spec: tenant.read_spec().unwrap(),
            tenant,
            flows: Vec::new(),
            secrets: BTreeMap::from([
                ("beta-meta".to_owned(), good_secret()),
                ("beta-infobip".to_owned(), good_secret()),
                ("beta-database".to_owned(), Some(Credentials::of(&[("url", "postgres://")]))),
            ]),
            live: Live::default(),
            replicas: replicas.collect(),
            rival: None,
        },
        plan: Plan::Give(config),
        outcome: Outcome {
            service_account: Applied::Absent,
            config_map: Applied::Absent,
            service: Applied::Absent,
            ingress: ingress(json!([{"ip": "192.0.2.1"}])),
            deployment: deployment(2),
        },
        view: View {
            expected: Expected { revision: "new".into(), targets, ..Expected::default() },
            reports: BTreeMap::from([("p1".to_owned(), Ok(answer())), ("p2".to_owned(), Ok(answer()))]),
            sessions: None,
        },
    }
}

impl Case {
    fn status(&self) -> WhatsAppTenantStatus {
        let Self { observed, plan, outcome, view } = self;
        status(Facts { observed, plan, outcome, view }, NOW)
    }

    fn answer(&mut self, pod: &str) -> &mut Configz {
        self.view.reports.get_mut(pod).unwrap().as_mut().unwrap()
    }

    fn report(&mut self, pod: &str) -> &mut TenantReport {
        self.answer(pod).tenants.get_mut("shop/beta").unwrap()
    }
}

/// Checks a condition that does not hold, and that Ready repeats it.
#[track_caller]
fn tells(case: &Case, type_: &str, status: &str, reason: &str, message: &str) {
    for type_ in [type_, "Ready"] {
        let told = case.status();
        let condition = told.conditions.iter().find(|condition| condition.type_ == type_).unwrap();
        let found = (condition.status.as_str(), condition.reason.as_str(), condition.message.as_str());
        assert_eq!(found, (status, reason, message), "{type_}");
    }
}

fn only(mut change: impl FnMut(&mut Case)) -> Case {
    let mut case = case();
    change(&mut case);
    case
}

#[test]
fn a_tenant_that_is_fine_has_every_condition_and_every_column() {
    let told = case().status();
    let conditions: Vec<_> = told.conditions.iter().map(|c| (c.type_.as_str(), c.status.as_str())).collect();
    let types = ["CredentialsValid", "DatabaseReady", "RouteProgrammed", "WorkerAvailable", "SendReady", "Ready"];
    assert_eq!(conditions, types.map(|type_| (type_, "True")));
    assert!(told.conditions.iter().all(|condition| condition.observed_generation == Some(1)));
    assert_eq!(told.observed_generation, Some(1));
    assert_eq!(told.webhooks[0].url, "http://beta.example.com/webhooks/meta");
    assert_eq!(told.config, Some(ConfigStatus { revision: "new".into(), acknowledged_replicas: 2 }));
    assert_eq!(told.summary, Some(TenantSummary { providers: "meta,infobip".into(), replicas: "2/2".into() }));
}

#[test]
fn nothing_changes_while_nothing_changes() {
    let mut case = case();
    let first = case.status();
    case.observed.tenant.status = serde_json::to_value(&first).unwrap();
    let Case { observed, plan, outcome, view } = &case;
    let later = status(Facts { observed, plan, outcome, view }, Timestamp::from_second(99).unwrap());
    assert_eq!(later, first);
}

#[test]
fn a_missing_key_names_the_provider_that_waits_and_the_one_that_works() {
    let case = only(|case| {
        let content = Credentials::of(&[("access-token", "a"), ("app-secret", ""), ("verify-token", "c")]);
        case.observed.secrets.insert("beta-meta".into(), Some(content));
    });
    tells(
        &case,
        "CredentialsValid",
        "False",
        "SecretMissing",
        r#"Secret "beta-meta" has no key "app-secret": add it. Until then webhooks of provider "meta" get 503; "infobip" works."#,
    );
}

#[test]
fn a_missing_secret_says_what_belongs_into_it() {
    let case = only(|case| {
        case.observed.secrets.insert("beta-meta".into(), None);
        case.observed.secrets.insert("beta-infobip".into(), Some(Credentials::of(&[("verify-token", "c")])));
    });
    tells(
        &case,
        "CredentialsValid",
        "False",
        "SecretMissing",
        r#"Secret "beta-infobip" has no keys "access-token" and "app-secret": add them. Secret "beta-meta" does not exist: create it with the keys "access-token", "app-secret" and "verify-token". Until then webhooks of providers "meta" and "infobip" get 503."#,
    );
}

#[test]
fn a_missing_secret_of_calls_or_of_the_api_says_what_fails_and_that_receiving_goes_on() {
    let with = |secrets: &[(&str, Option<Credentials>)]| {
        only(|case| {
            let mut spec = spec();
            spec["api"] = json!({"tokensSecretRef": {"name": "beta-tokens"}});
            spec["flowSecrets"] =
                json!([{"name": "crm", "hosts": ["a.example"]}, {"name": "erp", "hosts": ["b.example"]}]);
            case.observed.spec = serde_json::from_value(spec).unwrap();
            let all = [("crm", &[("k", "v")]), ("erp", &[("k", "v")]), ("beta-tokens", &[("k", "sixteen letters.\n")])];
            case.observed.secrets.extend(all.map(|(name, data)| (name.to_owned(), Some(Credentials::of(data)))));
            case.observed.secrets.extend(secrets.iter().map(|(name, data)| ((*name).to_owned(), data.clone())));
        })
    };
    let says = |secrets: &[(&str, Option<Credentials>)], message: &str| {
        let case = with(secrets);
        tells(&case, "CredentialsValid", "False", "SecretMissing", message);
        let sends = case.status().conditions.into_iter().find(|condition| condition.type_ == "SendReady").unwrap();
        assert_eq!(sends.status, "True");
    };
    assert!(with(&[]).status().conditions.iter().all(|condition| condition.status == "True"));
    says(
        &[("crm", None)],
        r#"Secret "crm" does not exist: create it. Until then calls with it fail; receiving goes on."#,
    );
    says(
        &[("crm", None), ("erp", None)],
        r#"Secrets "crm" and "erp" do not exist: create them. Until then calls with them fail; receiving goes on."#,
    );
    says(
        &[("beta-tokens", None)],
        r#"Secret "beta-tokens" does not exist: create it with a token of at least 16 characters, under any key. Until then the API refuses everybody; receiving goes on."#,
    );
    let short = Some(Credentials::of(&[("a", "fifteen letters\n"), ("b", "")]));
    says(
        &[("beta-tokens", short)],
        r#"Secret "beta-tokens" has no token: add one of at least 16 characters, under any key. Until then the API refuses everybody; receiving goes on."#,
    );
}

#[test]
fn a_missing_database_secret_says_what_to_write_under_which_key() {
    let case = only(|case| {
        case.observed.secrets.insert("beta-database".into(), None);
    });
    tells(
        &case,
        "DatabaseReady",
        "False",
        "SecretMissing",
        r#"Secret "beta-database" does not exist: create it with the database's URL (postgres://user:password@host:5432/name) under key "url". Until then no replica can start."#,
    );
}

#[test]
fn a_replica_without_its_database_tells_so_in_its_own_words() {
    let case = only(|case| {
        case.answer("p2").database = DatabaseReport { ready: false, message: "connection refused".into() };
    });
    tells(
        &case,
        "DatabaseReady",
        "False",
        "DatabaseUnreachable",
        r#"Replica "p2": connection refused. Check that the database runs and that Secret "beta-database" has its URL under "url"."#,
    );
}

#[test]
fn an_older_tenant_keeps_the_host() {
    let case = only(|case| {
        case.observed.rival = Some("other/acme".into());
        case.outcome.ingress = Applied::Absent;
    });
    tells(
        &case,
        "RouteProgrammed",
        "False",
        "HostConflict",
        r#"Host "beta.example.com" is that of tenant "other/acme", which is older: choose another route.host."#,
    );
}

#[test]
fn an_ingress_without_an_address_names_the_controller_that_gives_it_one() {
    let case = only(|case| case.outcome.ingress = ingress(json!([])));
    tells(
        &case,
        "RouteProgrammed",
        "False",
        "RoutePending",
        r#"Ingress "wigwag-beta" has no address yet: the controller of IngressClass "nginx" gives it one; check that it runs."#,
    );
}

#[test]
fn a_tenant_that_asks_for_no_route_is_ready_without_one() {
    for route in [Value::Null, json!({"host": "beta.example.com"})] {
        let case = only(|case| {
            case.observed.spec.route = serde_json::from_value(route.clone()).unwrap();
            case.outcome.ingress = Applied::Absent;
        });
        let conditions = case.status().conditions;
        let route = conditions.iter().find(|condition| condition.type_ == "RouteProgrammed").unwrap();
        assert_eq!((route.status.as_str(), route.reason.as_str()), ("True", "NoRoute"));
        assert!(route.message.contains("Service \"wigwag-beta\""), "{}", route.message);
        assert_eq!(conditions.last().unwrap().status, "True");
    }
}

#[test]
fn a_replica_that_does_not_start_says_why() {
    let case = only(|case| {
        case.outcome.deployment = deployment(1);
        case.observed.replicas[1].trouble = Some("ImagePullBackOff: no such image".into());
    });
    let message = r#"1 of 2 replicas are ready. Pod "p2": ImagePullBackOff: no such image."#;
    tells(&case, "WorkerAvailable", "False", "ReplicasUnready", message);
    assert_eq!(case.status().summary.unwrap().replicas, "1/2");
}

#[test]
fn pods_that_cannot_even_be_made_are_told_in_the_words_of_the_deployment() {
    let case = only(|case| {
        let conditions = json!([{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods=0"}]);
        let deployment = json!({"metadata": {}, "status": {"conditions": conditions}});
        case.outcome.deployment = Applied::Stands(serde_json::from_value(deployment).unwrap());
        case.observed.replicas.clear();
    });
    let message = "0 of 2 replicas are ready. exceeded quota: pods=0.";
    tells(&case, "WorkerAvailable", "False", "ReplicasUnready", message);
}

#[test]
fn an_object_of_somebody_else_and_one_that_is_refused_are_named() {
    let taken = only(|case| case.outcome.service = Applied::Taken);
    let message = r#"Service "wigwag-beta" exists and is not this tenant's: delete or rename it."#;
    tells(&taken, "WorkerAvailable", "False", "NameTaken", message);
    let refused = only(|case| case.outcome.deployment = Applied::Refused("limits below requests".into()));
    let message = r#"The API server refuses Deployment "wigwag-beta": limits below requests."#;
    tells(&refused, "WorkerAvailable", "False", "ObjectRefused", message);
    let route = only(|case| case.outcome.ingress = Applied::Taken);
    let message = r#"Ingress "wigwag-beta" exists and is not this tenant's: delete or rename it."#;
    tells(&route, "RouteProgrammed", "False", "NameTaken", message);
}

#[test]
fn a_tenant_that_is_scaled_to_nothing_says_so_before_what_nobody_can_know() {
    let case = only(|case| {
        case.observed.spec.data_plane.replicas = 0;
        case.observed.replicas.clear();
        case.view = View::default();
    });
    let message = "Nothing runs: spec.dataPlane.replicas is 0. Set it to 1 or more.";
    tells(&case, "WorkerAvailable", "False", "NoReplicas", message);
    let database = &case.status().conditions[1];
    assert_eq!((database.status.as_str(), database.reason.as_str()), ("Unknown", "NoReplicaReports"));
}

#[test]
fn a_refused_token_pauses_sending_and_says_where_the_new_one_goes() {
    let case = only(|case| {
        let paused = Some("Graph answered 190: token expired".to_owned());
        case.report("p1").channels.insert("meta".into(), ChannelReport { credentials: true, paused });
    });
    tells(
        &case,
        "SendReady",
        "False",
        "TokenRefused",
        r#"Sending by provider "meta" waits: Graph answered 190: token expired. Put a valid token under key "access-token" of Secret "beta-meta"; receiving goes on."#,
    );
}

#[test]
fn ready_waits_until_every_ready_replica_runs_the_configuration_and_its_secrets() {
    let behind = only(|case| case.report("p2").revision = "old".into());
    let message = r#"1 of 2 replicas run configuration new; "p2" has yet to load it."#;
    tells(&behind, "Ready", "False", "ConfigPending", message);
    assert_eq!(behind.status().config.unwrap().acknowledged_replicas, 1);

    let stale = only(|case| {
        case.view.expected.secrets.insert("beta-meta".into(), "mark".into());
    });
    tells(&stale, "Ready", "False", "ConfigPending", r#""p1" has yet to load Secret "beta-meta"."#);

    let refused = only(|case| case.answer("p1").problems = vec!["tenant.yaml: no".into(), "more".into()]);
    let message = r#"Replica "p1" does not run all that it was given: tenant.yaml: no. (and 1 more)"#;
    tells(&refused, "Ready", "False", "ConfigRefused", message);
}

#[test]
fn a_configuration_that_does_not_fit_says_what_to_shorten_and_what_goes_on_running() {
    let case = only(|case| {
        let kept = Some(Config { revision: "old".into(), ..Config::default() });
        case.plan = Plan::TooLarge { size: 1_000 << 10, largest: ("flow-big.yaml".into(), 700 << 10), kept };
    });
    tells(
        &case,
        "Ready",
        "False",
        "ConfigTooLarge",
        "The tenant and its Flows take 1000 KiB, a ConfigMap holds 900 KiB: shorten the Flows or move some to another \
         tenant; the largest file is flow-big.yaml with 700 KiB. Configuration old goes on running.",
    );
}

#[test]
fn what_is_wrong_comes_before_what_is_not_known() {
    let case = only(|case| {
        case.view.reports = BTreeMap::from([("p1".to_owned(), Err("nothing answers at 10.0.0.1:9090".to_owned()))]);
        case.outcome.deployment = deployment(0);
    });
    let told = case.status();
    let of = |type_: &str| told.conditions.iter().find(|condition| condition.type_ == type_).unwrap();
    assert_eq!(of("DatabaseReady").status, "Unknown");
    assert_eq!(of("DatabaseReady").message, r#"No replica tells: "p1": nothing answers at 10.0.0.1:9090."#);
    assert_eq!(of("Ready").reason, "ReplicasUnready");
}

#[test]
fn a_spec_that_does_not_read_leaves_what_runs_and_says_what_to_correct() {
    let old = case().status();
    let told = unreadable(old.clone(), Some(2), "missing field `database`", NOW);
    assert_eq!(told.conditions.len(), 6);
    let ready = told.conditions.last().unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "SpecUnreadable"));
    assert!(ready.message.contains("missing field `database`"));
    assert_eq!((told.config, told.summary), (old.config, old.summary));
}
