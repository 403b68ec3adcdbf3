//! What replicas tell, and how far they are behind.

use std::sync::mpsc;

use axum::{Json, Router, routing::get};
use tokio::net::TcpListener;

use super::*;

/// Hands on what is told.
struct Told(Mutex<mpsc::Sender<String>>);

impl Listener for Told {
    fn tenant(&self, tenant: &TenantKey) {
        self.0.lock().unwrap().send(tenant.to_string()).unwrap();
    }

    fn flow(&self, namespace: &str, flow: &str) {
        self.0.lock().unwrap().send(format!("{namespace}/flow {flow}")).unwrap();
    }
}

#[tokio::test]
async fn what_replicas_tell_is_known_after_the_first_question_and_wakes_tenant_and_flows_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Some(listener.local_addr().unwrap());
    let answer = Configz { replica: "p1".into(), ..Configz::default() };
    let answers = Router::new().route("/configz", get(async || Json(answer)));
    tokio::spawn(axum::serve(listener, answers).into_future());

    let (sender, told) = mpsc::channel();
    let replicas = Replicas::new(Box::new(Told(Mutex::new(sender))));
    let acme = TenantKey { namespace: "shop".into(), name: "acme".into() };
    let target = |pod: &str, address| Target { pod: pod.to_owned(), address, ready: true };
    let expected = Expected {
        flows: BTreeMap::from([("welcome".to_owned(), None)]),
        targets: vec![target("p1", address), target("no-address-yet", None)],
        ..Expected::default()
    };
    assert!(replicas.view(&acme).is_none());
    replicas.expect(&acme, expected.clone());
    let view = replicas.asked(&acme).await;
    let pods: Vec<_> = view.answers().map(|(pod, _)| pod).collect();
    assert_eq!(pods, ["p1"]);

    replicas.expect(&acme, expected);
    let heard = ["shop/flow welcome", "shop/acme", "shop/flow welcome"];
    assert_eq!(told.try_iter().collect::<Vec<_>>(), heard, "once for the expectation, once for the answer");
    replicas.forget(&acme);
    assert!(replicas.view(&acme).is_none());
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_replica_is_behind_until_revision_and_every_secret_are_those_expected() {
    let expected = Expected {
        revision: "r2".into(),
        secrets: map(&[("meta", "m2"), ("gone", "empty")]),
        empty_mark: "empty".into(),
        ..Expected::default()
    };
    let report = |revision: &str, secrets| TenantReport {
        revision: revision.to_owned(),
        secrets: map(secrets),
        ..TenantReport::default()
    };
    assert_eq!(expected.lag(None), Lag::Config(String::new()));
    assert_eq!(expected.lag(Some(&report("r1", &[("meta", "m2")]))), Lag::Config("r1".into()));
    assert_eq!(expected.lag(Some(&report("r2", &[("meta", "m1")]))), Lag::Secret("meta".into()));
    assert_eq!(expected.lag(Some(&report("r2", &[("meta", "m2"), ("gone", "old")]))), Lag::Secret("gone".into()));
    assert_eq!(expected.lag(Some(&report("r2", &[("meta", "m2")]))), Lag::None);
    assert_eq!(expected.lag(Some(&report("r2", &[("meta", "m2"), ("gone", "empty")]))), Lag::None);
}
