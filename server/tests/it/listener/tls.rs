//! Sluice's own TLS: which protocols, and what goes beside what.

use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_rustls::rustls::ProtocolVersion;
use tokio_tungstenite::client_async;

use crate::{
    PATIENCE,
    harness::{
        certificates::{Certificates, NOW},
        listener::{TestServer, ask, client, served, shake},
    },
};

async fn start() -> (Certificates, TestServer) {
    let certificates = Certificates::new();
    let pem = certificates.issue("sluice", &["sluice.test"], NOW);
    let server = TestServer::start(|settings| {
        settings.certificates = Some(served(&pem));
    })
    .await;
    (certificates, server)
}

#[tokio::test]
async fn pages_come_over_http2_and_streams_beside_them() {
    let (certificates, mut server) = start().await;
    let both = client(&certificates.path("ca"), &["h2", "http/1.1"]);
    let stream = shake(&both, server.address).await.expect("shaken");
    let session = stream.get_ref().1;
    assert_eq!(session.alpn_protocol(), Some(b"h2".as_slice()));
    assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driven = tokio::spawn(connection);
    let port = server.address.port();
    let get = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = axum::http::Request::get(format!("https://localhost:{port}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut sender = sender.clone().ready().await.expect("ready");
        let (response, _) = sender.send_request(request.body(()).expect("a request"), true).expect("sent");
        let response = timeout(PATIENCE, response).await.expect("in time").expect("an answer");
        let (head, mut body) = response.into_parts();
        let mut text = Vec::new();
        while let Some(chunk) = body.data().await {
            text.extend_from_slice(&chunk.expect("a chunk"));
        }
        (head.status.as_u16(), String::from_utf8(text).expect("text"))
    };
    // Several at once, over one connection.
    let (health, stats) = tokio::join!(get("/healthz", &[]), get("/api/v1/stats", &[]));
    assert_eq!((health.0, stats.0), (200, 200));
    assert!(stats.1.contains("be_http"), "{}", stats.1);
    let large = "y".repeat(64 * 1024);
    assert_eq!(get("/healthz", &[("x", &large[..8 * 1024])]).await.0, 200);
    assert_eq!(get("/healthz", &[("x", &large)]).await.0, 431);
    assert_eq!(get("/healthz", &[]).await.0, 200, "the connection goes on");

    let one = client(&certificates.path("ca"), &["http/1.1"]);
    let address = format!("wss://localhost:{}/ws?format=json", server.address.port());
    let (mut viewer, _) =
        client_async(address, shake(&one, server.address).await.expect("shaken")).await.expect("opened");
    let hello = timeout(PATIENCE, viewer.next()).await.expect("in time").expect("a message").expect("whole");
    assert!(hello.to_text().expect("text").contains("hello"), "{hello}");
    server.shutdown.cancel();
    while !matches!(viewer.next().await, None | Some(Err(_) | Ok(tokio_tungstenite::tungstenite::Message::Close(_)))) {}
    timeout(PATIENCE, driven).await.expect("HTTP/2 ends, too").expect("no panic").ok();
    let served = timeout(PATIENCE, &mut server.served).await.expect("nothing holds it up");
    served.expect("no panic").expect("in order");
}

#[tokio::test]
async fn plain_text_gets_nothing_from_a_port_with_tls() {
    let (_certificates, server) = start().await;
    let told = server.ask("GET /healthz HTTP/1.1\nHost: localhost").await;
    assert!(!told.contains("HTTP/1.1 200"), "{told}");
    server.until_figure(r#"sluice_tls_handshakes_total{reason="failed"}"#, |n| n == 1).await;
}

#[tokio::test]
async fn browsers_are_told_to_come_with_tls_under_names_that_are_ours_alone() {
    let certificates = Certificates::new();
    let pem = certificates.issue("sluice", &["sluice.test"], NOW);
    let server = TestServer::closed(|settings| settings.certificates = Some(served(&pem))).await;
    let client = client(&certificates.path("ca"), &[]);
    // `localhost` is many programs: none of the others must be made to speak TLS.
    for (host, is_told) in [("sluice.test", true), ("sluice.test:8443", true), ("localhost", false)] {
        let stream = shake(&client, server.address).await.expect("shaken");
        let answer = ask(stream, &format!("GET /healthz HTTP/1.1\nHost: {host}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(answer.contains("strict-transport-security: max-age=31536000\r\n"), is_told, "{answer}");
    }
}
