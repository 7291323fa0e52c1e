//! Streams over real sockets.

use axum::http::StatusCode;
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message as Sent, client::IntoClientRequest as _},
};

use super::*;
use crate::web::tests::{Running, running};

mod accounts;
mod ends;
mod flood;
mod frames;
mod others;

type Client = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(server: &Running, query: &str) -> Client {
    connect_async(format!("ws://{}/ws{query}", server.address)).await.expect("a stream").0
}

/// The next message that is no ping.
async fn next(client: &mut Client) -> Sent {
    loop {
        match client.next().await.expect("a message").expect("whole") {
            Sent::Ping(_) => {}
            message => return message,
        }
    }
}

/// The code and reason that the stream ends with.
async fn end(client: &mut Client) -> (u16, String) {
    loop {
        if let Sent::Close(Some(frame)) = next(client).await {
            return (frame.code.into(), frame.reason.to_string());
        }
    }
}

#[tokio::test]
async fn a_stream_greets_and_then_sends_what_was_subscribed_to() {
    let server = running().await;
    let mut client = open(&server, "?format=json").await;
    let text = next(&mut client).await.into_text().expect("text");
    assert!(text.contains("hello") && text.contains("test-build"), "{text}");
    client.send(Sent::text(r#"{"topics":["fleet"]}"#)).await.expect("sent");
    let text = next(&mut client).await.into_text().expect("text");
    let snapshot: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&snapshot["type"], &snapshot["topic"]), (&"snapshot".into(), &"fleet".into()));

    let mut client = open(&server, "").await;
    let Sent::Binary(bytes) = next(&mut client).await else { panic!("binary by default") };
    let frame = model::frame::Frame::decode(&bytes).expect("a frame");
    assert_eq!(frame, model::frame::Frame::Hello { build: "test-build".into() });
}

#[tokio::test]
async fn what_is_not_understood_is_told_and_ends_the_stream() {
    let server = running().await;
    for (message, code, told) in [
        (Sent::text("nonsense"), 1008, "write {\"topics\":[\"fleet\"]}: expected"),
        (Sent::text(r#"{"topics":["nope"]}"#), 1008, "is no topic"),
        (Sent::text(r#"{"topic":["fleet"]}"#), 1008, "unknown field"),
        (Sent::text("\u{e9}".repeat(1_000)), 1008, "write"),
        (Sent::binary(vec![1, 2, 3]), 1003, "text"),
        (Sent::text(" ".repeat(MAX_MESSAGE + 1)), 1009, "65536 bytes"),
    ] {
        let mut client = open(&server, "?format=json").await;
        client.send(message).await.expect("sent");
        let (got, reason) = end(&mut client).await;
        assert_eq!(got, code, "{reason}");
        assert!(reason.contains(told), "{reason}");
    }
}

#[tokio::test]
async fn the_end_of_the_program_is_told_to_every_viewer() {
    let server = running().await;
    let mut clients = [open(&server, "").await, open(&server, "?format=json").await];
    server.shutdown.cancel();
    for client in &mut clients {
        assert_eq!(end(client).await.0, 1001);
    }
    server.served.await.expect("ended").expect("well");
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_stream() {
    let server = running().await;
    for (name, value, expected) in [
        ("origin", "http://evil.example".to_owned(), Some(StatusCode::FORBIDDEN)),
        ("host", "evil.example".to_owned(), Some(StatusCode::MISDIRECTED_REQUEST)),
        ("sec-fetch-site", "cross-site".to_owned(), Some(StatusCode::FORBIDDEN)),
        ("origin", format!("http://{}", server.address), None),
    ] {
        let mut request = format!("ws://{}/ws", server.address).into_client_request().expect("a request");
        request.headers_mut().insert(name, value.parse().expect("a value"));
        let refused = match connect_async(request).await {
            Ok(_) => None,
            Err(tungstenite::Error::Http(response)) => Some(response.status()),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(refused, expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn viewers_are_counted_while_they_are_there() {
    let server = running().await;
    let viewers = || server.state.metrics.viewers.get();
    let mut client = open(&server, "").await;
    next(&mut client).await;
    assert_eq!(viewers(), 1);
    client.close(None).await.expect("closed");
    while client.next().await.is_some() {}
    for _ in 0..100 {
        if viewers() == 0 {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("still counted");
}

/// Lets eighty seconds pass.
async fn eighty_seconds() {
    pings(4).await;
}

/// Lets the time of so many pings pass, each with time for its answer on the way.
async fn pings(count: u32) {
    tokio::time::pause();
    for _ in 0..count {
        tokio::time::advance(PING_INTERVAL).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
}

#[tokio::test]
async fn a_viewer_that_answers_no_ping_is_dropped() {
    let server = running().await;
    let mut client = open(&server, "").await;
    next(&mut client).await;
    // Nobody reads here, so that nobody answers.
    eighty_seconds().await;
    assert!(matches!(client.next().await, Some(Ok(Sent::Ping(_)))));
    let end = async {
        loop {
            match client.next().await {
                Some(Ok(Sent::Ping(_))) => {}
                other => break other,
            }
        }
    };
    let end = timeout(Duration::from_secs(5), end).await.expect("the stream has ended");
    assert!(matches!(end, None | Some(Err(_))), "{end:?}");
}

#[tokio::test]
async fn a_viewer_that_never_ends_a_message_is_dropped() {
    let server = running().await;
    let mut client = open(&server, "").await;
    next(&mut client).await;
    // The head of a masked text of 100 bytes, and one byte of it.
    let MaybeTlsStream::Plain(socket) = client.get_mut() else { panic!("no TLS here") };
    socket.write_all(&[0x81, 0x80 | 100, 1, 2, 3, 4, b'x']).await.expect("sent");
    eighty_seconds().await;
    let end = timeout(Duration::from_secs(5), async { while let Some(Ok(_)) = client.next().await {} });
    end.await.expect("the stream has ended");
}

#[tokio::test]
async fn a_viewer_that_answers_pings_stays() {
    let server = running().await;
    let mut client = open(&server, "?format=json").await;
    next(&mut client).await;
    let reader = tokio::spawn(async move { next(&mut client).await });
    eighty_seconds().await;
    server.shutdown.cancel();
    // It was still there to be told.
    assert!(matches!(reader.await.expect("a message"), Sent::Close(Some(frame)) if u16::from(frame.code) == 1001));
}

#[test]
fn a_reason_is_cut_between_characters() {
    assert_eq!(truncated("short".into()), "short");
    assert_eq!(truncated("\u{e9}".repeat(100)).len(), 122);
    assert_eq!(truncated("x".repeat(500)).len(), MAX_REASON);
}
