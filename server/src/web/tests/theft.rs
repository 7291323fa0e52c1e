//! What whoever stole a session can't do with it, and what its owner sees.

use model::rights::Role;

use super::*;
use crate::{
    auth::{
        AccountOrigin, IdentityProviders, NewSession, Peer, Principal,
        authn::{
            credentials::SESSION_COOKIE,
            tokens::{self, NewToken, Scope},
        },
    },
    clock::now,
    web::{
        account::page::tests::{ask, logged_in, state},
        tests::header::behind_a_proxy,
    },
};

async fn token_count(state: &AppState) -> i64 {
    let read = state.database.read(|c| c.query_row("SELECT count(*) FROM tokens", [], |row| row.get(0)));
    read.await.expect("read")
}

#[tokio::test]
async fn a_token_needs_the_account_s_password_once_more() {
    let state = state(IdentityProviders::default()).await;
    let cookie = logged_in(&state, "operator").await;
    let show = [("cookie", cookie.as_str())];
    for (head, body, status) in [
        ("POST /account/tokens/add", "scope=act&expires=1d", 403),
        ("POST /account/tokens/add", "scope=act&expires=1d&own_password=guess", 403),
        ("POST /api/v1/tokens", r#"{"scope":"act","expires":"1d"}"#, 422),
        ("POST /api/v1/tokens", r#"{"scope":"act","expires":"1d","password":"guess"}"#, 403),
    ] {
        let got = ask(&state, head, body, &show).await;
        assert_eq!(got.status, status, "{head} {body}: {}", got.body);
        if status == 403 {
            assert!(got.body.contains("The present password is wrong"), "{}", got.body);
        }
    }
    assert_eq!(token_count(&state).await, 0);
    // Guessing goes as slowly as at a log-in.
    for _ in 0..4 {
        ask(&state, "POST /account/tokens/add", "scope=act&expires=1d&own_password=guess", &show).await;
    }
    let right = "scope=act&expires=1d&own_password=correct+horse+battery";
    assert_eq!(ask(&state, "POST /account/tokens/add", right, &show).await.status, 429);
    let lines = testing::audit_lines(&state.database).await;
    assert!(lines.iter().any(|line| line == "refusal token.add operator refused"), "{lines:?}");
}

#[tokio::test]
async fn whatever_gives_somebody_more_needs_the_admin_s_password_once_more() {
    let state = state(IdentityProviders::default()).await;
    let cookie = logged_in(&state, "admin").await;
    for (head, body) in [
        ("POST /admin/users/add", "user=mallory&role=admin&password=a+long+password"),
        ("POST /admin/walls/add", "name=lobby&cluster=edge&expires=400d"),
        ("POST /admin/users/role", "user=viewer&role=admin"),
        ("POST /admin/users/groups", "user=viewer&groups=on-call"),
    ] {
        for (own, made) in [("", false), ("guess", false), ("correct+horse+battery", true)] {
            let body = format!("{body}&own_password={own}");
            let got = ask(&state, head, &body, &[("cookie", &cookie)]).await;
            assert_eq!(got.status < 400, made, "{head} {body}: {}", got.body);
            assert!(made || got.body.contains("The present password is wrong"), "{}", got.body);
        }
    }
    let lines = testing::audit_lines(&state.database).await;
    // What takes something away does not wait for it.
    for (head, body) in
        [("POST /admin/users/role", "user=viewer&role=viewer"), ("POST /admin/users/groups", "user=viewer&groups=")]
    {
        assert_eq!(ask(&state, head, body, &[("cookie", &cookie)]).await.status, 303, "{head}");
    }
    for line in ["refusal user.add admin refused", "refusal wall.add admin refused", "refusal user.role admin refused"]
    {
        assert!(lines.iter().any(|known| known == line), "{line}: {lines:?}");
    }
}

#[tokio::test]
async fn where_a_provider_has_the_password_a_log_in_of_a_moment_ago_stands_for_it() {
    let state = state(behind_a_proxy()).await;
    let new = NewSession {
        user: "oidc:boss".to_owned(),
        origin: AccountOrigin::Oidc,
        role: Role::Admin,
        groups: vec!["admins".to_owned()],
        address: Peer::LOOPBACK.address,
        agent: String::new(),
    };
    let (secret, _) = state.auth.begin_session(new, None, "").await.expect("begun");
    let cookie = format!("{SESSION_COOKIE}={}", secret.reveal());
    let link = "name=lobby&cluster=edge&expires=1d";
    let made = ask(&state, "POST /admin/walls/add", link, &[("cookie", &cookie)]).await;
    assert!(
        made.status == 200 && made.body.contains("/w/slw_") && !made.body.contains("Your password"),
        "{}",
        made.body
    );
    let ago = state.database.run(|c| c.execute("UPDATE sessions SET created = created - 601000", [])).await;
    assert!(ago.expect("older") > 0);
    let late = ask(&state, "POST /admin/walls/add", link, &[("cookie", &cookie)]).await;
    assert!(late.status == 403 && late.body.contains("do it within ten minutes"), "{}", late.body);
}

#[tokio::test]
async fn another_password_ends_the_tokens_unless_one_says_otherwise_and_lists_them() {
    for (keep, left) in [("", 0), ("&keep_tokens=true", 1)] {
        let state = state(IdentityProviders::default()).await;
        let cookie = logged_in(&state, "operator").await;
        let token = "scope=act&expires=1d&note=nightly&own_password=correct+horse+battery";
        assert_eq!(ask(&state, "POST /account/tokens/add", token, &[("cookie", &cookie)]).await.status, 200);
        let change =
            format!("current=correct+horse+battery&new=another+horse+battery&again=another+horse+battery{keep}");
        let changed = ask(&state, "POST /account/password", &change, &[("cookie", &cookie)]).await;
        assert_eq!(changed.status, 303, "{}", changed.body);
        assert_eq!(token_count(&state).await, left, "{keep}");
        let cookie =
            changed.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
        let page = ask(&state, "GET /account?done=password", "", &[("cookie", &cookie)]).await.body;
        assert_eq!(page.contains("tokens ended: nightly ("), left == 0, "{page}");
    }
}

#[tokio::test]
async fn what_is_made_is_seen_by_the_account_and_by_admins() {
    let state = state(IdentityProviders::default()).await;
    let (operator, viewer, admin) =
        (logged_in(&state, "operator").await, logged_in(&state, "viewer").await, logged_in(&state, "admin").await);
    let token = "scope=act&expires=1d&note=by-page&own_password=correct+horse+battery";
    assert_eq!(ask(&state, "POST /account/tokens/add", token, &[("cookie", &operator)]).await.status, 200);
    // By the command line, in another process.
    let new = NewToken {
        user: "operator".parse().expect("a name"),
        scope: Scope::Read,
        note: "by-command".to_owned(),
        expires: now() + 60_000,
    };
    let made = state.database.transact(move |t| tokens::add(t, &new, &Principal::command_line("root"), now()));
    made.await.expect("answered").expect("made");
    ask(
        &state,
        "POST /admin/walls/add",
        "name=lobby&cluster=edge&expires=1d&own_password=correct+horse+battery",
        &[("cookie", &admin)],
    )
    .await;
    let page =
        async |path: &str, cookie: &str| ask(&state, &format!("GET {path}"), "", &[("cookie", cookie)]).await.body;
    let own = page("/account", &operator).await;
    for part in ["API token of operator made", "by-page", "by-command", "by root on the command line", "Log-in"] {
        assert!(own.contains(part), "{part}: {own}");
    }
    let all = page("/admin", &admin).await;
    for part in ["API token of operator made", "by-command", "Wall link lobby made", "by admin from"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let others = page("/account", &viewer).await;
    assert!(!others.contains("by-page") && !others.contains("lobby"), "{others}");
}
