//! Connections that do not come about, or break.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use serde_json::Value;

use super::*;

/// A certificate for `localhost` that nobody signed but itself.
fn certificate() -> (TlsAcceptor, CertificateDer<'static>) {
    install_ring();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let certificate = made.cert.der().clone();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    (Arc::new(config).into(), certificate)
}

fn repeatable(url: String) -> HttpCall {
    HttpCall { repeatable: true, ..post(url) }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let asked = AtomicUsize::new(0);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let urls = [format!("http://127.0.0.1:{free}/"), "http://nobody.invalid/".to_owned()];
    for url in urls {
        let may_send = || {
            asked.fetch_add(1, Ordering::Relaxed);
            true
        };
        let id = EffectId(Uuid::from_u128(7));
        let result = caller().call(id, &post(url.as_str()), &local(), PATIENCE, may_send).await.unwrap();
        assert_eq!(class(&result), CallFailure::Network, "{url}: {result:?}");
    }
    assert_eq!(asked.into_inner(), 0);
}

#[tokio::test]
async fn a_broken_connection_leaves_a_post_unknown_and_it_is_not_sent_again() {
    let replies: [fn() -> Reply; 4] = [
        || Reply::Close,
        || Reply::Bytes(b"HTTP/1.1 200".to_vec()),
        || Reply::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec()),
        || Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()),
    ];
    for reply in replies {
        let server = Server::start(move |_| reply()).await;
        let result = make(&post(server.url("/")), &local()).await;
        assert_eq!(class(&result), CallFailure::Unknown, "{result:?}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_call_that_may_be_repeated_is_repeated_once() {
    let server = Server::start(|n| if n == 0 { Reply::Close } else { answer("200 OK", "again") }).await;
    let result = make(&repeatable(server.url("/")), &local()).await;
    assert_eq!(result, CallResult::Answered { status: 200, body: Value::from("again") });
    let keys: Vec<_> =
        server.seen().iter().map(|request| header(request, "idempotency-key").map(str::to_owned)).collect();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]), "under the same key");

    let broken = Server::start(|_| Reply::Close).await;
    let result = make(&repeatable(broken.url("/")), &local()).await;
    assert_eq!(class(&result), CallFailure::Network, "{result:?}");
    assert_eq!(broken.seen().len(), 2);
}

#[tokio::test]
async fn without_its_lease_a_process_writes_nothing_of_a_request() {
    let server = Server::start(|_| answer("200 OK", "")).await;
    assert_eq!(make_without_lease(&post(server.url("/"))).await, Err(NotSent));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_gets_no_request() {
    let (tls, _) = certificate();
    let server = Server::start_with(Some(tls), |_| answer("200 OK", "")).await;
    let result = make(&post(format!("https://localhost:{}/", server.port)), &local()).await;
    assert_eq!(class(&result), CallFailure::Network, "{result:?}");
    assert!(message(&result).contains("TLS"), "{result:?}");
    assert!(server.seen().is_empty());

    let plain = Server::start(|_| answer("200 OK", "")).await;
    let result = make(&post(format!("https://localhost:{}/", plain.port)), &local()).await;
    assert_eq!(class(&result), CallFailure::Network, "no TLS at all: {result:?}");
}

#[tokio::test]
async fn a_certificate_counts_for_its_name_alone() {
    let (tls, certificate) = certificate();
    let server = Server::start_with(Some(tls), |_| answer("200 OK", "safe")).await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = Caller::with_tls(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let id = EffectId(Uuid::from_u128(7));
    let call = post(format!("https://localhost:{}/", server.port));
    let result = trusting.call(id, &call, &local(), PATIENCE, || true).await.unwrap();
    assert_eq!(result, CallResult::Answered { status: 200, body: Value::from("safe") });
    let call = post(format!("https://127.0.0.1:{}/", server.port));
    let result = trusting.call(id, &call, &local(), PATIENCE, || true).await.unwrap();
    assert_eq!(class(&result), CallFailure::Network, "{result:?}");
}
