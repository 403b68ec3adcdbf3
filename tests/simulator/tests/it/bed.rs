//! A webhook receiver, a sender, and a simulator between them.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::Method, response::IntoResponse};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use wigwag_simulator::{Number, RetryClock, Settings, Simulator, sign};

pub const SOON: Duration = Duration::from_secs(10);
pub const ID: &str = "106540352242922";
pub const ANA: &str = "+34600111222";

#[derive(Clone, Debug)]
pub struct Received {
    pub host: String,
    pub signature: String,
    pub raw: Bytes,
    pub body: Value,
}

impl Received {
    /// All messages or statuses of all entries and changes, in order.
    pub fn all(&self, key: &str) -> Vec<Value> {
        let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
        list(&self.body["entry"])
            .iter()
            .flat_map(|e| list(&e["changes"]))
            .flat_map(|c| list(&c["value"][key]))
            .collect()
    }
}

/// A webhook that records what it gets and answers what it is told, else 200.
#[derive(Clone, Default)]
pub struct Receiver {
    pub received: Arc<Mutex<Vec<Received>>>,
    pub answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    pub async fn start() -> (Self, SocketAddr) {
        let receiver = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, address)
    }

    pub fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    pub fn posts(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn all(&self, key: &str) -> Vec<Value> {
        self.posts().iter().flat_map(|p| p.all(key)).collect()
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> axum::response::Response {
    if method == Method::GET {
        let query = uri.query().unwrap_or_default();
        let value = |key: &str| query.split('&').find_map(|p| p.strip_prefix(key)).unwrap_or_default().to_owned();
        let right = value("hub.mode=") == "subscribe" && value("hub.verify_token=") == "se%20cr%2Bet";
        return match right {
            true => value("hub.challenge=").into_response(),
            false => StatusCode::FORBIDDEN.into_response(),
        };
    }
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&raw).unwrap_or_default();
    receiver.received.lock().unwrap().push(Received {
        host: header("host"),
        signature: header("x-hub-signature-256"),
        raw,
        body,
    });
    let status = receiver.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap().into_response()
}

pub struct Bed {
    pub simulator: Simulator,
    pub receiver: Receiver,
}

pub fn number() -> Number {
    Number { verify_token: "se cr+et".into(), ..Number::new(ID, "http://acme.localhost/webhooks/primary") }
}

impl Bed {
    pub async fn new() -> Self {
        let (receiver, address) = Receiver::start().await;
        let settings = Settings {
            numbers: vec![number()],
            connect: [("acme.localhost".to_owned(), vec![address])].into(),
            retry: RetryClock {
                base: Duration::from_millis(5),
                max: Duration::from_millis(20),
                give_up_after: Duration::from_secs(5),
                attempt_timeout: Duration::from_secs(1),
            },
            receipt_gap: Duration::from_millis(5),
            ..Settings::default()
        };
        Self { simulator: Simulator::start(settings).await.unwrap(), receiver }
    }

    /// As the business: posts a body with the right token.
    pub async fn send(&self, body: Value) -> Result<Answered, String> {
        let url = format!("{}/v25.0/{ID}/messages", self.simulator.graph_url());
        call("POST", &url, Some(&format!("{ID}-access-token")), Some(body)).await
    }

    /// As the business: a text that must be accepted; its wamid.
    pub async fn say(&self, to: &str, own_id: &str, text: &str) -> String {
        let answer = self.send(message(to, own_id, text)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    pub fn check_signatures(&self) {
        let posts = self.receiver.posts();
        assert!(!posts.is_empty());
        for post in posts {
            assert_eq!(post.signature, sign(&format!("{ID}-app-secret"), &post.raw));
            assert_eq!(post.host, "acme.localhost");
        }
    }
}

pub fn message(to: &str, own_id: &str, text: &str) -> Value {
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text",
        "text": {"body": text}, "biz_opaque_callback_data": own_id,
    })
}

#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub retry_after: Option<String>,
    pub headers: HeaderMap,
    pub body: Value,
}

/// One HTTP call on a connection of its own, given up after a second and a half.
pub async fn call(method: &str, url: &str, token: Option<&str>, body: Option<Value>) -> Result<Answered, String> {
    let authorization = token.map(|token| ("authorization", format!("Bearer {token}")));
    call_with(method, url, authorization.as_slice(), body).await
}

/// As [`call`], with any headers.
pub async fn call_with(
    method: &str,
    url: &str,
    headers: &[(&str, String)],
    body: Option<Value>,
) -> Result<Answered, String> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder().method(method).uri(url).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let body = body.map(|b| b.to_string()).unwrap_or_default();
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let exchange = async {
        let response = client.request(request).await.map_err(|e| format!("{e:?}"))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(Answered {
            status: parts.status.as_u16(),
            retry_after: parts.headers.get("retry-after").map(|v| v.to_str().unwrap().to_owned()),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    };
    tokio::time::timeout(Duration::from_millis(1500), exchange).await.map_err(|_| "timed out".to_owned())?
}

/// Polls until `look` finds something.
pub async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within {SOON:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
