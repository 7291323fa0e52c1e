//! Injection through every way in that HTTP has: the API's body and queries, the form, the stream.

use futures::{SinkExt, StreamExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use server::web;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{
        fake::{Fake, recorded},
        sluice::Sluice,
    },
    injection::BAD,
};

/// Sends one request, and gives the status of the answer.
async fn ask(address: &str, head: &str, kind: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncontent-type: {kind}\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status: {text}"))
}

/// Every byte but letters and digits as `%XX`.
fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn nothing_but_the_refusal_comes_of_a_bad_name() {
    let fake = Fake::start(|line| Some(recorded(line)));
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let shutdown = CancellationToken::new();
    let state = sluice.state(true, shutdown.clone());
    let served = tokio::spawn(web::run(listener, state));

    for bad in BAD {
        for (node, backend, server) in [(bad, "be_http", "s1"), ("lb1", bad, "s1"), ("lb1", "be_http", bad)] {
            let target = serde_json::json!({ "node": node, "backend": backend, "server": server });
            let body = serde_json::json!({ "action": "maint", "targets": [target] }).to_string();
            let status = ask(&address, "POST /api/v1/actions", "application/json", &body).await;
            assert!((400..500).contains(&status), "API, {bad:?}: {status}");

            let target = escaped(&format!("{node}/{backend}/{server}"));
            let form = format!("do=maint&confirmed=yes&typed=be_http&s={target}");
            let status = ask(&address, "POST /stats", "application/x-www-form-urlencoded", &form).await;
            assert!((400..500).contains(&status), "form, {bad:?}: {status}");
        }
        let bad = escaped(bad);
        for path in ["/api/v1/stats?node=", "/api/v1/stats?proxy=", "/api/v1/info?node=", "/stats?q=", "/stats?node="] {
            let status = ask(&address, &format!("GET {path}{bad}"), "text/plain", "").await;
            assert!(status < 500, "{path}{bad}: {status}");
        }
        let (mut stream, _) = connect_async(format!("ws://{address}/ws?format=json")).await.expect("a stream");
        let said = serde_json::json!({ "topics": [format!("proxy:edge/{bad}"), bad] }).to_string();
        stream.send(Message::text(said)).await.expect("sent");
        // The greeting, then the end: a topic that can't be is told as such.
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Close(frame) = message {
                assert!(frame.is_some_and(|f| !f.reason.is_empty()), "{bad:?}: closed without a reason");
            }
        }
    }
    assert_eq!(fake.told(), Vec::<String>::new());
    shutdown.cancel();
    served.await.expect("it ends").expect("in order");
}
