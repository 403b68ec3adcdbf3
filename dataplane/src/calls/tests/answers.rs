//! What comes back.

use std::time::Instant;

use serde_json::{Value, json};

use super::*;

async fn body_of(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (u16, Value) {
    let server = Server::start(move |_| reply()).await;
    match make(&post(server.url("/")), &local()).await {
        CallResult::Answered { status, body } => (status, body),
        failed @ CallResult::Failed { .. } => panic!("{failed:?}"),
    }
}

#[tokio::test]
async fn an_answer_is_json_where_it_is_json_else_text_and_null_where_it_is_empty() {
    assert_eq!(body_of(|| answer("200 OK", r#"{"a":[1]}"#)).await, (200, json!({"a": [1]})));
    assert_eq!(body_of(|| answer("201 Created", "hola")).await, (201, json!("hola")));
    assert_eq!(body_of(|| answer("204 No Content", "")).await, (204, Value::Null));
    assert_eq!(body_of(|| answer("200 OK", "\u{feff}[1]")).await, (200, json!([1])));
    assert_eq!(body_of(|| answer("200 OK", b"a\xffb")).await, (200, json!("a\u{fffd}b")));
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    assert_eq!(body_of(|| answer("404 Not Found", "{}")).await, (404, json!({})));
    assert_eq!(body_of(|| answer("503 Service Unavailable", "later")).await, (503, json!("later")));
    assert_eq!(body_of(|| answer("302 Found", "no Location")).await, (302, json!("no Location")));
}

#[tokio::test]
async fn what_no_column_can_hold_is_replaced() {
    assert_eq!(body_of(|| answer("200 OK", "a\0b")).await, (200, json!("a\u{fffd}b")));
    let (_, body) = body_of(|| answer("200 OK", r#"{"k\u0000": ["v\u0000", {"x": "\u0000"}], "n": 1}"#)).await;
    assert_eq!(body, json!({"k\u{fffd}": ["v\u{fffd}", {"x": "\u{fffd}"}], "n": 1}));
}

#[tokio::test]
async fn json_that_is_too_deep_is_text() {
    let (_, body) = body_of(|| answer("200 OK", "[".repeat(100_000))).await;
    assert!(body.is_string());
}

#[tokio::test]
async fn a_request_says_who_we_are_and_what_it_is() {
    let server = Server::start(|_| answer("200 OK", "")).await;
    let mut call = post(server.url("/x/../orders?q=%C3%B1"));
    call.headers = vec![plain("X-Shop", "7"), plain("Idempotency-Key", "mine")];
    make(&call, &local()).await;
    let seen = server.seen();
    let request = seen[0].as_str();
    assert!(request.starts_with("POST /orders?q=%C3%B1 HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
    assert_eq!(header(request, "host"), Some(format!("127.0.0.1:{}", server.port).as_str()));
    assert_eq!(header(request, "idempotency-key"), Some("00000000-0000-0000-0000-000000000007"));
    assert_eq!(header(request, "content-type"), Some("application/json"));
    assert_eq!(header(request, "x-shop"), Some("7"));
    assert!(header(request, "user-agent").unwrap().starts_with("wigwag/"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_left_whether_its_length_is_told_or_not() {
    let told = Server::start(|_| answer("200 OK", vec![b'x'; 256 * 1024 + 1])).await;
    assert_eq!(class(&make(&post(told.url("/")), &local()).await), CallFailure::TooLarge);

    let fits = Server::start(|_| answer("200 OK", vec![b'x'; 256 * 1024])).await;
    assert!(matches!(make(&post(fits.url("/")), &local()).await, CallResult::Answered { .. }));

    let chunk = "10\r\n0123456789abcdef\r\n";
    let endless =
        Server::start(move |_| Reply::Endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk)).await;
    let begun = Instant::now();
    let result = make(&post(endless.url("/")), &local()).await;
    assert_eq!(class(&result), CallFailure::TooLarge, "{result:?}");
    assert!(begun.elapsed() < PATIENCE);

    let until_closed = Server::start(|_| Reply::Endless("HTTP/1.1 200 OK\r\n\r\n", "0123456789abcdef")).await;
    assert_eq!(class(&make(&post(until_closed.url("/")), &local()).await), CallFailure::TooLarge);
}

#[tokio::test]
async fn endless_headers_are_no_answer() {
    let server = Server::start(|_| Reply::Endless("HTTP/1.1 200 OK\r\n", "X-More: 0123456789abcdef\r\n")).await;
    let result = make(&post(server.url("/")), &local()).await;
    assert_eq!(class(&result), CallFailure::Unknown, "{result:?}");
}

#[tokio::test]
async fn nothing_is_unpacked_and_nothing_packed_is_asked_for() {
    // 20 bytes that gzip unpacks to nothing.
    const EMPTY: [u8; 20] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let server = Server::start(|_| {
        let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n".to_vec();
        bytes.extend_from_slice(&EMPTY);
        Reply::Bytes(bytes)
    })
    .await;
    let mut call = post(server.url("/"));
    call.headers = vec![plain("Accept-Encoding", "gzip")];
    let CallResult::Answered { body, .. } = make(&call, &local()).await else { panic!("no answer") };
    assert_eq!(body.as_str().unwrap().chars().count(), EMPTY.len());
    assert_eq!(header(&server.seen()[0], "accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn the_time_covers_the_last_byte_of_the_answer() {
    for first in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhol"] {
        let server = Server::start(move |_| Reply::Hang(first)).await;
        let call = HttpCall { repeatable: true, ..post(server.url("/")) };
        let begun = Instant::now();
        let result = make_within(&call, &local(), Duration::from_millis(300)).await;
        assert_eq!(class(&result), CallFailure::Timeout, "{first:?}: {result:?}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(server.seen().len(), 1, "there is no time to repeat it");
    }
}
