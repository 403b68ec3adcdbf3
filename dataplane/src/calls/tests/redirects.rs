//! Redirects, and what may not go along with them.

use serde_json::Value;

use super::{super::address::HostPattern, super::policy::FlowSecret, *};

fn secret_for(host: &str) -> CallPolicy {
    let hosts = vec![HostPattern::parse(host).unwrap()];
    let values = [("token".to_owned(), "s3cr3t".to_owned())].into();
    CallPolicy { secrets: [("crm".to_owned(), FlowSecret { hosts, values })].into(), ..local() }
}

fn with_secret(url: String) -> HttpCall {
    let value =
        CallHeaderValue::Secret { name: "crm".to_owned(), key: "token".to_owned(), prefix: "Bearer ".to_owned() };
    let headers = vec![CallHeader { name: "Authorization".to_owned(), value }, plain("X-Api-Key", "k")];
    HttpCall { headers, ..post(url) }
}

#[tokio::test]
async fn an_address_behind_the_firewall_is_refused_by_number_and_by_name() {
    let server = Server::start(|_| answer("200 OK", "")).await;
    for url in [
        server.url("/"),
        format!("http://localhost:{}/", server.port),
        format!("http://[::ffff:127.0.0.1]:{}/", server.port),
        format!("http://2130706433:{}/", server.port),
        format!("http://0x7f.1:{}/", server.port),
        format!("http://0.0.0.0:{}/", server.port),
    ] {
        let result = make(&post(url.as_str()), &policy(&[])).await;
        assert_eq!(class(&result), CallFailure::Refused, "{url}: {result:?}");
        assert!(message(&result).contains("spec.http.allow"), "{result:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_closed_address_is_refused_whatever_is_open_before_it() {
    for to in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "//10.0.0.1/",
    ] {
        let server = Server::start(move |_| redirect(307, to)).await;
        let result = make(&post(server.url("/")), &local()).await;
        assert_eq!(class(&result), CallFailure::Refused, "{to}: {result:?}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn three_redirects_are_followed_and_no_fourth() {
    let server = Server::start(|n| if n < 3 { redirect(302, "/next") } else { answer("200 OK", "there") }).await;
    let result = make(&post(server.url("/")), &local()).await;
    assert_eq!(result, CallResult::Answered { status: 200, body: Value::from("there") });
    let lines: Vec<_> = server.seen().iter().map(|request| request.lines().next().unwrap().to_owned()).collect();
    let get = "GET /next HTTP/1.1";
    assert_eq!(lines, ["POST / HTTP/1.1", get, get, get]);

    let endless = Server::start(|_| redirect(302, "/next")).await;
    assert_eq!(class(&make(&post(endless.url("/")), &local()).await), CallFailure::Refused);
    assert_eq!(endless.seen().len(), 4);
}

#[tokio::test]
async fn a_secret_goes_to_its_host_and_stays_there() {
    let other = Server::start(|_| answer("200 OK", "other")).await;
    let there = format!("http://localhost:{}/", other.port);
    let server = Server::start(move |n| if n == 0 { redirect(307, "/again") } else { redirect(307, &there) }).await;
    let result = make(&with_secret(server.url("/")), &secret_for("127.0.0.1")).await;
    assert_eq!(result, CallResult::Answered { status: 200, body: Value::from("other") });
    for request in server.seen() {
        assert_eq!(header(&request, "authorization"), Some("Bearer s3cr3t"), "the same origin: {request}");
    }
    let elsewhere = other.seen();
    assert_eq!(elsewhere.len(), 1);
    assert!(!elsewhere[0].contains("s3cr3t") && header(&elsewhere[0], "x-api-key").is_none(), "{}", elsewhere[0]);
    assert!(elsewhere[0].starts_with("POST ") && elsewhere[0].ends_with("{\"a\":1}"), "307 keeps method and body");
}

#[tokio::test]
async fn a_secret_that_may_not_go_there_keeps_the_call_from_going() {
    let server = Server::start(|_| answer("200 OK", "")).await;
    let result = make(&with_secret(server.url("/")), &secret_for("api.example.com")).await;
    assert_eq!(class(&result), CallFailure::Refused);
    assert!(!message(&result).contains("s3cr3t"), "{result:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_lost_answer_behind_a_redirect_is_a_lost_answer() {
    let server = Server::start(|n| if n == 0 { redirect(307, "/next") } else { Reply::Close }).await;
    let result = make(&post(server.url("/")), &local()).await;
    assert_eq!(class(&result), CallFailure::Unknown, "{result:?}");
}
