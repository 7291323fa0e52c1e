//! Accounts and tokens over HTTP.

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderMap, Request,
        header::{LOCATION, SET_COOKIE},
    },
};
use model::rights::Role;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::{
    audit::AuditLog,
    auth::{Auth, IdentityProviders, LogInAttempt, Peer, authn::credentials::SESSION_COOKIE, testing},
    db::Database,
    web::{AppState, router, tests::state_of},
};

/// A response.
pub(in crate::web) struct Got {
    pub(in crate::web) status: u16,
    pub(in crate::web) headers: HeaderMap,
    pub(in crate::web) body: String,
}

impl Got {
    /// The value of a cookie that it sets.
    pub(in crate::web) fn cookie(&self, name: &str) -> Option<String> {
        let prefix = format!("{name}=");
        let set = self.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        set.filter_map(|cookie| cookie.strip_prefix(&prefix)).next()?.split(';').next().map(str::to_owned)
    }

    pub(in crate::web) fn location(&self) -> &str {
        self.headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default()
    }

    pub(in crate::web) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks the whole router, as a browser at `from` does; `show` are further headers.
pub(in crate::web) async fn ask(state: &AppState, head: &str, body: &str, show: &[(&str, &str)]) -> Got {
    ask_from(state, head, body, show, Peer::LOOPBACK).await
}

pub(in crate::web) async fn ask_from(
    state: &AppState,
    head: &str,
    body: &str,
    show: &[(&str, &str)],
    peer: Peer,
) -> Got {
    let (method, path) = head.split_once(' ').expect("a method and a path");
    let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    request = request.header("origin", "http://localhost:8080").header("content-type", kind);
    for (name, value) in show {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body.to_owned())).expect("a request");
    request.extensions_mut().insert(peer);
    let response = router(state.clone()).oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    Got { status: parts.status.as_u16(), headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// A program with an account of each role, and with these identity providers.
pub(in crate::web) async fn state(providers: IdentityProviders) -> AppState {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    for role in Role::ALL {
        testing::add(&database, role.word(), role).await;
    }
    let mut state = state_of(database.clone(), testing::setup()).await;
    state.auth = Auth::start_with_providers(AuditLog::new(database), testing::setup(), providers).expect("auth");
    state
}

/// The session's cookie of an account.
pub(in crate::web) async fn logged_in(state: &AppState, user: &str) -> String {
    let attempt = LogInAttempt {
        user: user.to_owned(),
        password: Password::new(testing::PASSWORD.to_owned()),
        device: None,
        session: None,
        address: Peer::LOOPBACK.address,
        agent: "<script>alert(1)</script>".to_owned(),
    };
    let secret = state.auth.log_in(attempt).await.expect("in").session_secret;
    format!("{SESSION_COOKIE}={}", secret.reveal())
}

async fn api_token(state: &AppState, cookie: &str, scope: &str) -> (String, String) {
    let body = json!({"scope": scope, "expires": "1d", "note": "<b>ci", "password": testing::PASSWORD}).to_string();
    let got = ask(state, "POST /api/v1/tokens", &body, &[("cookie", cookie)]).await;
    assert_eq!(got.status, 200, "{}", got.body);
    let token = got.json();
    (token["id"].as_str().expect("a name").to_owned(), format!("Bearer {}", token["token"].as_str().expect("a token")))
}

const DRAIN: &str = r#"{"action":"drain","targets":[{"backend":"be_http","server":"s1"}]}"#;

#[tokio::test]
async fn a_token_does_what_its_scope_and_its_account_s_role_let_it() {
    let state = state(IdentityProviders::default()).await;
    let admin = logged_in(&state, "admin").await;
    let (_, reads) = api_token(&state, &admin, "read").await;
    let (id, acts) = api_token(&state, &admin, "act").await;
    for (head, body, read, act) in [
        ("GET /api/v1/nodes", "", 200, 200),
        ("GET /stats", "", 200, 200),
        ("GET /ws", "", 400, 400),
        ("POST /api/v1/actions", DRAIN, 403, 200),
        ("POST /stats", "do=drain&s=lb1/be_http/s1", 403, 200),
        // What manages accounts, and makes or ends tokens, is for people.
        ("GET /account", "", 403, 403),
        ("POST /account/tokens/add", "scope=act&expires=1d", 403, 403),
        ("POST /account/password", "", 403, 403),
        ("GET /admin", "", 403, 403),
        ("POST /admin/users/add", "", 403, 403),
        ("POST /admin/walls/add", "", 403, 403),
        ("GET /api/v1/tokens", "", 403, 403),
        ("POST /api/v1/tokens", r#"{"scope":"act","expires":"1d"}"#, 403, 403),
        ("DELETE /api/v1/tokens?id=x", "", 403, 403),
        ("GET /api/v1/sessions", "", 403, 403),
        ("DELETE /api/v1/sessions?id=x", "", 403, 403),
    ] {
        for (token, want) in [(&reads, read), (&acts, act)] {
            let got = ask(&state, head, body, &[("authorization", token)]).await;
            assert_eq!(got.status, want, "{head} {}", got.body);
        }
    }
    // A token in the request is what counts, whatever session is there too.
    let got = ask(&state, "POST /api/v1/actions", DRAIN, &[("authorization", &reads), ("cookie", &admin)]).await;
    assert_eq!(got.status, 403);
    let me = ask(&state, "GET /api/v1/me", "", &[("authorization", &reads)]).await.json();
    assert_eq!((&me["user"], &me["role"]), (&"admin".into(), &"viewer".into()));
    // The account's role of now, not of when it was made.
    let set = "user=admin&role=viewer";
    ask(
        &state,
        "POST /admin/users/role",
        "user=operator&role=admin&own_password=correct+horse+battery",
        &[("cookie", &admin)],
    )
    .await;
    assert_eq!(ask(&state, "POST /admin/users/role", set, &[("cookie", &admin)]).await.status, 303);
    assert_eq!(ask(&state, "POST /api/v1/actions", DRAIN, &[("authorization", &acts)]).await.status, 403);
    assert_eq!(ask(&state, &format!("DELETE /api/v1/tokens?id={id}"), "", &[("cookie", &admin)]).await.status, 200);
    assert_eq!(ask(&state, "GET /api/v1/nodes", "", &[("authorization", &acts)]).await.status, 401);
}

#[tokio::test]
async fn a_token_that_is_none_is_answered_the_same_whatever_is_wrong() {
    let state = state(IdentityProviders::default()).await;
    let admin = logged_in(&state, "admin").await;
    let (id, ended) = api_token(&state, &admin, "act").await;
    ask(&state, "POST /account/tokens/end", &format!("id={id}"), &[("cookie", &admin)]).await;
    let unknown = format!("Bearer slt_{}", "A".repeat(43));
    let long = format!("Bearer slt_{}", "A".repeat(9_000));
    let (_, gone) = api_token(&state, &admin, "act").await;
    state.database.run(|c| c.execute("UPDATE tokens SET expires = 1", [])).await.expect("expired");
    let mut told = Vec::new();
    for show in [&ended, &unknown, &gone, &long, "Bearer", "Bearer ", "Bearer slt_", "Bearer x y", "bearer \"", &id] {
        let show = if show == id { format!("Bearer {id}") } else { show.to_owned() };
        let got = ask(&state, "GET /api/v1/nodes", "", &[("authorization", &show), ("cookie", &admin)]).await;
        assert_eq!(got.headers["www-authenticate"], "Bearer");
        told.push((got.status, got.body));
    }
    assert!(told.iter().all(|one| *one == told[0] && one.0 == 401), "{told:#?}");
}

#[tokio::test]
async fn the_account_page_ends_sessions_and_tokens_of_one_s_own_alone() {
    let state = state(IdentityProviders::default()).await;
    let (anna, other) = (logged_in(&state, "operator").await, logged_in(&state, "operator").await);
    let admin = logged_in(&state, "admin").await;
    let (token, _) = api_token(&state, &admin, "act").await;
    let page = ask(&state, "GET /account", "", &[("cookie", &anna)]).await;
    assert!(page.body.contains("this one") && page.body.contains("name and password"), "{}", page.body);
    assert!(
        !page.body.contains("<script") && page.body.contains("&lt;script&gt;alert(1)"),
        "the browser's name is text"
    );
    assert!(
        page.headers["content-security-policy"].to_str().is_ok_and(|policy| policy.starts_with("default-src 'none'"))
    );
    let sessions = ask(&state, "GET /api/v1/sessions", "", &[("cookie", &anna)]).await.json();
    let all = sessions["sessions"].as_array().expect("sessions").clone();
    assert_eq!(all.len(), 2);
    let of_admin = ask(&state, "GET /api/v1/sessions", "", &[("cookie", &admin)]).await.json();
    let foreign = of_admin["sessions"][0]["id"].as_str().expect("a name").to_owned();
    for id in [&foreign, &"nope".to_owned()] {
        assert_eq!(
            ask(&state, "POST /account/sessions/end", &format!("id={id}"), &[("cookie", &anna)]).await.status,
            404
        );
        let head = format!("DELETE /api/v1/sessions?id={id}");
        assert_eq!(ask(&state, &head, "", &[("cookie", &anna)]).await.status, 404);
    }
    assert_eq!(ask(&state, "POST /account/tokens/end", &format!("id={token}"), &[("cookie", &anna)]).await.status, 404);
    assert_eq!(ask(&state, "GET /api/v1/sessions?user=admin", "", &[("cookie", &anna)]).await.status, 403);
    assert_eq!(ask(&state, "GET /api/v1/tokens?user=*", "", &[("cookie", &anna)]).await.status, 403);
    let one = all.iter().find(|s| s["is_this"] == false).expect("the other")["id"].as_str().expect("a name");
    let got = ask(&state, "POST /account/sessions/end", &format!("id={one}"), &[("cookie", &anna)]).await;
    assert_eq!((got.status, got.location()), (303, "/account?done=session"));
    assert_eq!(ask(&state, "GET /account", "", &[("cookie", &other)]).await.status, 303);
    // An admin sees and ends everybody's.
    let everybody = ask(&state, "GET /api/v1/sessions?user=*", "", &[("cookie", &admin)]).await.json();
    assert_eq!(everybody["sessions"].as_array().map(Vec::len), Some(2));
    let mine = all.iter().find(|s| s["is_this"] == true).expect("this")["id"].as_str().expect("a name");
    assert_eq!(ask(&state, "POST /admin/sessions/end", &format!("id={mine}"), &[("cookie", &admin)]).await.status, 303);
    assert_eq!(ask(&state, "GET /account", "", &[("cookie", &anna)]).await.status, 303);
}

#[tokio::test]
async fn another_password_takes_the_present_one_and_ends_the_other_sessions() {
    let state = state(IdentityProviders::default()).await;
    let (anna, other) = (logged_in(&state, "viewer").await, logged_in(&state, "viewer").await);
    let present = testing::PASSWORD.replace(' ', "+");
    let form = |current: &str, new: &str, again: &str| format!("current={current}&new={new}&again={again}");
    for (form, want) in [
        (form("wrong", "a+better+password", "a+better+password"), 403),
        (form(&present, "a+better+password", "another+password"), 400),
        (form(&present, "short", "short"), 400),
        (String::new(), 400),
    ] {
        let got = ask(&state, "POST /account/password", &form, &[("cookie", &anna)]).await;
        assert_eq!(got.status, want, "{form}");
        assert!(!got.body.contains("better password"), "a password never comes back");
    }
    let got =
        ask(&state, "POST /account/password", &form(&present, "a+better+one", "a+better+one"), &[("cookie", &anna)])
            .await;
    assert_eq!((got.status, got.location()), (303, "/account?done=password"));
    let new = format!("{SESSION_COOKIE}={}", got.cookie(SESSION_COOKIE).expect("a new session"));
    for (cookie, want) in [(&anna, 303), (&other, 303), (&new, 200)] {
        assert_eq!(ask(&state, "GET /account", "", &[("cookie", cookie)]).await.status, want);
    }
    let lines = testing::audit_lines(&state.database).await;
    assert!(lines.contains(&"account user.passwd viewer done".to_owned()), "{lines:?}");
    assert!(lines.contains(&"refusal user.passwd viewer refused".to_owned()), "{lines:?}");
    let mut last = 0;
    for _ in 0..40 {
        last =
            ask(&state, "POST /account/password", &form("wrong", "a+better+two", "a+better+two"), &[("cookie", &new)])
                .await
                .status;
    }
    assert_eq!(last, 429, "guessing is as slow as at a log-in");
}

#[tokio::test]
async fn an_admin_manages_accounts_and_the_last_one_stays() {
    let state = state(IdentityProviders::default()).await;
    let admin = logged_in(&state, "admin").await;
    let ask_as_admin = async |head: &str, body: &str| ask(&state, head, body, &[("cookie", &admin)]).await;
    for body in ["user=admin&role=viewer", "user=admin"] {
        let path = if body.contains("role") { "POST /admin/users/role" } else { "POST /admin/users/remove" };
        let got = ask_as_admin(path, body).await;
        assert_eq!(got.status, 409);
        assert!(got.body.contains("admin is the last admin. Make another account an admin first."), "{}", got.body);
    }
    for (body, want) in [
        ("user=new&role=operator&groups=ops,+on-call&password=a+long+password&own_password=correct+horse+battery", 303),
        ("user=new&role=operator&password=a+long+password&own_password=correct+horse+battery", 400),
        ("user=oidc:anna&role=admin&password=a+long+password", 400),
        ("user=%3Cscript%3E&role=admin&password=a+long+password", 400),
        ("user=x&role=root&password=a+long+password", 400),
        ("user=x&role=viewer&password=short", 400),
        ("user=x&role=viewer&groups=a%00b&password=a+long+password", 400),
    ] {
        let got = ask_as_admin("POST /admin/users/add", body).await;
        assert_eq!(got.status, want, "{body}");
        assert!(!got.body.contains("<script") && !got.body.contains("a long password"), "{body}");
    }
    let page = ask_as_admin("GET /admin?done=%3Cscript%3E", "").await.body;
    assert!(page.contains("ops, on-call") && !page.contains("<script"), "{page}");
    assert_eq!(
        ask_as_admin("POST /admin/users/role", "user=new&role=admin&own_password=correct+horse+battery")
            .await
            .location(),
        "/admin?done=role"
    );
    for (body, want) in [
        ("user=new&groups=dba,,+ops+&own_password=correct+horse+battery", 303),
        ("user=admin&groups=", 303),
        ("user=new&groups=a%00", 400),
    ] {
        assert_eq!(ask_as_admin("POST /admin/users/groups", body).await.status, want, "{body}");
    }
    let page = ask_as_admin("GET /admin?done=groups", "").await.body;
    assert!(page.contains("dba, ops") && page.contains("The account is in these groups now."), "{page}");
    assert_eq!(ask_as_admin("POST /admin/users/remove", "user=viewer").await.location(), "/admin?done=removed");
    let lines = testing::audit_lines(&state.database).await;
    for line in ["account user.add admin done", "account user.role admin done", "account user.remove admin done"] {
        assert!(lines.contains(&line.to_owned()), "{line} {lines:?}");
    }
    assert_eq!(ask_as_admin("POST /admin/users/remove", "user=admin").await.location(), "/admin?done=removed");
    assert_eq!(ask_as_admin("GET /admin", "").await.status, 303, "an account that ended is nobody's");
}

#[tokio::test]
async fn without_accounts_nobody_is_made_an_admin_by_a_page() {
    let state = state_of(Database::in_memory(crate::schema::MIGRATIONS).expect("memory"), testing::setup()).await;
    assert!(ask(&state, "GET /account", "", &[]).await.body.contains("there are no accounts"));
    for (head, body) in [
        ("GET /admin", ""),
        ("POST /admin/users/add", "user=mallory&role=admin&password=a+long+password"),
        ("POST /admin/walls/add", "name=x&cluster=edge&expires=1d"),
    ] {
        let got = ask(&state, head, body, &[]).await;
        assert!(got.status == 403 && got.body.contains("sluice user add"), "{head} {}", got.body);
    }
    assert!(!state.auth.has_accounts().await.expect("answered"));
}
