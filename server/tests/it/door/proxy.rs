//! Reverse proxies: whose word is taken, and whose is not.

use crate::harness::doorway::Doorway;

#[tokio::test]
async fn the_client_s_address_is_a_trusted_proxy_s_word() {
    let trusting = Doorway::start(|door| {
        door.config.proxies = Some(vec!["127.0.0.0/8".parse().expect("a network")]);
        door.set_open(false);
    })
    .await;
    let other = Doorway::start(|door| {
        door.config.proxies = Some(vec!["10.0.0.0/8".parse().expect("a network")]);
        door.set_open(false);
    })
    .await;
    let head =
        "GET /peer HTTP/1.1\nHost: sluice.example.org\nX-Forwarded-For: 6.6.6.6, 203.0.113.9\nX-Forwarded-Proto: https";
    let told = trusting.ask(head).await;
    assert!(told.ends_with("203.0.113.9 127.0.0.1 true"), "{told}");
    assert!(told.contains("strict-transport-security: max-age=31536000\r\n"), "{told}");
    let told = other.ask(head).await;
    assert!(told.ends_with("127.0.0.1 127.0.0.1 false"), "{told}");
    assert!(!told.contains("strict-transport-security"), "{told}");
}

#[tokio::test]
async fn a_page_behind_a_proxy_acts_under_the_name_that_browsers_use() {
    let door = Doorway::start(|door| {
        door.config.proxies = Some(vec!["127.0.0.1/32".parse().expect("a network")]);
        door.config.url = Some("https://sluice.example.org".parse().expect("an address"));
        door.set_open(false);
    })
    .await;
    for (host, origin, expected) in [
        ("127.0.0.1:8080", "https://sluice.example.org", "415"),
        ("sluice.example.org", "https://sluice.example.org", "415"),
        ("sluice.example.org", "https://evil.example", "403"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", "403"),
    ] {
        let head = format!("POST /api/v1/actions HTTP/1.1\nHost: {host}\nOrigin: {origin}\nContent-Length: 0");
        let told = door.ask(&head).await;
        // What passes has no body that the API takes.
        assert!(told.starts_with(&format!("HTTP/1.1 {expected}")), "{host} {origin}: {told}");
    }
}
