//! Whatever denies a request: the audit log has it once.

use axum::{body::Body, http::Request as Asked};
use model::rights::Role;
use tower::ServiceExt as _;

use super::*;
use crate::{
    auth::testing::{add, audit_lines, setup},
    db::Database,
    web::{router, tests::state_of},
};

async fn state() -> AppState {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Viewer).await;
    state_of(database, setup()).await
}

/// Asks; `head` is a method, a path and headers as `name=value`. The answer's status, and its entries in the audit log.
async fn asked(state: &AppState, head: &str, body: &str) -> (u16, Vec<String>) {
    let before = audit_lines(&state.database).await.len();
    let mut words = head.split(' ');
    let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
    let mut request = Asked::builder().method(method).uri(path);
    let mut headers = vec![("host", "localhost:8080"), ("origin", "http://localhost:8080")];
    for (name, value) in words.map(|word| word.split_once('=').expect("a header")) {
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
    }
    for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let status = router(state.clone()).oneshot(request).await.expect("an answer").status();
    (status.as_u16(), audit_lines(&state.database).await.split_off(before))
}

#[tokio::test]
async fn every_denial_is_one_entry_and_looking_is_none() {
    let state = state().await;
    const FORM: &str = "content-type=application/x-www-form-urlencoded";
    const JSON: &str = "content-type=application/json";
    for (head, body, status, entry) in [
        // A page of another site, whatever it asks for.
        (format!("POST /stats {FORM} origin=http://evil.example"), "do=drain", 403, "POST /stats nobody not allowed"),
        ("POST /api/v1/actions origin=null".into(), "{}", 403, "POST /api/v1/actions nobody not allowed"),
        ("GET /ws origin=http://evil.example".into(), "", 403, "GET /ws nobody not allowed"),
        ("POST /nowhere origin=".into(), "", 403, "POST elsewhere nobody not allowed"),
        // Nobody is logged in.
        ("GET /api/v1/stats".into(), "", 401, "GET /api/v1/stats nobody not logged in"),
        ("GET /ws".into(), "", 401, "GET /ws nobody not logged in"),
        (format!("POST /stats {FORM}"), "do=drain", 303, "POST /stats nobody not logged in"),
        ("POST /admin/users/add".into(), "user=x", 303, "POST /admin/users/add nobody not logged in"),
        ("DELETE /api/v1/tokens?id=slt_secret".into(), "", 401, "DELETE /api/v1/tokens nobody not logged in"),
        // What can't be read.
        (format!("POST /api/v1/login {JSON}"), "hush", 422, "POST /api/v1/login nobody not understood"),
        // These write their own entry, with a name.
        (format!("POST /api/v1/login {JSON}"), r#"{"user":"anna","password":"x"}"#, 401, "login log-in anna refused"),
        (format!("POST /login {FORM}"), "user=anna&password=x", 401, "login log-in anna refused"),
        // Nothing is denied to who looks for a page, or for what is not there.
        ("GET /stats".into(), "", 303, ""),
        ("GET /nowhere".into(), "", 404, ""),
        ("GET /w/slw_nothing".into(), "", 404, ""),
        ("TRACE /stats".into(), "", 405, "TRACE /stats nobody not understood"),
        ("PUT /api/v1/tokens".into(), "", 405, "PUT /api/v1/tokens nobody not understood"),
    ] {
        let (got, told) = asked(&state, &head, body).await;
        let expected = match entry {
            "" => Vec::new(),
            entry if entry.starts_with("login ") => vec![entry.to_owned()],
            entry => vec![format!("refusal {entry}")],
        };
        assert_eq!((got, told), (status, expected), "{head}");
    }
    let all = audit_lines(&state.database).await.join("\n");
    assert!(!all.contains("hush") && !all.contains("slt_secret"), "{all}");
}

#[test]
fn what_changes_something_and_was_not_done_is_denied_and_looking_seldom() {
    for (method, status, has_route, expected) in [
        ("GET", 200, true, false),
        ("GET", 303, true, false),
        ("GET", 400, true, false),
        ("GET", 403, true, true),
        ("GET", 401, false, true),
        ("GET", 421, false, true),
        ("POST", 200, true, false),
        ("POST", 303, true, false),
        ("POST", 400, true, true),
        ("POST", 413, true, true),
        ("POST", 429, true, true),
        ("DELETE", 404, true, true),
        ("POST", 404, false, false),
        ("POST", 500, true, false),
    ] {
        let (method, status) = (method.parse().expect("a method"), StatusCode::from_u16(status).expect("a status"));
        assert_eq!(is_denial(&method, status, has_route), expected, "{method} {status}");
    }
}
