//! The way to a provider and back, through the whole router.

use model::rights::{Pattern, Role};

use super::*;
use crate::{
    auth::{
        IdentityProviders, RoleMapping,
        authn::oidc::tests::{
            config,
            provider::{Fault, Provider},
        },
        testing,
    },
    web::account::page::tests::{Got, ask, state},
};

async fn with(fault: Fault, operators: &str) -> (Provider, AppState) {
    let provider = Provider::start(fault).await;
    let roles = RoleMapping { operator: vec![Pattern(operators.to_owned())], ..RoleMapping::default() };
    let providers =
        IdentityProviders { oidc: Some(Oidc::new(config(&provider.issuer))), roles, ..IdentityProviders::default() };
    (provider, state(providers).await)
}

/// Begins in a browser, logs in at the provider, and comes back with the cookie that was set.
async fn through(provider: &Provider, state: &AppState, next: &str) -> Got {
    let begun = ask(state, &format!("GET /login/oidc?next={next}"), "", &[]).await;
    if begun.status != 303 {
        return begun;
    }
    let cookie = format!("{OIDC_COOKIE}={}", begun.cookie(OIDC_COOKIE).expect("a cookie"));
    let callback = provider.log_in(begun.headers["location"].to_str().expect("text")).await;
    let mut back = format!("GET /login/oidc/callback?state={}", callback.state);
    for (name, value) in [("code", callback.code), ("error", callback.error), ("iss", callback.iss)] {
        if let Some(value) = value {
            let value: String = openidconnect::url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            back.push_str(&format!("&{name}={value}"));
        }
    }
    ask(state, &back, "", &[("cookie", &cookie)]).await
}

#[tokio::test]
async fn who_logs_in_at_the_provider_has_a_session_and_never_a_local_account_s_name() {
    let (provider, state) = with(Fault::None, "ops").await;
    testing::add(&state.database, "anna", Role::Admin).await;
    let page = ask(&state, "GET /login?next=/events", "", &[]).await.body;
    assert!(page.contains("Log in with Example ID") && page.contains("href=\"/login/oidc?next=/events\""), "{page}");
    let got = through(&provider, &state, "/events").await;
    assert_eq!((got.status, got.headers["location"].to_str().expect("text")), (303, "/login?next=/events&kept="));
    let session = format!("{SESSION_COOKIE}={}", got.cookie(SESSION_COOKIE).expect("a session"));
    let me = ask(&state, "GET /api/v1/me", "", &[("cookie", &session)]).await.body;
    assert!(me.contains(r#""user":"oidc:anna","role":"operator""#), "{me}");
    assert_eq!(ask(&state, "GET /admin", "", &[("cookie", &session)]).await.status, 403, "the local anna is an admin");
    let page = ask(&state, "GET /account", "", &[("cookie", &session)]).await.body;
    assert!(page.contains("oidc:anna") && page.contains("Example ID") && !page.contains("/account/password"), "{page}");
    let token = ask(&state, "POST /account/tokens/add", "scope=act&expires=1d", &[("cookie", &session)]).await;
    assert!(token.status == 403 && token.body.contains("Tokens are for local accounts"));
    let lines = testing::audit_lines(&state.database).await;
    assert!(lines.contains(&"login log-in oidc:anna done".to_owned()), "{lines:?}");
    // A page elsewhere is not gone on to.
    let got = through(&provider, &state, "https://evil.example/").await;
    assert_eq!(got.headers["location"], "/login?next=/stats&kept=");
}

#[tokio::test]
async fn a_session_that_was_there_ends_with_the_log_in() {
    let (provider, state) = with(Fault::None, "ops").await;
    let first = through(&provider, &state, "/stats").await.cookie(SESSION_COOKIE).expect("a session");
    let begun = ask(&state, "GET /login/oidc", "", &[]).await;
    let browser = begun.cookie(OIDC_COOKIE).expect("a cookie");
    let callback = provider.log_in(begun.headers["location"].to_str().expect("text")).await;
    let back = format!("GET /login/oidc/callback?state={}&code={}", callback.state, callback.code.expect("a code"));
    let both = format!("{OIDC_COOKIE}={browser}; {SESSION_COOKIE}={first}");
    let second = ask(&state, &back, "", &[("cookie", &both)]).await.cookie(SESSION_COOKIE).expect("a session");
    assert_ne!(first, second);
    for (secret, want) in [(first, 401), (second, 200)] {
        let got = ask(&state, "GET /api/v1/me", "", &[("cookie", &format!("{SESSION_COOKIE}={secret}"))]).await;
        assert_eq!(got.status, want);
    }
    // A second way back with the same answer opens nothing.
    assert_eq!(ask(&state, &back, "", &[("cookie", &both)]).await.status, 400);
}

#[tokio::test]
async fn every_failure_is_shown_on_the_log_in_page_and_audited() {
    for (fault, operators, status, told) in [
        (Fault::None, "nobody", 403, "Sluice is not open to oidc:anna"),
        (Fault::Nonce, "ops", 403, "What Example ID answered proves nothing"),
        (Fault::AlgNone, "ops", 403, "What Example ID answered proves nothing"),
        (Fault::Denied, "ops", 403, "Example ID did not log you in: access was denied"),
        (Fault::OddError, "ops", 403, "Example ID did not log you in: &lt;b&gt;odd"),
        (Fault::NoDiscovery, "ops", 502, "Example ID can't be asked"),
    ] {
        let (provider, state) = with(fault, operators).await;
        let got = through(&provider, &state, "/events").await;
        let body = got.body.replace("&#x27;", "'").replace("Oidc:", "oidc:");
        assert_eq!(got.status, status, "{fault:?} {body}");
        assert!(body.contains(told) && body.contains("role=\"alert\""), "{fault:?} {body}");
        assert!(body.contains("<form") && body.contains("Log in with Example ID"), "another way in stays");
        assert!(got.cookie(SESSION_COOKIE).is_none());
        let lines = testing::audit_lines(&state.database).await;
        let last = lines.last().expect("an entry");
        assert!(last.starts_with("login log-in ") && last.ends_with(" refused"), "{fault:?} {lines:?}");
        let details: String = state
            .database
            .run(|c| c.query_row("SELECT group_concat(detail) FROM record", [], |row| row.get(0)))
            .await
            .expect("details");
        for secret in provider.secrets() {
            assert!(!details.contains(&secret) && !body.contains(&secret), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn what_nobody_began_is_refused() {
    let (_provider, state) = with(Fault::None, "ops").await;
    let browser = format!("{OIDC_COOKIE}={}", "A".repeat(43));
    let state_like = "A".repeat(43);
    for query in [
        String::new(),
        "?state=&code=".to_owned(),
        format!("?state={state_like}&code=x"),
        format!("?state={state_like}&state=b&code=x"),
        format!("?code={}", "x".repeat(20_000)),
        "?error=%3Cscript%3E".to_owned(),
    ] {
        let got = ask(&state, &format!("GET /login/oidc/callback{query}"), "", &[("cookie", &browser)]).await;
        assert_eq!(got.status, 400, "{query}");
        assert!(got.body.contains("was not begun in this browser") && !got.body.contains("<script"), "{}", got.body);
        assert!(got.cookie(SESSION_COOKIE).is_none());
    }
}
