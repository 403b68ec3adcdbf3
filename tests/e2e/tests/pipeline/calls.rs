//! Calls of conversations to endpoints: SIGKILL at each boundary of one, every way in which one fails, and what a call
//! takes along. A POST reaches its endpoint once, or its node goes on by `unknown`; the customer gets one answer.

use std::time::Duration;

use serde_json::json;
use wigwag_e2e::{
    gate::Gate,
    shop::{Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Customer, EndpointAnswer, EndpointRule, Settings, Simulator};

use crate::support::{ANA, ECHO, EVA, SOON, all_is_done, as_if_received_before, flow, heard, hears, quiet};

/// A Flow that calls this and tells how that went.
fn calling(name: &str, http: &str) -> String {
    let classes = ["timeout", "network", "refused", "tooLarge", "invalid", "4xx", "5xx", "unknown"];
    let ways: Vec<_> = classes.iter().map(|class| format!("{class}: was-{}", class.to_lowercase())).collect();
    let nodes: Vec<_> = classes
        .iter()
        .map(|class| format!("  - {{name: was-{}, message: {{text: \"went on by {class}\"}}}}", class.to_lowercase()))
        .collect();
    let rest = format!(
        "  start: call
  nodes:
  - name: call
    http: {{{http}, into: answer, onError: {{{}}}, next: done}}
  - {{name: done, message: {{text: \"done {{{{ answer.status }}}} {{{{ answer.body.n }}}}\"}}}}
{}",
        ways.join(", "),
        nodes.join("\n")
    );
    flow(name, &rest)
}

/// Two customers, one of whom begins a POST and the other a GET.
struct Calling {
    shop: Shop,
    posts: Customer,
    gets: Customer,
}

impl Calling {
    async fn new() -> Self {
        let flows = calling("post", "method: POST, url: \"$ENDPOINT/post\", body: {n: 7}, timeout: 20s")
            + &calling("get", "url: \"$ENDPOINT/get\", timeout: 20s");
        let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
        let (posts, gets) = (shop.customer(ANA, "Ana").unwrap(), shop.customer(EVA, "Eva").unwrap());
        for path in ["/post", "/get"] {
            shop.simulator.answer_calls(EndpointRule::at(
                path,
                EndpointAnswer::Reply { status: 200, headers: Default::default(), body: json!({"n": 1}) },
            ));
        }
        Self { shop, posts, gets }
    }

    async fn begin(&self) {
        self.posts.say("post").await.unwrap();
        self.gets.say("get").await.unwrap();
    }

    /// Kills the process while a gate holds it, and makes sure that nothing of it comes through later.
    async fn kill_at(&self, mut gate: Gate) {
        self.shop.replicas[0].kill().await.unwrap();
        eventually!(SOON, !gate.holds().await.unwrap());
        gate.open().await.unwrap();
        self.shop.replicas[0].restart().await.unwrap();
    }

    /// How often each endpoint was called, by POST and GET, and what each customer was told, once all is done.
    async fn comes_to(&self, calls: (usize, usize), told: (&str, &str)) {
        eventually!(SOON, heard(&self.shop, &self.posts), |heard| *heard == [told.0]);
        eventually!(SOON, heard(&self.shop, &self.gets), |heard| *heard == [told.1]);
        all_is_done(&self.shop).await;
        let ledger = self.shop.simulator.ledger();
        assert_eq!((ledger.calls_to("/post").len(), ledger.calls_to("/get").len()), calls);
        assert_eq!(ledger.calls_by_key().len(), 2, "a repeated call has the key of the first");
        assert_eq!(
            (heard(&self.shop, &self.posts), heard(&self.shop, &self.gets)),
            (vec![told.0.into()], vec![told.1.into()])
        );
        assert!(ledger.duplicates().is_empty());
    }
}

#[tokio::test]
async fn a_kill_before_a_call_goes_out_loses_nothing() {
    let calling = Calling::new().await;
    let mut gate = Gate::before(&calling.shop, "effect", "NEW.state = 'sending'").await.unwrap();
    calling.begin().await;
    let queued = "SELECT count(*) FROM effect WHERE state = 'queued'";
    eventually!(SOON, tables::count(&calling.shop.pool, queued).await.unwrap() == 2 && gate.holds().await.unwrap());

    calling.kill_at(gate).await;
    calling.comes_to((1, 1), ("done 200 1", "done 200 1")).await;
}

#[tokio::test]
async fn a_kill_while_a_call_hangs_repeats_a_get_and_never_a_post() {
    let calling = Calling::new().await;
    for path in ["/post", "/get"] {
        calling.shop.simulator.answer_calls(EndpointRule::at(path, EndpointAnswer::Hang).times(1));
    }
    calling.begin().await;
    eventually!(SOON, calling.shop.simulator.ledger().endpoint_calls.len() == 2);

    calling.shop.replicas[0].kill().await.unwrap();
    calling.shop.replicas[0].restart().await.unwrap();
    calling.comes_to((1, 2), ("went on by unknown", "done 200 1")).await;
}

#[tokio::test]
async fn a_process_that_goes_down_in_order_gives_up_its_calls_as_a_kill_does() {
    let mut calling = Calling::new().await;
    for path in ["/post", "/get"] {
        calling.shop.simulator.answer_calls(EndpointRule::at(path, EndpointAnswer::Hang).times(1));
    }
    calling.begin().await;
    eventually!(SOON, calling.shop.simulator.ledger().endpoint_calls.len() == 2);
    calling.shop.add_replica("replica-1").unwrap();
    calling.shop.replicas[1].ready().await.unwrap();
    calling.shop.route_to(1);
    calling.shop.replicas[0].process.signal(nix::sys::signal::Signal::SIGTERM).unwrap();
    eventually!(Duration::from_secs(15), heard(&calling.shop, &calling.posts), |heard| !heard.is_empty());
    calling.comes_to((1, 2), ("went on by unknown", "done 200 1")).await;
}

#[tokio::test]
async fn a_kill_after_the_answer_and_before_its_result_is_stored_repeats_a_get_and_never_a_post() {
    let calling = Calling::new().await;
    let mut gate = Gate::before(&calling.shop, "effect", "NEW.state = 'done'").await.unwrap();
    calling.begin().await;
    let answered = || calling.shop.simulator.ledger().endpoint_calls.iter().filter(|c| c.answered.is_some()).count();
    eventually!(SOON, answered() == 2 && gate.holds().await.unwrap());

    calling.kill_at(gate).await;
    calling.comes_to((1, 2), ("went on by unknown", "done 200 1")).await;
}

#[tokio::test]
async fn a_kill_after_a_result_is_stored_calls_nobody_again() {
    let calling = Calling::new().await;
    let mut gate = Gate::before(&calling.shop, "session_event", "NEW.kind = 'result'").await.unwrap();
    calling.begin().await;
    let stored = "SELECT count(*) FROM effect WHERE state = 'done'";
    eventually!(SOON, tables::count(&calling.shop.pool, stored).await.unwrap() == 2 && gate.holds().await.unwrap());

    calling.kill_at(gate).await;
    calling.comes_to((1, 1), ("done 200 1", "done 200 1")).await;
}

#[tokio::test]
async fn an_answer_that_comes_to_a_replica_that_was_frozen_and_lost_its_lanes_changes_nothing() {
    let mut calling = Calling::new().await;
    for path in ["/post", "/get"] {
        calling
            .shop
            .simulator
            .answer_calls(EndpointRule::at(path, EndpointAnswer::Echo).after(Duration::from_secs(1)).times(1));
    }
    calling.begin().await;
    eventually!(SOON, calling.shop.simulator.ledger().endpoint_calls.len() == 2);
    calling.shop.replicas[0].process.freeze();
    calling.shop.add_replica("replica-1").unwrap();
    calling.shop.replicas[1].ready().await.unwrap();
    calling.shop.route_to(1);
    eventually!(SOON, heard(&calling.shop, &calling.posts), |heard| *heard == ["went on by unknown"]);
    eventually!(SOON, heard(&calling.shop, &calling.gets), |heard| *heard == ["done 200 1"]);

    // The answers lie in its sockets.
    calling.shop.replicas[0].process.thaw();
    let log = || std::fs::read_to_string(calling.shop.replicas[0].process.log()).unwrap();
    eventually!(SOON, log().matches("outcome=\"2xx\"").count() == 2);
    calling.comes_to((1, 2), ("went on by unknown", "done 200 1")).await;
}

#[tokio::test]
async fn every_class_of_failure_leads_where_its_node_says() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let calls: [(&str, &str, String, usize); 13] = [
        ("late", "timeout", "url: \"$ENDPOINT/late\", timeout: 1s".into(), 1),
        ("closed", "network", format!("url: \"http://{closed}/\""), 0),
        ("broken", "network", "url: \"$ENDPOINT/broken\"".into(), 2),
        ("half", "unknown", "method: POST, url: \"$ENDPOINT/half\"".into(), 1),
        ("lost", "unknown", "method: POST, url: \"$ENDPOINT/lost\"".into(), 1),
        ("metadata", "refused", "url: \"http://169.254.169.254/latest/meta-data\"".into(), 0),
        ("mapped", "refused", "url: \"http://[::ffff:169.254.169.254]/latest/meta-data\"".into(), 0),
        ("private", "refused", "url: \"http://10.0.0.1/\"".into(), 0),
        ("sent-there", "refused", "method: POST, url: \"$ENDPOINT/sent-there\"".into(), 1),
        ("endless", "tooLarge", "url: \"$ENDPOINT/endless\"".into(), 1),
        ("missing", "4xx", "url: \"$ENDPOINT/missing\"".into(), 1),
        ("down", "5xx", "url: \"$ENDPOINT/down\"".into(), 1),
        (
            "shouted",
            "invalid",
            "url: \"$ENDPOINT/shouted\", headers: [{name: x-said, value: \"{{ input }}\"}]".into(),
            1,
        ),
    ];
    let flows: String = calls.iter().map(|(name, _, http, _)| calling(name, http)).collect();
    let flows = flows.replace("keyword: shouted, match: Exact", "keyword: shouted");
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let status = |status| EndpointAnswer::Reply { status, headers: Default::default(), body: json!({"why": "so"}) };
    for (path, answer) in [
        ("/late", EndpointAnswer::Hang),
        ("/broken", EndpointAnswer::CloseAfterReading),
        ("/half", EndpointAnswer::CutOff),
        ("/lost", EndpointAnswer::CloseAfterReading),
        ("/sent-there", EndpointAnswer::Redirect { to: "http://169.254.169.254/latest".into(), status: 307 }),
        ("/endless", EndpointAnswer::Endless),
        ("/missing", status(404)),
        ("/down", status(503)),
    ] {
        shop.simulator.answer_calls(EndpointRule::at(path, answer));
    }
    for (n, (name, class, _, times)) in calls.iter().enumerate() {
        let customer = shop.customer(&format!("+3460011100{n:02}"), "Ana").unwrap();
        if *name == "shouted" {
            customer.say("shouted").await.unwrap();
            assert_eq!(hears(&customer).await, "done 200");
            customer.say("shouted\r\nX-Evil: 1").await.unwrap();
        } else {
            customer.say(name).await.unwrap();
        }
        assert_eq!(hears(&customer).await, format!("went on by {class}"), "{name}");
        assert_eq!(shop.simulator.ledger().calls_to(&format!("/{name}")).len(), *times, "{name}");
    }
    assert!(shop.simulator.ledger().endpoint_calls.iter().all(|call| !call.headers.contains_key("x-evil")));
}

#[tokio::test]
async fn a_secret_goes_to_its_host_alone_and_stands_nowhere_else() {
    const SECRET: &str = "s3cr3t-of-the-crm";
    let header = "headers: [{name: authorization, secret: {name: crm, key: token, prefix: \"Bearer \"}}]";
    let flows = calling("mine", &format!("url: \"$ENDPOINT/mine\", {header}"))
        + &calling("away", &format!("url: \"$ENDPOINT/away\", {header}"))
        + &calling("other", &format!("url: \"https://example.com/\", {header}"))
        + &calling(
            "meta",
            &format!("url: \"$ENDPOINT/meta\", {}", header.replace("crm, key: token", "acme-meta, key: app-secret")),
        );
    let spec = "  flowSecrets: [{name: crm, hosts: [127.0.0.1]}]";
    let shop = quiet(Plan { flows: Some(&flows), spec, ..Plan::default() }).await;
    shop.write_secret("crm", "token", SECRET).unwrap();
    let marks = async || shop.replicas[0].configz().await.unwrap()["tenants"]["default/acme"]["secrets"]["crm"].clone();
    eventually!(SOON, marks().await.is_string());
    // Another port is another origin.
    let elsewhere = Simulator::start(Settings::default()).await.unwrap();
    let to = format!("{}/caught", elsewhere.endpoint_url());
    shop.simulator.answer_calls(EndpointRule::at("/away", EndpointAnswer::Redirect { to, status: 302 }));

    let ana = shop.customer(ANA, "Ana").unwrap();
    for (word, told) in
        [("mine", "done 200"), ("away", "done 200"), ("other", "went on by refused"), ("meta", "went on by invalid")]
    {
        ana.say(word).await.unwrap();
        assert_eq!(hears(&ana).await, told, "{word}");
    }

    let ledger = shop.simulator.ledger();
    let bearer = format!("Bearer {SECRET}");
    assert_eq!(ledger.calls_to("/mine")[0].headers["authorization"], bearer);
    assert_eq!(ledger.calls_to("/meta").len(), 0, "the tenant's own credentials are nobody's to send");
    let caught = elsewhere.ledger().endpoint_calls[0].clone();
    assert!(!serde_json::to_string(&caught).unwrap().contains(SECRET), "{caught:?}");
    // The endpoint echoes what it gets, so that a session may hold it; no log, metric or call does.
    let log = std::fs::read_to_string(shop.replicas[0].process.log()).unwrap();
    assert!(log.contains("call") && !log.contains(SECRET));
    for path in ["/metrics", "/configz"] {
        assert!(!shop.replicas[0].admin_get(path).await.unwrap().1.contains(SECRET), "{path}");
    }
}

#[tokio::test]
async fn a_call_of_a_message_that_waited_for_minutes_goes_out_all_the_same() {
    let flows = calling("get", "url: \"$ENDPOINT/get\", timeout: 1s") + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    let mut gate = Gate::before(&shop, "session_event", "true").await.unwrap();
    ana.say("get").await.unwrap();
    eventually!(SOON, gate.holds().await.unwrap());
    shop.replicas[0].kill().await.unwrap();
    eventually!(SOON, !gate.holds().await.unwrap());
    gate.open().await.unwrap();
    as_if_received_before(&shop, "5 minutes").await;
    shop.replicas[0].restart().await.unwrap();
    assert_eq!(hears(&ana).await, "done 200");
}
