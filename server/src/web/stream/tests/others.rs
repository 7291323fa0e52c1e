//! That a stream ends with the API token or the wall link that let its viewer in.

use std::sync::Arc;

use model::rights::Role;

use super::*;
use crate::{
    audit::AuditLog,
    auth::{
        authn::{
            credentials::WALL_COOKIE,
            tokens::{self, NewToken, Scope},
            wall_links::{self, NewWallLink},
        },
        testing::{add, setup},
        users,
    },
    clock::now,
    config::ListenerConfig,
    db::Database,
    web::{
        ListenerSettings,
        tests::{header::behind_a_proxy, running_with, state_of},
    },
};

/// How soon a stream ends.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A day, milliseconds.
const DAY: i64 = 86_400_000;

async fn server() -> Running {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Operator).await;
    running_with(state_of(database, setup()).await).await
}

fn by() -> Principal {
    Principal::command_line("tester")
}

/// A token of anna's that lasts so long, milliseconds: its name, and the header that shows it.
async fn token(server: &Running, lasts: i64) -> (String, String) {
    let user = "anna".parse().expect("a name");
    let new = NewToken { user, scope: Scope::Read, note: String::new(), expires: now() + lasts };
    let made = server.state.database.transact(move |c| tokens::add(c, &new, &by(), now())).await.expect("answered");
    let (token, secret) = made.expect("made");
    (token.id, format!("Bearer {secret}"))
}

/// A wall link that lasts so long, milliseconds: its name, and the cookie that shows it.
async fn wall(server: &Running, lasts: i64) -> (String, String) {
    let new = NewWallLink { name: "NOC".to_owned(), clusters: vec!["edge".to_owned()], expires: now() + lasts };
    let made = server.state.database.transact(move |c| wall_links::add(c, &new, &by(), now())).await.expect("answered");
    let (wall, path) = made.expect("made");
    (wall.id, format!("{WALL_COOKIE}={}", path.strip_prefix("/w/").expect("a path")))
}

/// A stream that was greeted; or what its handshake was answered.
async fn stream(server: &Running, header: &'static str, value: &str) -> Result<Client, StatusCode> {
    let mut request = format!("ws://{}/ws?format=json", server.address).into_client_request().expect("a request");
    request.headers_mut().insert(header, value.parse().expect("a value"));
    match connect_async(request).await {
        Ok((mut client, _)) => {
            next(&mut client).await;
            Ok(client)
        }
        Err(tungstenite::Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    }
}

/// A reverse proxy on this machine says who asks.
#[tokio::test]
async fn a_stream_by_a_proxy_s_word_is_opened_anew_before_long() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    let mut state = state_of(database.clone(), setup()).await;
    state.auth = Auth::start_with_providers(AuditLog::new(database), setup(), behind_a_proxy()).expect("access");
    let url = Some("http://127.0.0.1".parse().expect("an address"));
    let config = ListenerConfig { proxies: None, url };
    state.listener_settings = Arc::new(ListenerSettings { config, ..ListenerSettings::default() });
    let server = running_with(state).await;
    let mut request = format!("ws://{}/ws?format=json", server.address).into_client_request().expect("a request");
    for (name, value) in [("x-forwarded-user", "anna"), ("x-forwarded-groups", "ops")] {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let (mut client, _) = connect_async(request).await.expect("a stream");
    next(&mut client).await;
    let reader = tokio::spawn(async move { end(&mut client).await });
    pings(40).await;
    assert!(!reader.is_finished(), "its pings are answered");
    pings(6).await;
    let (code, reason) = timeout(Duration::from_secs(5), reader).await.expect("in time").expect("an end");
    assert_eq!((code, reason.as_str()), (1012, "come again: the reverse proxy is asked who you are"));
}

async fn expect_signed_out(client: &mut Client, within: Duration) {
    let ended = timeout(within, end(client)).await.expect("in time");
    assert_eq!(ended, (4401, "signed out".to_owned()));
}

#[tokio::test]
async fn a_token_that_ends_ends_its_streams() {
    let server = server().await;
    let (id, shown) = token(&server, DAY).await;
    let (_, other) = token(&server, DAY).await;
    let mut client = stream(&server, "authorization", &shown).await.expect("a stream");
    let mut others = stream(&server, "authorization", &other).await.expect("a stream");
    server
        .state
        .database
        .transact(move |c| tokens::remove(c, &id, None, &by()))
        .await
        .expect("answered")
        .expect("ended");
    expect_signed_out(&mut client, AT_ONCE).await;
    assert_eq!(stream(&server, "authorization", &shown).await.err(), Some(StatusCode::UNAUTHORIZED));
    others.send(Sent::text(r#"{"topics":["fleet"]}"#)).await.expect("sent");
    assert!(next(&mut others).await.into_text().expect("text").contains("snapshot"));
    // With its account a token ends too.
    let anna = "anna".parse().expect("a name");
    server.state.database.transact(move |c| users::remove(c, &anna, &by())).await.expect("answered").expect("removed");
    expect_signed_out(&mut others, AT_ONCE).await;
}

#[tokio::test]
async fn a_wall_link_that_ends_cuts_its_display_off() {
    let server = server().await;
    let (id, shown) = wall(&server, DAY).await;
    let mut client = stream(&server, "cookie", &shown).await.expect("a stream");
    client.send(Sent::text(r#"{"topics":["fleet"]}"#)).await.expect("sent");
    assert!(next(&mut client).await.into_text().expect("text").contains("snapshot"));
    server.state.database.transact(move |c| wall_links::remove(c, &id, &by())).await.expect("answered").expect("ended");
    expect_signed_out(&mut client, AT_ONCE).await;
    assert_eq!(stream(&server, "cookie", &shown).await.err(), Some(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn what_expires_ends_its_streams_without_anybody_s_doing() {
    let server = server().await;
    let (_, bearer) = token(&server, 900).await;
    let (_, cookie) = wall(&server, 900).await;
    let mut by_token = stream(&server, "authorization", &bearer).await.expect("a stream");
    let mut by_wall = stream(&server, "cookie", &cookie).await.expect("a stream");
    expect_signed_out(&mut by_token, 3 * AT_ONCE).await;
    expect_signed_out(&mut by_wall, 3 * AT_ONCE).await;
}
