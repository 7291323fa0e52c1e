//! Log-in and log-out over HTTP.

use axum::{
    body::{Body, to_bytes},
    http::{
        Request,
        header::{LOCATION, SET_COOKIE},
    },
};
use model::rights::Role;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::{
    auth::{
        authn::credentials::{DEVICE_COOKIE, SESSION_COOKIE},
        testing::{PASSWORD, add, setup},
    },
    db::Database,
    web::{router, tests::state_of},
};

async fn state() -> AppState {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Operator).await;
    state_of(database, setup()).await
}

/// Asks with a JSON body, a form, or none; `cookies` as a browser sends them.
async fn ask(
    state: &AppState,
    head: &str,
    body: &str,
    cookies: &str,
    address: &str,
) -> (StatusCode, HeaderMap, String) {
    let (method, path) = head.split_once(' ').expect("a method and a path");
    let kind = if body.starts_with(['{', '[']) { "application/json" } else { "application/x-www-form-urlencoded" };
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    request = request.header("origin", "http://localhost:8080").header("content-type", kind);
    if !cookies.is_empty() {
        request = request.header("cookie", cookies);
    }
    let mut request = request.body(Body::from(body.to_owned())).expect("a request");
    request.extensions_mut().insert(Peer { address: address.parse().expect("an address"), ..Peer::LOOPBACK });
    let response = router(state.clone()).oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
}

/// The value of a cookie that an answer sets, and its attributes.
fn set_cookie(headers: &HeaderMap, name: &str) -> (String, Vec<String>) {
    let prefix = format!("{name}=");
    let mut found = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()?.strip_prefix(&prefix));
    let (Some(cookie), None) = (found.next(), found.next()) else { panic!("not one {name}") };
    let mut parts = cookie.split("; ").map(str::to_owned);
    (parts.next().expect("a value"), parts.collect())
}

fn good() -> String {
    json!({ "user": "anna", "password": PASSWORD }).to_string()
}

fn good_form(next: &str) -> String {
    format!("user=anna&password={}&next={next}", PASSWORD.replace(' ', "+"))
}

