//! Every message that a viewer may send against everybody, and every frame that a stream may bring.

use axum::http::HeaderName;
use model::{
    frame::{Frame, Subscribe},
    topic::TopicId,
};

use super::*;
use crate::web::{
    middleware::authorize::tests::{PRINCIPALS, shown, with_accounts},
    tests::running_with,
};

/// What each of [`PRINCIPALS`] gets for what they send: the status of the handshake, the code that the stream is closed with,
/// or the first frame.
const EXPECTED: &[(&str, [&str; 8])] = &[
    ("nothing", ["401", "401", "hello", "hello", "hello", "hello", "hello", "hello"]),
    ("fleet", ["401", "401", "fleet", "fleet", "fleet", "fleet", "fleet", "fleet"]),
    ("events", ["401", "401", "events", "events", "events", "1008", "events", "events"]),
    ("accounts", ["401", "401", "accounts", "accounts", "accounts", "1008", "accounts", "accounts"]),
    ("proxy:edge/be_http", ["401", "401", "rows", "rows", "rows", "1008", "rows", "rows"]),
    ("node:lb1/be_http", ["401", "401", "rows", "rows", "rows", "1008", "rows", "rows"]),
    ("no JSON", ["401", "401", "1008", "1008", "1008", "1008", "1008", "1008"]),
    ("binary", ["401", "401", "1003", "1003", "1003", "1003", "1003", "1003"]),
    ("too long", ["401", "401", "1009", "1009", "1009", "1009", "1009", "1009"]),
];

/// The row of a kind of topic. A kind that is made later has to get one.
fn row(topic: &TopicId) -> &'static str {
    match topic {
        TopicId::Fleet => "fleet",
        TopicId::Events => "events",
        TopicId::Accounts => "accounts",
        TopicId::Proxy { .. } => "proxy:edge/be_http",
        TopicId::Node { .. } => "node:lb1/be_http",
    }
}

/// What a frame is called here. A frame that is made later has to get a name, and a place in the table.
fn name(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello { .. } => "hello",
        Frame::Fleet(..) | Frame::FleetDelta(..) => "fleet",
        Frame::Events(..) | Frame::EventsNew(..) => "events",
        Frame::AccountEvents(..) => "accounts",
        Frame::Proxy(..) | Frame::ProxyDelta(..) => "rows",
    }
}

fn message(sent: &str) -> Sent {
    match sent {
        "no JSON" => Sent::text(sent),
        "binary" => Sent::binary(vec![1]),
        "too long" => Sent::text(" ".repeat(MAX_MESSAGE + 1)),
        topic => {
            let topic: TopicId = topic.parse().expect("a topic");
            assert_eq!(row(&topic), sent);
            Sent::text(Subscribe::text(&[topic]))
        }
    }
}

async fn answer(server: &Running, shown: Option<(HeaderName, String)>, sent: &str) -> String {
    let mut request = format!("ws://{}/ws", server.address).into_client_request().expect("a request");
    if let Some((name, value)) = shown {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let mut client = match connect_async(request).await {
        Ok((client, _)) => client,
        Err(tungstenite::Error::Http(response)) => return response.status().as_u16().to_string(),
        Err(error) => panic!("{error}"),
    };
    let frame = |bytes: &[u8]| name(&Frame::decode(bytes).expect("a frame")).to_owned();
    let Sent::Binary(greeting) = next(&mut client).await else { panic!("no greeting") };
    if sent == "nothing" {
        return frame(&greeting);
    }
    client.send(message(sent)).await.expect("sent");
    match next(&mut client).await {
        Sent::Binary(bytes) => frame(&bytes),
        Sent::Close(Some(close)) => u16::from(close.code).to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_message_is_answered_to_everybody_as_the_table_says() {
    let server = running_with(with_accounts().await).await;
    for (place, who) in PRINCIPALS.into_iter().enumerate() {
        let shown = shown(&server.state, who).await;
        for (sent, expected) in EXPECTED {
            assert_eq!(answer(&server, shown.clone(), sent).await, expected[place], "{sent} by {who}");
        }
    }
    // What a wall link asked for and did not get is in the audit log. Of an address the first twenty denials are written one
    // by one, and those without a session came first.
    let lines = crate::auth::testing::audit_lines(&server.state.database).await;
    let refused = lines.iter().filter(|line| *line == "refusal subscribe wall noc not allowed").count();
    let without_session = 2 * EXPECTED.len();
    assert_eq!(refused, 20 - without_session, "{lines:?}");
}
