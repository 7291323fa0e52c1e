//! The topic `accounts`: who is told of what.

use std::sync::Arc;

use axum::http::HeaderName;
use serde_json::Value;

use super::*;
use crate::{
    audit,
    auth::{
        authn::{
            tokens::{self, NewToken, Scope},
            wall_links::{self, NewWallLink},
        },
        testing,
    },
    clock::now,
    metrics::Metrics,
    web::{
        middleware::authorize::tests::{shown, with_accounts},
        tests::running_with,
    },
};

/// An hour, milliseconds.
const HOUR: i64 = 3_600_000;

/// How long it is waited for a frame that must not come.
const A_WHILE: Duration = Duration::from_millis(300);

fn by() -> Principal {
    Principal::command_line("root")
}

/// A stream that follows the topic, after its first snapshot.
async fn following(server: &Running, shown: Option<(HeaderName, String)>) -> Client {
    let mut request = format!("ws://{}/ws?format=json", server.address).into_client_request().expect("a request");
    let (name, value) = shown.expect("a session");
    request.headers_mut().insert(name, value.parse().expect("a value"));
    let mut client = connect_async(request).await.expect("a stream").0;
    next(&mut client).await;
    client.send(Sent::text(r#"{"topics":["accounts"]}"#)).await.expect("sent");
    assert_eq!(told(&mut client).await, (1, vec![]));
    client
}

/// The number of the next frame, and whose account each of its events concerns, with what happened.
async fn told(client: &mut Client) -> (u64, Vec<String>) {
    let frame: Value = serde_json::from_str(next(client).await.to_text().expect("text")).expect("JSON");
    assert_eq!((frame["type"].as_str(), frame["topic"].as_str()), (Some("snapshot"), Some("accounts")), "{frame}");
    let line = |event: &Value| format!("{}: {}", event["account"], event["after"]).replace('"', "");
    let events = frame["events"].as_array().expect("a list").iter().map(line).collect();
    (frame["seq"].as_u64().expect("a number"), events)
}

#[tokio::test]
async fn an_account_is_told_of_its_own_and_an_admin_of_every_one() {
    let state = with_accounts().await;
    let shown = [shown(&state, "viewer").await, shown(&state, "operator").await, shown(&state, "admin").await];
    let metrics = Arc::new(Metrics::new());
    state.audit.maintain(
        audit::Settings::default(),
        audit::configuration::Parts::new(),
        metrics,
        state.shutdown.clone(),
    );
    // It follows the audit log from before the entry of the start on.
    while !testing::audit_lines(&state.database).await.iter().any(|line| line.starts_with("configuration")) {
        sleep(Duration::from_millis(5)).await;
    }
    let server = running_with(state).await;
    let [mut viewer, mut operator, mut admin] = {
        let [viewer, operator, admin] = shown;
        [following(&server, viewer).await, following(&server, operator).await, following(&server, admin).await]
    };
    let database = &server.state.database;
    let token = NewToken {
        user: "operator".parse().expect("a name"),
        scope: Scope::Act,
        note: String::new(),
        expires: now() + HOUR,
    };
    let made = database.transact(move |t| tokens::add(t, &token, &by(), now())).await;
    made.expect("answered").expect("made");
    let made = "operator: API token of operator made".to_owned();
    assert_eq!(told(&mut operator).await, (2, vec![made.clone()]));
    assert_eq!(told(&mut admin).await, (2, vec![made.clone()]));
    // A link of an account's name is no event of that account.
    let link = NewWallLink { name: "viewer".to_owned(), clusters: vec!["edge".to_owned()], expires: now() + HOUR };
    let linked = database.transact(move |t| wall_links::add(t, &link, &by(), now())).await;
    linked.expect("answered").expect("made");
    assert_eq!(told(&mut admin).await, (3, vec![made.clone(), ": Wall link viewer made".to_owned()]));
    for client in [&mut viewer, &mut operator] {
        assert!(timeout(A_WHILE, next(client)).await.is_err(), "told of what happened to others");
    }
    // Whoever asks again gets all of it again.
    for topics in ["[]", r#"["accounts"]"#] {
        operator.send(Sent::text(format!("{{\"topics\":{topics}}}"))).await.expect("sent");
    }
    assert_eq!(told(&mut operator).await, (3, vec![made]));
}
