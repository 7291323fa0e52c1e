//! Who a reverse proxy says that somebody is.

use std::sync::Arc;

use model::rights::Pattern;

use crate::{
    auth::{IdentityProviders, Peer, RoleMapping, TrustedHeader},
    config::ListenerConfig,
    web::{
        AppState, ListenerSettings,
        account::page::tests::{ask_from, logged_in, state},
    },
};

/// A reverse proxy on this machine, whose groups `ops` and `admins` have a role.
pub(in crate::web) fn behind_a_proxy() -> IdentityProviders {
    let pattern = |p: &str| vec![Pattern(p.to_owned())];
    IdentityProviders {
        header: Some(TrustedHeader {
            user: "x-forwarded-user".parse().expect("a header"),
            groups: Some("x-forwarded-groups".parse().expect("a header")),
            from: vec!["127.0.0.0/8".parse().expect("a network")],
        }),
        roles: RoleMapping { admin: pattern("admins"), operator: pattern("ops"), viewer: Vec::new() },
        ..IdentityProviders::default()
    }
}

/// The reverse proxy, which passes on the name that browsers use.
const BY_URL: Peer = Peer { is_by_url: true, ..Peer::LOOPBACK };

#[tokio::test]
async fn a_header_counts_from_the_reverse_proxy_alone() {
    let state = state(behind_a_proxy()).await;
    let anna = [("x-forwarded-user", "admin"), ("x-forwarded-groups", "ops")];
    let me = ask_from(&state, "GET /api/v1/me", "", &anna, BY_URL).await.json();
    assert_eq!(
        (&me["user"], &me["role"], &me["means"]),
        (&"header:admin".into(), &"operator".into(), &"reverse proxy".into())
    );
    assert_eq!(
        ask_from(&state, "GET /admin", "", &anna, BY_URL).await.status,
        403,
        "the local admin of that name is another"
    );
    let boss = [("x-forwarded-user", "boss"), ("x-forwarded-groups", "admins")];
    assert_eq!(ask_from(&state, "GET /admin", "", &boss, BY_URL).await.status, 200);
    let page = ask_from(&state, "GET /account", "", &boss, BY_URL).await.body;
    assert!(
        page.contains("header:boss") && page.contains("reverse proxy") && !page.contains("/account/tokens"),
        "{page}"
    );
    // The address of the client that the proxy tells of is not the connection's.
    let elsewhere = Peer { connection: "10.0.0.1".parse().expect("ip"), is_secure: true, ..BY_URL };
    assert_eq!(ask_from(&state, "GET /api/v1/me", "", &boss, elsewhere).await.status, 401);
    assert_eq!(state.auth.identity_providers().ignored_headers.get(), 1);
    let stranger = [("x-forwarded-user", "eve"), ("x-forwarded-groups", "staff")];
    assert_eq!(ask_from(&state, "GET /stats", "", &stranger, BY_URL).await.location(), "/login?next=/stats");
    let told = ask_from(&state, "GET /login", "", &stranger, BY_URL).await.body;
    assert!(told.contains("Sluice is not open to header:eve"), "{told}");
    let twice = [("x-forwarded-user", "a"), ("x-forwarded-user", "b"), ("x-forwarded-groups", "ops")];
    assert_eq!(ask_from(&state, "GET /api/v1/me", "", &twice, BY_URL).await.status, 401);
}

#[tokio::test]
async fn a_page_of_a_stranger_s_name_that_leads_here_is_nobody() {
    let state = state(behind_a_proxy()).await;
    let boss = [("x-forwarded-user", "boss"), ("x-forwarded-groups", "admins")];
    // Its requests come from this machine's browser, which the configuration trusts as the reverse proxy.
    for peer in [Peer::LOOPBACK, Peer { is_by_loopback: false, ..Peer::LOOPBACK }] {
        assert_eq!(ask_from(&state, "GET /api/v1/me", "", &boss, peer).await.status, 401, "{peer:?}");
    }
}

#[tokio::test]
async fn cookies_are_kept_under_a_loopback_name_and_encrypted_ones_under_the_url() {
    let url = "https://sluice.example.org".parse().expect("an address");
    let config = ListenerConfig { url: Some(url), ..ListenerConfig::default() };
    let settings = ListenerSettings { config, has_plain_cookies: true, ..ListenerSettings::default() };
    let state = AppState { listener_settings: Arc::new(settings), ..state(behind_a_proxy()).await };
    let log_in = r#"{"user":"operator","password":"correct horse battery"}"#;
    for (peer, name, is_secure) in [(Peer::LOOPBACK, "sluice=", false), (BY_URL, "__Host-sluice=", true)] {
        let headers = ask_from(&state, "POST /api/v1/login", log_in, &[], peer).await.headers;
        let set = headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text"));
        let cookie = set.into_iter().find(|cookie| cookie.starts_with(name)).expect("a session");
        assert_eq!(cookie.contains("; Secure"), is_secure, "{cookie}");
        let cookie = cookie.split(';').next().expect("a pair");
        let other = if is_secure { Peer::LOOPBACK } else { BY_URL };
        for (from, status) in [(peer, 200), (other, 401)] {
            let me = ask_from(&state, "GET /api/v1/me", "", &[("cookie", cookie)], from).await;
            assert_eq!(me.status, status, "{cookie} {from:?}");
        }
    }
}

#[tokio::test]
async fn whoever_the_proxy_names_is_not_taken_for_whose_cookie_was_left() {
    let state = state(behind_a_proxy()).await;
    let cookie = logged_in(&state, "admin").await;
    let anna = [("x-forwarded-user", "anna"), ("x-forwarded-groups", "ops"), ("cookie", cookie.as_str())];
    let me = ask_from(&state, "GET /api/v1/me", "", &anna, BY_URL).await.json();
    assert_eq!((&me["user"], &me["role"]), (&"header:anna".into(), &"operator".into()));
    let nobody = [("x-forwarded-user", "eve"), ("x-forwarded-groups", "staff"), ("cookie", cookie.as_str())];
    assert_eq!(ask_from(&state, "GET /api/v1/me", "", &nobody, BY_URL).await.status, 401);
    let silent = [("cookie", cookie.as_str())];
    assert_eq!(ask_from(&state, "GET /api/v1/me", "", &silent, BY_URL).await.json()["user"], "admin");
}
