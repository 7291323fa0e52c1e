//! That a stream ends with what let its viewer in.

use std::path::Path;

use model::rights::Role;

use super::*;
use crate::{
    auth::{
        Auth, AuthConfig, HashMemory, LogInAttempt, Password, Peer, SessionLimits,
        authn::credentials::SESSION_COOKIE,
        password_update,
        testing::{PASSWORD, add, in_transaction, setup},
        users,
    },
    db::{self, Database},
    web::tests::{running_with, state_of},
};

/// How soon a stream ends.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A program with the accounts `anna` and `ben`, in a database.
async fn with_accounts(database: Database, limits: SessionLimits) -> Running {
    for name in ["anna", "ben"] {
        add(&database, name, Role::Operator).await;
    }
    running_with(state_of(database, AuthConfig { sessions: limits, ..setup() }).await).await
}

fn in_memory() -> Database {
    Database::in_memory(crate::schema::MIGRATIONS).expect("memory")
}

/// The cookie of a new session.
async fn log_in(auth: &Auth, user: &str) -> String {
    let attempt = LogInAttempt {
        user: user.to_owned(),
        password: Password::new(PASSWORD.to_owned()),
        device: None,
        session: None,
        address: Peer::LOOPBACK.address,
        agent: String::new(),
    };
    format!("{SESSION_COOKIE}={}", auth.log_in(attempt).await.expect("in").session_secret.reveal())
}

