//! Who a reverse proxy says that somebody is.

use model::rights::Pattern;

use crate::{
    auth::{IdentityProviders, Peer, RoleMapping, TrustedHeader},
    web::account::page::tests::{ask, ask_from, state},
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

#[tokio::test]
async fn a_header_counts_from_the_reverse_proxy_alone() {
    let state = state(behind_a_proxy()).await;
    let anna = [("x-forwarded-user", "admin"), ("x-forwarded-groups", "ops")];
    let me = ask(&state, "GET /api/v1/me", "", &anna).await.json();
    assert_eq!(
        (&me["user"], &me["role"], &me["means"]),
        (&"header:admin".into(), &"operator".into(), &"reverse proxy".into())
    );
    assert_eq!(ask(&state, "GET /admin", "", &anna).await.status, 403, "the local admin of that name is another");
    let boss = [("x-forwarded-user", "boss"), ("x-forwarded-groups", "admins")];
    assert_eq!(ask(&state, "GET /admin", "", &boss).await.status, 200);
    let page = ask(&state, "GET /account", "", &boss).await.body;
    assert!(
        page.contains("header:boss") && page.contains("reverse proxy") && !page.contains("/account/tokens"),
        "{page}"
    );
    // The address of the client that the proxy tells of is not the connection's.
    let elsewhere = Peer { connection: "10.0.0.1".parse().expect("ip"), is_secure: true, ..Peer::LOOPBACK };
    assert_eq!(ask_from(&state, "GET /api/v1/me", "", &boss, elsewhere).await.status, 401);
    assert_eq!(state.auth.identity_providers().ignored_headers.get(), 1);
    let stranger = [("x-forwarded-user", "eve"), ("x-forwarded-groups", "staff")];
    assert_eq!(ask(&state, "GET /stats", "", &stranger).await.location(), "/login?next=/stats");
    let told = ask(&state, "GET /login", "", &stranger).await.body;
    assert!(told.contains("Header:eve may not use Sluice") || told.contains("header:eve may not use Sluice"), "{told}");
    let twice = [("x-forwarded-user", "a"), ("x-forwarded-user", "b"), ("x-forwarded-groups", "ops")];
    assert_eq!(ask(&state, "GET /api/v1/me", "", &twice).await.status, 401);
}
