//! How people and programs steer conversations over HTTP and from a terminal.

mod command;
mod resume;
mod sessions;
mod start;
mod views;

use std::time::Duration;

use serde_json::Value;
use wigwag_e2e::shop::{HOST, Plan, Shop, api_token};
use wigwag_sandbox::eventually;
use wigwag_simulator::Customer;

const SOON: Duration = Duration::from_secs(10);
const ANA: &str = "+34600111222";

const FLOWS: &str = r#"
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: pay}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: pay}]
  start: link
  nodes:
  - {name: link, message: {text: "{{ resume.paid }}", next: ready}}
  - {name: ready, options: {text: Ready?, options: [{id: go, title: "Yes", next: paid}], noMatch: ready}}
  - {name: paid, waitFor: {into: receipt, timeout: 1h, onTimeout: late, next: thanks}}
  - {name: thanks, message: {text: "Paid {{ receipt.amount }}"}}
  - {name: late, message: {text: Late}}
---
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: quick}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: quick}]
  start: link
  nodes:
  - {name: link, message: {text: "{{ resume.paid }}", next: paid}}
  - {name: paid, waitFor: {timeout: 1s, onTimeout: late, next: thanks}}
  - {name: thanks, message: {text: Thanks}}
  - {name: late, message: {text: Late, next: stay}}
  - {name: stay, options: {text: Again?, options: [{id: go, title: "Yes", next: late}], noMatch: stay}}
---
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: help}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: help}]
  start: note
  nodes:
  - {name: note, assign: {set: {answer: "'nothing'"}, next: say}}
  - {name: say, message: {text: One moment, next: person}}
  - {name: person, handoff: {queue: sales, timeout: 1h, next: back}}
  - {name: back, message: {text: "Back with {{ answer }}"}}
  - {name: other, message: {text: "Elsewhere with {{ answer }}"}}
---
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: offer}
spec:
  tenantRef: {name: acme}
  triggers: [{manual: {}}]
  start: hi
  nodes:
  - {name: hi, message: {text: "Plan {{ plan }} for {{ contact.name }}: {{ input }}", next: ask}}
  - {name: ask, options: {text: Take it?, options: [{id: go, title: "Yes", next: taken}], noMatch: ask}}
  - {name: taken, message: {text: "Taken: {{ plan }}"}}
"#;

/// Speaks HTTP to a shop.
struct Caller {
    http: reqwest::Client,
    base: String,
    host: String,
    token: Option<String>,
}

impl Caller {
    fn of(shop: &Shop) -> Self {
        let base = format!("http://{}", shop.replicas[0].listen);
        Self { http: reqwest::Client::new(), base, host: HOST.to_owned(), token: Some(api_token("acme")) }
    }

    fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            http: self.http.clone(),
            base: self.base.clone(),
            host: self.host.clone(),
            token: token.map(str::to_owned),
        }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.post_text(path, body.to_string()).await
    }

    async fn post_text(&self, path: &str, body: String) -> (u16, Value) {
        self.send(self.http.post(format!("{}{path}", self.base)).body(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let request = request.header("host", &self.host).timeout(SOON);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// The id of the newest session of Ana in a Flow, once it has this status.
    async fn session(&self, flow: &str, status: &str) -> String {
        let path = format!("/api/v1/sessions?contact={}&flow={flow}", ANA.replace('+', "%2B"));
        let found = eventually!(SOON, self.get(&path).await.1["sessions"][0].clone(), |one| one["status"] == status);
        found["id"].as_str().unwrap().to_owned()
    }

    async fn shown(&self, session: &str) -> Value {
        let (status, shown) = self.get(&format!("/api/v1/sessions/{session}")).await;
        assert_eq!(status, 200, "{shown}");
        shown
    }
}

async fn open() -> (Shop, Caller, Customer) {
    let shop = Shop::with(Plan { flows: Some(FLOWS), ..Plan::default() }).await.unwrap();
    let caller = Caller::of(&shop);
    let ana = shop.customer(ANA, "Ana").unwrap();
    (shop, caller, ana)
}

async fn hears(customer: &Customer) -> String {
    customer.reply(SOON).await.unwrap().text()
}

/// The path of the URL that a message holds.
fn path(url: &str) -> String {
    let path = url.strip_prefix("http://acme.localhost").or_else(|| url.strip_prefix("https://acme.localhost"));
    path.unwrap_or_else(|| panic!("{url:?} is no URL of the shop")).to_owned()
}
