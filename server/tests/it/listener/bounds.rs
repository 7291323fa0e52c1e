//! Too many connections, and heads that are too large.

use server::config::ConnectionLimits;
use tokio::io::AsyncReadExt as _;

use crate::harness::listener::{TestServer, ask, until_cut};

/// The status of an answer.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn connections_beyond_the_bound_are_refused_until_others_end() {
    for (limits, reason) in [
        (ConnectionLimits { connections: 100, per_address: Some(10) }, "address"),
        (ConnectionLimits { connections: 10, per_address: None }, "total"),
    ] {
        let server = TestServer::start(|settings| settings.limits = limits).await;
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(server.connect().await);
        }
        server.until_figure("sluice_connections", |n| n == 10).await;
        for _ in 0..3 {
            until_cut(server.connect().await).await;
        }
        assert_eq!(server.figure(&format!("sluice_connections_refused_total{{reason=\"{reason}\"}}")), 3);
        held.pop();
        server.until_figure("sluice_connections", |n| n == 9).await;
        let answer = server.ask("GET /healthz HTTP/1.1\nHost: localhost").await;
        assert_eq!(status(&answer), "200", "{reason}: {answer}");
        // Those that were there first are served, too.
        let first = held.remove(0);
        assert_eq!(status(&ask(first, "GET /healthz HTTP/1.1\nHost: localhost").await), "200");
    }
}

#[tokio::test]
async fn this_machine_is_not_bound_unless_the_configuration_says_so() {
    let server = TestServer::start(|_| {}).await;
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(server.connect().await);
    }
    server.until_figure("sluice_connections", |n| n == 300).await;
    assert_eq!(status(&server.ask("GET /healthz HTTP/1.1\nHost: localhost").await), "200");
}

#[tokio::test]
async fn heads_beyond_the_bound_are_refused() {
    let server = TestServer::start(|_| {}).await;
    let with = |headers: String| format!("GET /healthz HTTP/1.1\nHost: localhost{headers}");
    let lines = |n: usize| (0..n).map(|n| format!("\nX-{n}: y")).collect::<String>();
    for (what, head, expected) in [
        ("ninety lines", with(lines(90)), "200"),
        ("two hundred lines", with(lines(200)), "431"),
        ("a line of 16 kB", with(format!("\nX: {}", "y".repeat(16 * 1024))), "200"),
        ("a line of 64 kB", with(format!("\nX: {}", "y".repeat(64 * 1024))), "431"),
        ("an address of 64 kB", format!("GET /{} HTTP/1.1\nHost: localhost", "y".repeat(64 * 1024)), "431"),
    ] {
        let mut stream = server.connect().await;
        let head = format!("{head}\nConnection: close\n\n").replace('\n', "\r\n");
        // The answer comes before all was sent.
        let (mut reads, mut writes) = stream.split();
        let sending = tokio::io::AsyncWriteExt::write_all(&mut writes, head.as_bytes());
        let mut answer = [0; 12];
        let (read, _) = tokio::join!(reads.read_exact(&mut answer), sending);
        read.expect(what);
        assert_eq!(status(&String::from_utf8_lossy(&answer)), expected, "{what}");
    }
}
