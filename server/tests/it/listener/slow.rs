//! Peers that take their time: cut, wherever they do, and told apart from those that only have nothing to say.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use server::web::{ListenerSettings, listener::Timing};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::{
    PATIENCE,
    harness::{
        certificates::{Certificates, NOW},
        listener::{TestServer, client, drip, served, shake, until_cut},
    },
};

/// Short times, in an order that tells one cut from another.
fn hurried(settings: &mut ListenerSettings) {
    settings.timing = Timing {
        handshake: Duration::from_millis(300),
        first_request: Duration::from_millis(600),
        body: Duration::from_millis(500),
        idle: Duration::from_millis(900),
        stall: Duration::from_millis(700),
        ..Timing::default()
    };
}

fn tell(what: &str, took: Duration, bound: Duration) {
    eprintln!("{what}: cut after {took:?}, bound {bound:?}");
    assert!(took >= bound - Duration::from_millis(50), "{what}: cut too early, after {took:?}");
}

#[tokio::test]
async fn heads_that_never_end_are_cut() {
    let server = TestServer::start(hurried).await;
    let Timing { first_request, idle, .. } = timing();
    for (what, bytes) in [
        ("nothing at all", "".as_bytes()),
        ("a head, byte by byte", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "),
        ("a stream's head", b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "),
        ("the preface of HTTP/2, in the clear", b"PRI * HTT"),
    ] {
        let stream = server.connect().await;
        let took = if bytes.is_empty() { until_cut(stream).await } else { drip(stream, bytes).await };
        tell(what, took, first_request);
    }
    assert_eq!(server.figure(r#"sluice_connections_cut_total{reason="first_request"}"#), 4);
    // After a request that was in order, too.
    let mut stream = server.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    stream.read_exact(&mut [0; 15]).await.expect("an answer");
    tell("the second head", drip(stream, b"GET / HTTP/1.1\r\nX: ").await, idle);
    let healthy = server.ask("GET /healthz HTTP/1.1\nHost: localhost").await;
    assert!(healthy.starts_with("HTTP/1.1 200"), "{healthy}");
}

fn timing() -> Timing {
    let mut settings = ListenerSettings::default();
    hurried(&mut settings);
    settings.timing
}

#[tokio::test]
async fn handshakes_and_heads_within_tls_that_never_end_are_cut() {
    let certificates = Certificates::new();
    let pem = certificates.issue("sluice", &["sluice.test"], NOW);
    let server = TestServer::start(|settings| {
        hurried(settings);
        settings.certificates = Some(served(&pem));
    })
    .await;
    let Timing { handshake, first_request, .. } = timing();
    tell("no handshake", until_cut(server.connect().await).await, handshake);
    // The head of a record with a ClientHello of 512 bytes.
    let hello = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
    tell("a handshake, byte by byte", drip(server.connect().await, &hello).await, handshake);
    assert_eq!(server.figure(r#"sluice_connections_cut_total{reason="handshake"}"#), 2);
    for (what, protocol, bytes) in [
        ("nothing within TLS", "http/1.1", "".as_bytes()),
        ("a head within TLS", "http/1.1", b"GET / HTTP/1.1\r\nX: "),
        ("nothing over HTTP/2", "h2", b""),
        ("the preface of HTTP/2", "h2", b"PRI * HTTP/2.0\r\n\r\nSM"),
    ] {
        let began = Instant::now();
        let stream = shake(&client(&certificates.path("ca"), &[protocol]), server.address).await.expect("shaken");
        if bytes.is_empty() {
            until_cut(stream).await
        } else {
            drip(stream, bytes).await
        };
        tell(what, began.elapsed(), first_request);
    }
    // HTTP/2 with its preface and settings, and then half a head that more is said to follow.
    let began = Instant::now();
    let mut stream = shake(&client(&certificates.path("ca"), &["h2"]), server.address).await.expect("shaken");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("sent");
    stream.write_all(b"\0\0\x01\x01\x01\0\0\0\x01\x82").await.expect("sent");
    until_cut(stream).await;
    tell("half a head over HTTP/2", began.elapsed(), first_request);
    assert_eq!(server.figure(r#"sluice_connections_cut_total{reason="first_request"}"#), 5);
    assert_eq!(server.figure(r#"sluice_tls_handshakes_total{reason="timed_out"}"#), 2);
}

#[tokio::test]
async fn bodies_that_never_end_are_cut() {
    let server = TestServer::start(hurried).await;
    let mut stream = server.connect().await;
    let head = "POST /api/v1/actions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    stream.write_all(format!("{head}Content-Length: 1000\r\n\r\n{{").as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    let began = Instant::now();
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 408");
    tell("a body", began.elapsed(), timing().body);
    drip(stream, b"").await;
    let mut chunked = server.connect().await;
    chunked.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.expect("sent");
    tell("a body in chunks", drip(chunked, &b"1\r\nx\r\n".repeat(1000)).await, timing().body);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let server = TestServer::start(hurried).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(server.address).await.expect("a connection");
    // Many answers, until the buffers of both sides are full.
    let ask = b"GET /api/v1/stats HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2_000);
    let sending = async {
        stream.write_all(&ask).await.ok();
        sleep(PATIENCE).await;
    };
    let began = Instant::now();
    tokio::select! {
        () = sending => panic!("it goes on"),
        () = server.until_figure(r#"sluice_connections_cut_total{reason="stalled"}"#, |n| n == 1) => {}
    }
    tell("a reader that takes nothing", began.elapsed(), timing().stall);
    server.until_figure("sluice_connections", |n| n == 0).await;
}

#[tokio::test]
async fn an_answer_that_is_left_lying_over_http2_is_cut() {
    let certificates = Certificates::new();
    let pem = certificates.issue("sluice", &["sluice.test"], NOW);
    let server = TestServer::start(|settings| {
        hurried(settings);
        settings.certificates = Some(served(&pem));
    })
    .await;
    let stream = shake(&client(&certificates.path("ca"), &["h2"]), server.address).await.expect("shaken");
    // No byte of a body may be sent, and the socket is never full.
    let mut builder = h2::client::Builder::new();
    let (mut sender, connection) =
        builder.initial_window_size(0).handshake::<_, bytes::Bytes>(stream).await.expect("h2");
    let driven = tokio::spawn(connection);
    let request = axum::http::Request::get("https://localhost/healthz").body(()).expect("a request");
    let (response, _) = sender.send_request(request, true).expect("sent");
    let began = Instant::now();
    let response = timeout(PATIENCE, response).await.expect("in time").expect("a head");
    assert_eq!(response.status(), 200);
    timeout(PATIENCE, driven).await.expect("cut in time").expect("no panic").ok();
    tell("an answer over HTTP/2", began.elapsed(), timing().stall);
    assert_eq!(server.figure(r#"sluice_connections_cut_total{reason="stalled"}"#), 1);
}

#[tokio::test]
async fn a_stream_outlives_every_bound_of_requests() {
    let server = TestServer::start(hurried).await;
    let (mut stream, _) = connect_async(format!("ws://{}/ws", server.address)).await.expect("a stream");
    sleep(Duration::from_secs(3)).await;
    stream.send(Message::Ping("there?".into())).await.expect("sent");
    let pong = async { while !matches!(stream.next().await, Some(Ok(Message::Pong(_)))) {} };
    timeout(PATIENCE, pong).await.expect("it is there");
    assert_eq!(server.figure(r#"sluice_connections_cut_total{reason="idle"}"#), 0);
}
