//! Whoever sends without end, or opens too much.

use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use axum::http::HeaderMap;

use super::*;
use crate::{
    auth::Peer,
    metrics::ReasonLabel,
    web::{
        middleware::authorize::tests::{shown, with_accounts},
        tests::running_with,
    },
};

/// More than a stream takes at once.
const FLOOD: usize = 16 << 20;

/// A connection that was upgraded.
async fn upgraded(server: &Running) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).await.expect("connects");
    let head = format!(
        "GET /ws?format=json HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut head = [0; 12];
    socket.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 101");
    socket
}

/// A frame of a client: its first byte, a length below 126, a mask of zeros.
fn frame(first: u8, text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short");
    [&[first, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

/// Sends until it is cut; how many bytes were taken.
async fn send_until_cut(socket: TcpStream, parts: &[u8]) -> usize {
    let (mut reader, mut writer) = socket.into_split();
    let drain = tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
    let mut sent = 0;
    while sent < FLOOD {
        match writer.write(parts).await {
            Ok(count) => sent += count,
            Err(error) => {
                assert!(matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset), "{error}");
                break;
            }
        }
    }
    drain.abort();
    sent
}

#[tokio::test]
async fn empty_parts_of_a_message_without_end_are_cut() {
    let server = running().await;
    let mut socket = upgraded(&server).await;
    socket.write_all(&frame(0x01, "")).await.expect("the message begins");
    let parts = frame(0x00, "").repeat(1_000);
    assert!(send_until_cut(socket, &parts).await < FLOOD, "it was never cut");
    let cut = &server.state.metrics.listener.cut;
    assert_eq!(cut.get_or_create(&ReasonLabel::of("flood")).get(), 1);
}

#[tokio::test]
async fn a_message_in_parts_is_taken() {
    let server = running().await;
    let mut socket = upgraded(&server).await;
    for (first, text) in [(0x01, "{\"topics\":"), (0x00, ""), (0x00, "[\"fle"), (0x80, "et\"]}")] {
        socket.write_all(&frame(first, text)).await.expect("sent");
    }
    let mut got = Vec::new();
    while !String::from_utf8_lossy(&got).contains("\"topic\":\"fleet\"") {
        let mut part = [0; 4_096];
        let count = timeout(Duration::from_secs(30), socket.read(&mut part)).await.expect("in time").expect("open");
        assert!(count > 0, "{}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&part[..count]);
    }
}

#[tokio::test]
async fn one_stream_too_many_is_told_why() {
    let state = with_accounts().await;
    let (name, cookie) = shown(&state, "wall").await.expect("a link");
    let mut headers = HeaderMap::new();
    headers.insert(name.clone(), cookie.parse().expect("a value"));
    let link = state.auth.identify(&headers, Peer::LOOPBACK).await.expect("answered").expect("the link");
    let server = running_with(state).await;
    let mut places = Vec::new();
    while let Ok(place) = server.state.streams.take(&link, Peer::LOOPBACK) {
        places.push(place);
    }
    let open = async |query: &str| {
        let mut request = format!("ws://{}/ws{query}", server.address).into_client_request().expect("a request");
        request.headers_mut().insert(name.clone(), cookie.parse().expect("a value"));
        connect_async(request).await
    };
    match open("?format=json").await {
        Err(tungstenite::Error::Http(response)) => {
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            let told = String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned();
            assert!(told.contains("displays show this wall link already"), "{told}");
        }
        other => panic!("{other:?}"),
    }
    let (code, reason) = end(&mut open("").await.expect("a page is told by a close frame").0).await;
    assert_eq!(code, 4429);
    assert!(reason.contains("make another link"), "{reason}");
    // With a place free again there is a stream.
    drop(places);
    next(&mut open("").await.expect("a stream").0).await;
}