#[tokio::test]
async fn a_program_logs_in_asks_who_it_is_and_logs_out() {
    let state = state().await;
    let (status, headers, body) = ask(&state, "POST /api/v1/login", &good(), "", "10.0.0.1").await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&answer["user"], &answer["role"]), (&"anna".into(), &"operator".into()));
    let (secret, _) = set_cookie(&headers, SESSION_COOKIE);
    for (name, lasts) in [(SESSION_COOKIE, "Max-Age=604800"), (DEVICE_COOKIE, "Max-Age=34560000")] {
        let mut found = set_cookie(&headers, name).1;
        found.sort();
        // No `Domain`: the prefix forbids one.
        assert_eq!(found, ["HttpOnly", lasts, "Path=/", "SameSite=Lax", "Secure"]);
    }
    let cookie = format!("{SESSION_COOKIE}={secret}");
    let (_, _, body) = ask(&state, "GET /api/v1/me", "", &cookie, "10.0.0.1").await;
    let me: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (&me["user"], &me["role"], &me["expires_at"]),
        (&"anna".into(), &"operator".into(), &answer["expires_at"])
    );
    assert!(me["means"].as_str().is_some_and(|means| means.starts_with("session ")), "{me}");
    let (status, headers, body) = ask(&state, "POST /api/v1/logout?everywhere=true", "", &cookie, "10.0.0.1").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"ended":1}"#));
    let (value, attributes) = set_cookie(&headers, SESSION_COOKIE);
    assert!(value.is_empty() && attributes.contains(&"Max-Age=0".to_owned()), "{attributes:?}");
    let (status, _, _) = ask(&state, "GET /api/v1/me", "", &cookie, "10.0.0.1").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _, _) = ask(&state, "POST /api/v1/logout?everwhere=true", "", &cookie, "10.0.0.1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_form_leads_on_to_a_page_of_ours_alone() {
    for (next, expected) in [
        ("/events%3Fq%3Dweb", "/events?q=web"),
        ("/wall", "/wall"),
        ("", "/stats"),
        ("https://evil.example/", "/stats"),
        ("//evil.example", "/stats"),
        ("/%5Cevil.example", "/stats"),
        ("/%09/evil.example", "/stats"),
        ("/login", "/stats"),
    ] {
        let state = state().await;
        let (status, headers, _) = ask(&state, "POST /login", &good_form(next), "", "10.0.0.1").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{next}");
        // By way of the page that finds out whether the browser kept its cookie.
        let by_way_of = format!("GET {}", headers[LOCATION].to_str().expect("text"));
        let cookie = format!("{SESSION_COOKIE}={}", set_cookie(&headers, SESSION_COOKIE).0);
        let (status, headers, _) = ask(&state, &by_way_of, "", &cookie, "10.0.0.1").await;
        assert_eq!((status, headers[LOCATION].to_str().expect("text")), (StatusCode::SEE_OTHER, expected), "{next}");
        let (status, _, page) = ask(&state, &by_way_of, "", "", "10.0.0.1").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("Your browser kept no cookie"), "{page}");
        let (status, headers, _) = ask(&state, &format!("GET /login?next={next}"), "", &cookie, "10.0.0.1").await;
        assert_eq!(
            (status, &headers[LOCATION]),
            (StatusCode::SEE_OTHER, &expected.parse().expect("a value")),
            "{next}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_the_same_for_a_wrong_password_and_an_unknown_account() {
    let state = state().await;
    let mut told = Vec::new();
    for user in ["anna", "nobody"] {
        let body = json!({ "user": user, "password": "not the one" }).to_string();
        let (status, headers, body) = ask(&state, "POST /api/v1/login", &body, "", "10.0.0.1").await;
        assert!(!headers.contains_key(SET_COOKIE));
        told.push((status, body));
        let form = format!("user={user}&password=not+the+one&next=/wall");
        let (status, headers, page) = ask(&state, "POST /login", &form, "", "10.0.0.1").await;
        assert!(status == StatusCode::UNAUTHORIZED && !headers.contains_key(SET_COOKIE));
        assert!(page.contains("Name or password is wrong") && page.contains("value=\"/wall\""), "{page}");
        assert!(page.contains(&format!("value=\"{user}\"")) && !page.contains("not the one"));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_fails_too_often_is_told_how_long_to_wait_and_nobody_else_waits() {
    let state = state().await;
    let (_, headers, _) = ask(&state, "POST /api/v1/login", &good(), "", "10.0.0.1").await;
    let device = format!("{DEVICE_COOKIE}={}", set_cookie(&headers, DEVICE_COOKIE).0);
    let wrong = json!({ "user": "anna", "password": "not the one" }).to_string();
    let mut statuses = Vec::new();
    for _ in 0..1_000 {
        statuses.push(ask(&state, "POST /api/v1/login", &wrong, "", "10.0.0.1").await.0.as_u16());
    }
    assert_eq!(statuses[..5], [401; 5]);
    // The machine may be slow enough for one more.
    assert!(statuses.iter().filter(|status| **status == 429).count() > 900);
    let (status, headers, body) = ask(&state, "POST /api/v1/login", &good(), "", "10.0.0.1").await;
    let wait: u64 = headers[RETRY_AFTER].to_str().expect("ascii").parse().expect("seconds");
    assert!(status == StatusCode::TOO_MANY_REQUESTS && (1..=900).contains(&wait), "{status} {wait}");
    assert!(body.contains("too many attempts"), "{body}");
    let (status, headers, page) = ask(&state, "POST /login", &good_form(""), "", "10.0.0.1").await;
    assert!(status == StatusCode::TOO_MANY_REQUESTS && headers.contains_key(RETRY_AFTER) && page.contains("Wait "));
    for (cookies, address) in [("", "10.0.0.2"), (device.as_str(), "10.0.0.1"), ("", "2001:db8::1")] {
        let (status, _, body) = ask(&state, "POST /api/v1/login", &good(), cookies, address).await;
        assert_eq!(status, StatusCode::OK, "{address}: {body}");
    }
}

#[tokio::test]
async fn a_body_that_can_t_be_read_is_told_without_its_text() {
    let state = state().await;
    for (body, expected) in [
        (r#"{"user":"anna","password":123456789012}"#, 422),
        (r#"{"user":"anna","password":"secret words","x":1}"#, 422),
        (r#"{"user":"anna"}"#, 422),
        ("{", 422),
        ("[]", 422),
        ("user=anna&password=secret+words", 415),
    ] {
        let (status, _, told) = ask(&state, "POST /api/v1/login", body, "", "10.0.0.1").await;
        assert_eq!(status.as_u16(), expected, "{body}: {told}");
        assert!(!told.contains("secret") && !told.contains("1234"), "{told}");
    }
    let (status, _, _) = ask(&state, "POST /login", "user=%FF&password", "", "10.0.0.1").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _, page) = ask(&state, "POST /login", "{}", "", "10.0.0.1").await;
    assert!(status == StatusCode::BAD_REQUEST && page.contains("The form can"), "{status}");
}

#[tokio::test]
async fn without_accounts_the_page_leads_on_where_that_is_allowed_and_else_says_how_to_make_one() {
    let database = || Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    let open = state_of(database(), setup()).await;
    let (status, headers, _) = ask(&open, "GET /login?next=/wall", "", "", "127.0.0.1").await;
    assert_eq!((status, &headers[LOCATION]), (StatusCode::SEE_OTHER, &"/wall".parse().expect("a value")));
    let shut = state_of(database(), crate::auth::AuthConfig { may_be_open: false, ..setup() }).await;
    let (status, _, page) = ask(&shut, "GET /login", "", "", "127.0.0.1").await;
    assert!(status == StatusCode::OK && page.contains("sluice user add NAME --role admin"), "{page}");
}

#[tokio::test]
async fn nothing_secret_is_in_an_answer_but_its_cookies() {
    let state = state().await;
    let (_, headers, body) = ask(&state, "POST /api/v1/login", &good(), "", "10.0.0.1").await;
    let (session, device) = (set_cookie(&headers, SESSION_COOKIE).0, set_cookie(&headers, DEVICE_COOKIE).0);
    let cookies = format!("{SESSION_COOKIE}={session}; {DEVICE_COOKIE}={device}");
    let mut seen = vec![body, format!("{headers:?}")];
    for head in ["GET /stats", "GET /api/v1/me", "GET /metrics", "GET /login", "POST /api/v1/logout", "GET /stats"] {
        let (_, headers, body) = ask(&state, head, "", &cookies, "10.0.0.1").await;
        seen.extend([body, format!("{headers:?}")]);
    }
    let seen = seen.join("\n");
    for secret in [PASSWORD, &session, &device] {
        assert!(!seen.contains(secret));
    }
}

/// What is logged, whatever its level.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_has_what_opens_something() {
    let log = Log::default();
    let writer = log.clone();
    let logging = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE);
    let logging = logging.with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(logging.finish());
    let state = state().await;
    let (_, headers, _) = ask(&state, "POST /api/v1/login", &good(), "", "10.0.0.1").await;
    let (session, device) = (set_cookie(&headers, SESSION_COOKIE).0, set_cookie(&headers, DEVICE_COOKIE).0);
    let cookies = format!("{SESSION_COOKIE}={session}; {DEVICE_COOKIE}={device}");
    for (head, body) in [
        ("POST /api/v1/login", r#"{"user":"anna","password":"mistyped secret"}"#),
        ("POST /api/v1/login", r#"{"user":"mistyped secret","password":1}"#),
        ("POST /api/v1/login", r#"{"user":"mistyped secret","password":"x"}"#),
        ("POST /login", "user=mistyped+secret&password=mistyped+secret"),
        ("GET /stats", ""),
        ("POST /api/v1/logout", ""),
    ] {
        ask(&state, head, body, &cookies, "10.0.0.1").await;
    }
    let said = String::from_utf8_lossy(&log.0.lock().expect("no panic")).into_owned();
    assert!(said.contains("status=401"), "nothing is logged: {said}");
    for secret in [PASSWORD, "mistyped secret", &session, &device, "$argon2id"] {
        assert!(!said.contains(secret), "{said}");
    }
}
