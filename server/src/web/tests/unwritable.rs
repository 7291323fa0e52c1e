//! While the database can't be written, as with a full disk, what takes authority away works all the same.

use axum::{
    body::to_bytes,
    http::{HeaderName, StatusCode, header},
};
use model::rights::Role;
use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    auth::users,
    web::middleware::authorize::tests::{ask, shown, with_accounts},
};

type Shown = Option<(HeaderName, String)>;

/// Longer than it takes to try again.
const PATIENCE: Duration = Duration::from_secs(30);

async fn set_writable(state: &AppState, is_writable: bool) {
    let set = state.database.run(move |connection| connection.pragma_update(None, "query_only", !is_writable));
    set.await.expect("set");
}

async fn status(state: &AppState, head: &str, shown: &Shown) -> StatusCode {
    ask(state, head, "", shown.clone()).await.status()
}

/// Posts a form as the admin while nothing can be written, and reads the page that answers it.
async fn post_unwritable(state: &AppState, admin: &Shown, head: &str, body: &str) -> String {
    set_writable(state, false).await;
    let response = ask(state, head, body, admin.clone()).await;
    assert_eq!(response.status(), StatusCode::OK, "{head}");
    let page = to_bytes(response.into_body(), usize::MAX).await.expect("a page");
    String::from_utf8_lossy(&page).into_owned()
}

/// Waits until the audit log has a line that begins so.
async fn until_recorded(state: &AppState, beginning: &str) {
    let wait = async {
        loop {
            let lines = testing::audit_lines(&state.database).await;
            if lines.iter().any(|line| line.starts_with(beginning)) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not recorded: {beginning}"));
}

async fn first_id(state: &AppState, table: &'static str) -> String {
    let read = state.database.read(move |connection| {
        connection.query_row(&format!("SELECT id FROM {table} ORDER BY created DESC, rowid DESC"), [], |row| row.get(0))
    });
    read.await.expect("a row")
}

#[tokio::test]
async fn a_log_out_holds_at_once_and_is_recorded_later() {
    for (path, everywhere) in [("/logout", ""), ("/logout", "everywhere=true"), ("/api/v1/logout", "")] {
        let state = with_accounts().await;
        let (session, other) = (shown(&state, "operator").await, shown(&state, "operator").await);
        set_writable(&state, false).await;
        let answer = ask(&state, &format!("POST {path}"), everywhere, session.clone()).await;
        assert!(answer.status().is_redirection() || answer.status().is_success(), "{path}: {}", answer.status());
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text");
        assert!(cookie.contains("Max-Age=0"), "{cookie}");
        assert_eq!(status(&state, "GET /api/v1/me", &session).await, StatusCode::UNAUTHORIZED, "{path} {everywhere}");
        let rest = if everywhere.is_empty() { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(status(&state, "GET /api/v1/me", &other).await, rest, "{path} {everywhere}");
        set_writable(&state, true).await;
        until_recorded(&state, "login log-out operator done").await;
        assert_eq!(status(&state, "GET /api/v1/me", &session).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_admin_takes_away_what_somebody_has() {
    let state = with_accounts().await;
    let admin = shown(&state, "admin").await;
    let told = |page: &str| assert!(page.contains("a restart of Sluice would bring it back"), "{page}");

    let operator = shown(&state, "operator").await;
    let session = first_id(&state, "sessions").await;
    told(&post_unwritable(&state, &admin, "POST /admin/sessions/end", &format!("id={session}")).await);
    assert_eq!(status(&state, "GET /api/v1/me", &operator).await, StatusCode::UNAUTHORIZED);
    set_writable(&state, true).await;
    until_recorded(&state, "account session.end admin").await;

    let token = shown(&state, "act").await;
    let id = first_id(&state, "tokens").await;
    told(&post_unwritable(&state, &admin, "POST /admin/tokens/end", &format!("id={id}")).await);
    assert_eq!(status(&state, "GET /api/v1/nodes", &token).await, StatusCode::UNAUTHORIZED);
    set_writable(&state, true).await;
    until_recorded(&state, "account token.remove admin").await;

    let wall = shown(&state, "wall").await;
    let id = first_id(&state, "walls").await;
    told(&post_unwritable(&state, &admin, "POST /admin/walls/end", &format!("id={id}")).await);
    assert_eq!(status(&state, "GET /api/v1/me", &wall).await, StatusCode::UNAUTHORIZED);
    set_writable(&state, true).await;
    until_recorded(&state, "account wall.remove admin").await;

    let operator = shown(&state, "operator").await;
    assert_eq!(status(&state, "GET /stats", &operator).await, StatusCode::OK);
    told(&post_unwritable(&state, &admin, "POST /admin/users/role", "user=operator&role=viewer").await);
    assert_eq!(ask(&state, "POST /api/v1/actions", "{}", operator.clone()).await.status(), StatusCode::FORBIDDEN);
    told(&post_unwritable(&state, &admin, "POST /admin/users/remove", "user=operator").await);
    assert_eq!(status(&state, "GET /api/v1/me", &operator).await, StatusCode::UNAUTHORIZED);
    set_writable(&state, true).await;
    until_recorded(&state, "account user.remove admin").await;
    let left = state.database.read(users::list).await.expect("read");
    assert!(left.iter().all(|user| user.name.as_str() != "operator"));
}

#[tokio::test]
async fn what_is_not_theirs_or_not_there_is_not_taken_away() {
    let state = with_accounts().await;
    let (viewer, admin) = (shown(&state, "viewer").await, shown(&state, "admin").await);
    let session = first_id(&state, "sessions").await;
    set_writable(&state, false).await;
    // The newest session is the admin's.
    let ended = ask(&state, &format!("DELETE /api/v1/sessions?id={session}"), "", viewer).await;
    assert!(!ended.status().is_success(), "{}", ended.status());
    assert_eq!(status(&state, "GET /api/v1/me", &admin).await, StatusCode::OK);
    // The last admin stays one.
    let answer = ask(&state, "POST /admin/users/role", "user=admin&role=viewer", admin.clone()).await;
    assert!(!answer.status().is_success(), "{}", answer.status());
    assert_eq!(status(&state, "GET /admin", &admin).await, StatusCode::OK);
    // Also where the other admin is gone in memory alone.
    set_writable(&state, true).await;
    testing::add(&state.database, "second", Role::Admin).await;
    set_writable(&state, false).await;
    let answer = ask(&state, "POST /admin/users/remove", "user=second", admin.clone()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = ask(&state, "POST /admin/users/role", "user=admin&role=viewer", admin.clone()).await;
    assert!(!answer.status().is_success(), "{}", answer.status());
    assert_eq!(status(&state, "GET /admin", &admin).await, StatusCode::OK);
    // What gives somebody more has to wait.
    for (path, body) in [("role", "user=viewer&role=admin"), ("groups", "user=viewer&groups=on-call")] {
        let body = format!("{body}&own_password=correct+horse+battery");
        let answer = ask(&state, &format!("POST /admin/users/{path}"), &body, admin.clone()).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    // A log-in is an entry.
    let log_in =
        ask(&state, "POST /api/v1/login", r#"{"user":"viewer","password":"correct horse battery"}"#, None).await;
    assert_eq!(log_in.status(), StatusCode::SERVICE_UNAVAILABLE);
}