/// A stream that was greeted; or what its handshake was answered.
async fn stream(server: &Running, cookie: &str) -> Result<Client, StatusCode> {
    let mut request = format!("ws://{}/ws?format=json", server.address).into_client_request().expect("a request");
    request.headers_mut().insert("cookie", cookie.parse().expect("a value"));
    match connect_async(request).await {
        Ok((mut client, _)) => {
            next(&mut client).await;
            Ok(client)
        }
        Err(tungstenite::Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    }
}

/// Fails unless the stream ends as signed out, at once.
async fn expect_signed_out(client: &mut Client) {
    let ended = timeout(AT_ONCE, end(client)).await.expect("within a second");
    assert_eq!(ended, (4401, "signed out".to_owned()));
}

/// Fails unless the stream goes on.
async fn expect_going_on(client: &mut Client) {
    client.send(Sent::text(r#"{"topics":["fleet"]}"#)).await.expect("sent");
    assert!(next(client).await.into_text().expect("text").contains("snapshot"));
}

async fn end_session(server: &Running, cookie: &str, everywhere: bool) {
    let mut headers = axum::http::HeaderMap::new();
    headers.insert("cookie", cookie.parse().expect("a value"));
    let auth = &server.state.auth;
    let principal = auth.identify(&headers, Peer::LOOPBACK).await.expect("answered").expect("somebody");
    auth.log_out(&principal, everywhere).await.expect("ended");
}

#[tokio::test]
async fn a_log_out_ends_the_session_s_streams_and_no_other() {
    let server = with_accounts(in_memory(), SessionLimits::default()).await;
    let auth = &server.state.auth;
    let (here, there, ben) = (log_in(auth, "anna").await, log_in(auth, "anna").await, log_in(auth, "ben").await);
    let mut streams = Vec::new();
    for cookie in [&here, &here, &there, &ben] {
        streams.push(stream(&server, cookie).await.expect("a stream"));
    }
    end_session(&server, &here, false).await;
    for client in &mut streams[..2] {
        expect_signed_out(client).await;
    }
    assert_eq!(stream(&server, &here).await.err(), Some(StatusCode::UNAUTHORIZED));
    expect_going_on(&mut streams[2]).await;
    end_session(&server, &there, true).await;
    expect_signed_out(&mut streams[2]).await;
    expect_going_on(&mut streams[3]).await;
}

#[tokio::test]
async fn another_process_that_changes_an_account_ends_its_streams() {
    let dir = tempfile::tempdir().expect("a folder");
    let server =
        with_accounts(Database::open(dir.path(), crate::schema::MIGRATIONS).expect("opens"), SessionLimits::default())
            .await;
    let auth = &server.state.auth;
    let other = |path: &Path| db::connect(path, crate::schema::MIGRATIONS).expect("opens");
    let (anna, by) = ("anna".parse().expect("a name"), Principal::command_line("root"));
    let mut ben = stream(&server, &log_in(auth, "ben").await).await.expect("a stream");

    let cookie = log_in(auth, "anna").await;
    let mut client = stream(&server, &cookie).await.expect("a stream");
    in_transaction(&mut other(dir.path()), |t| users::set_role(t, &anna, Role::Viewer, &by, 1)).expect("changed");
    expect_signed_out(&mut client).await;
    // The session lasts, with the new role: the page begins anew with it.
    let mut client = stream(&server, &cookie).await.expect("a stream");
    let hash = Password::new(PASSWORD.to_owned()).hash(setup().cost, &mut HashMemory::default()).expect("hashed");
    in_transaction(&mut other(dir.path()), |t| password_update::set_password(t, &anna, &hash, &by, 2))
        .expect("changed");
    expect_signed_out(&mut client).await;
    assert_eq!(stream(&server, &cookie).await.err(), Some(StatusCode::UNAUTHORIZED));

    let mut client = stream(&server, &log_in(auth, "anna").await).await.expect("a stream");
    in_transaction(&mut other(dir.path()), |t| users::remove(t, &anna, &by)).expect("removed");
    expect_signed_out(&mut client).await;
    expect_going_on(&mut ben).await;
}

#[tokio::test]
async fn an_open_stream_keeps_no_session_alive() {
    for (idle, absolute) in [(900, 60_000), (60_000, 900)] {
        let [idle, absolute] = [idle, absolute].map(Duration::from_millis);
        let server = with_accounts(in_memory(), SessionLimits { idle, absolute }).await;
        let cookie = log_in(&server.state.auth, "anna").await;
        let mut client = stream(&server, &cookie).await.expect("a stream");
        expect_going_on(&mut client).await;
        let ended = timeout(2 * AT_ONCE, end(&mut client)).await.expect("in time");
        assert_eq!(ended.0, 4401);
        assert_eq!(stream(&server, &cookie).await.err(), Some(StatusCode::UNAUTHORIZED));
    }
}

#[tokio::test]
async fn the_first_account_ends_the_streams_of_whoever_had_none() {
    let server = running().await;
    let mut client = open(&server, "?format=json").await;
    next(&mut client).await;
    expect_going_on(&mut client).await;
    add(&server.state.database, "anna", Role::Admin).await;
    expect_signed_out(&mut client).await;
    let refused = connect_async(format!("ws://{}/ws", server.address)).await.expect_err("refused");
    assert!(matches!(refused, tungstenite::Error::Http(response) if response.status() == StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn a_viewer_that_sends_without_end_is_cut() {
    let server = running().await;
    let mut client = open(&server, "?format=json").await;
    for _ in 0..2 * MESSAGES.burst {
        if client.send(Sent::text(r#"{"topics":["fleet"]}"#)).await.is_err() {
            break;
        }
    }
    let mut said = None;
    let read = async {
        while let Some(Ok(message)) = client.next().await {
            if let Sent::Close(Some(frame)) = message {
                said = Some((u16::from(frame.code), frame.reason.to_string()));
            }
        }
    };
    timeout(Duration::from_secs(10), read).await.expect("the stream ends");
    // A connection that still had messages on the way may be gone before its reason is read.
    assert!(said.is_none_or(|said| said == (1008, "too many messages".to_owned())));
}

#[test]
fn messages_are_counted_over_time() {
    let mut messages = TokenBucket::full(MESSAGES, Duration::ZERO);
    let mut taken = |now| (0..1_000).filter(|_| messages.take(now)).count();
    assert_eq!(taken(Duration::ZERO), 200);
    assert_eq!(taken(Duration::from_secs(1)), 20);
    let later = Duration::from_secs(3_600);
    assert_eq!(taken(later), 200);
    // One at a time, at the rate that it is filled with: none is refused.
    assert!((1..500).all(|n| messages.take(later + Duration::from_millis(60) * n)));
}
