//! Reverse proxies: whose word is taken, and whose is not.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{PATIENCE, harness::listener::TestServer};

/// What the record says of where the last log-in came from.
async fn told_from(server: &TestServer, headers: &str) -> String {
    let body = r#"{"user":"anna","password":"wrong, as there is nobody"}"#;
    let length = body.len();
    let head = format!(
        "POST /api/v1/login HTTP/1.1\nHost: sluice.example.org\nContent-Type: application/json\nContent-Length: {length}\n{headers}\n\n"
    );
    let mut stream = server.connect().await;
    let request = head.replace('\n', "\r\n") + body;
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 401");
    let last = "SELECT address FROM record ORDER BY id DESC LIMIT 1";
    server.sluice.database.run(|c| c.query_row(last, [], |row| row.get(0))).await.expect("an entry")
}

#[tokio::test]
async fn the_client_s_address_is_a_trusted_proxy_s_word() {
    let behind = async |proxies: &str| {
        let proxies = Some(vec![proxies.parse().expect("a network")]);
        TestServer::closed(|settings| settings.config.proxies = proxies).await
    };
    let (trusting, other) = (behind("127.0.0.0/8").await, behind("10.0.0.0/8").await);
    let said = "X-Forwarded-For: 6.6.6.6, 203.0.113.9\nX-Forwarded-Proto: https";
    let told = trusting.ask(&format!("GET /healthz HTTP/1.1\nHost: sluice.example.org\n{said}")).await;
    assert!(told.contains("strict-transport-security: max-age=31536000\r\n"), "{told}");
    let told = other.ask(&format!("GET /healthz HTTP/1.1\nHost: sluice.example.org\n{said}")).await;
    assert!(!told.contains("strict-transport-security"), "{told}");
    assert_eq!(told_from(&trusting, said).await, "203.0.113.9");
    assert_eq!(told_from(&other, said).await, "127.0.0.1");
}

#[tokio::test]
async fn a_page_behind_a_proxy_acts_under_the_name_that_browsers_use() {
    let server = TestServer::closed(|settings| {
        settings.config.proxies = Some(vec!["127.0.0.1/32".parse().expect("a network")]);
        settings.config.url = Some("https://sluice.example.org".parse().expect("an address"));
    })
    .await;
    for (host, origin, expected) in [
        // What is ours is asked who it is.
        ("sluice.example.org", "https://sluice.example.org", "401"),
        ("sluice.example.org", "https://evil.example", "403"),
        // A proxy that does not pass the name on.
        ("127.0.0.1:8080", "https://sluice.example.org", "421"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", "421"),
    ] {
        let head = format!("POST /api/v1/actions HTTP/1.1\nHost: {host}\nOrigin: {origin}\nContent-Length: 0");
        let told = server.ask(&head).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {expected}")), "{host} {origin}: {told}");
    }
}
