//! Who a request is from, and until when.

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, COOKIE};
use model::rights::{Pattern, Role};
use tokio::time::timeout;

use super::*;
use crate::auth::{
    Attempt, Origin, Password, Roles, Setup,
    testing::{PASSWORD, add, auth, record, setup},
    users,
};

const SECOND: Duration = Duration::from_secs(1);

async fn log_in(auth: &Access, user: &str) -> Secret {
    let attempt = Attempt {
        user: user.to_owned(),
        password: Password::typed(PASSWORD.to_owned()),
        device: None,
        session: None,
        address: Peer::LOOPBACK.address,
        agent: String::new(),
    };
    auth.log_in(attempt).await.expect("in").token
}

fn shows(token: Secret) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, format!("{SESSION_COOKIE}={}", token.reveal()).parse().expect("a value"));
    headers
}

async fn who(auth: &Access, headers: &HeaderMap) -> Option<Principal> {
    auth.identify(headers, Peer::LOOPBACK).await.expect("answered")
}

/// Waits until what was read says whether there are accounts.
async fn until_open(auth: &Access, is_open: bool) {
    let mut standings = auth.inner.standings.clone();
    let told = standings.wait_for(|s| s.is_read && s.is_open == is_open);
    timeout(SECOND, told).await.expect("within a second").expect("the task runs");
}

#[tokio::test]
async fn without_accounts_whoever_reaches_loopback_may_do_everything_until_the_first_is_made() {
    let database = Database::in_memory().expect("memory");
    let auth = auth(&database);
    let principal = who(&auth, &HeaderMap::new()).await.expect("anybody");
    assert_eq!((&principal.means, principal.rights.role), (&AuthMethod::Open, Role::Admin));
    let ends = {
        let auth = auth.clone();
        tokio::spawn(async move { auth.ended(&principal).await })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!ends.is_finished());
    add(&database, "anna", Role::Viewer).await;
    timeout(SECOND, ends).await.expect("within a second").expect("no panic").expect("answered");
    assert_eq!(who(&auth, &HeaderMap::new()).await, None);
    // An old cookie opens nothing, with accounts and without.
    let stale = shows(Secret::random().expect("random bytes"));
    assert_eq!(who(&auth, &stale).await, None);
    let name = "anna".parse().expect("a name");
    let removed = database.call(move |c| Ok(users::remove(c, &name, &Principal::command_line("x"))));
    removed.await.expect("answered").expect("removed");
    until_open(&auth, true).await;
    assert_eq!(who(&auth, &stale).await.map(|c| c.means), Some(AuthMethod::Open));
}

#[tokio::test]
async fn where_others_reach_the_address_nobody_is_let_in_without_accounts() {
    let database = Database::in_memory().expect("memory");
    let auth = Access::start(database, Setup { may_be_open: false, ..setup() }).expect("access");
    assert_eq!(who(&auth, &HeaderMap::new()).await, None);
    assert!(!auth.is_open());
}

#[tokio::test]
async fn a_token_that_is_shown_is_never_passed_over_for_a_cookie_or_loopback() {
    let database = Database::in_memory().expect("memory");
    let auth = auth(&database);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, "Bearer slt_unknown".parse().expect("a value"));
    assert_eq!(who(&auth, &headers).await, None, "although there are no accounts");
    add(&database, "anna", Role::Viewer).await;
    let token = log_in(&auth, "anna").await;
    for bad in ["Bearer slt_unknown", "Bearer a b"] {
        let mut headers = shows(token);
        headers.insert(AUTHORIZATION, bad.parse().expect("a value"));
        assert_eq!(who(&auth, &headers).await, None, "{bad}");
    }
    let mut headers = shows(token);
    headers.insert(AUTHORIZATION, "Basic eDp5".parse().expect("a value"));
    assert!(who(&auth, &headers).await.is_some(), "a reverse proxy's own");
}

#[tokio::test]
async fn a_session_has_the_role_of_now_and_what_was_let_in_with_another_ends() {
    let database = Database::in_memory().expect("memory");
    add(&database, "anna", Role::Operator).await;
    let auth = auth(&database);
    let headers = shows(log_in(&auth, "anna").await);
    let principal = who(&auth, &headers).await.expect("anna");
    let ends = {
        let (auth, principal) = (auth.clone(), principal.clone());
        tokio::spawn(async move { auth.ended(&principal).await })
    };
    let name = "anna".parse().expect("a name");
    let changed =
        database.call(move |c| Ok(users::set_role(c, &name, Role::Viewer, &Principal::command_line("x"), now())));
    changed.await.expect("answered").expect("changed");
    timeout(SECOND, ends).await.expect("within a second").expect("no panic").expect("answered");
    let again = who(&auth, &headers).await.expect("still logged in");
    assert_eq!((&again.means, again.rights.role), (&principal.means, Role::Viewer));
}

#[tokio::test]
async fn a_replayed_cookie_opens_nothing_after_the_log_out() {
    let database = Database::in_memory().expect("memory");
    add(&database, "anna", Role::Operator).await;
    let auth = auth(&database);
    let (here, there) = (shows(log_in(&auth, "anna").await), shows(log_in(&auth, "anna").await));
    let principal = who(&auth, &here).await.expect("anna");
    assert_eq!(auth.end(&principal, false).await.expect("ended"), 1);
    assert!(who(&auth, &here).await.is_none() && who(&auth, &there).await.is_some());
    assert_eq!(auth.end(&principal, true).await.expect("answered"), 0, "an ended session ends nothing any more");
    let (here, principal) = (shows(log_in(&auth, "anna").await), who(&auth, &there).await.expect("anna"));
    assert_eq!(auth.end(&principal, true).await.expect("ended"), 2);
    assert!(who(&auth, &here).await.is_none() && who(&auth, &there).await.is_none());
    assert_eq!(record(&database).await.iter().filter(|line| *line == "login log-out anna done").count(), 2);
}

#[tokio::test]
async fn an_idle_session_ends_at_its_time_although_something_waits_for_that() {
    let database = Database::in_memory().expect("memory");
    add(&database, "anna", Role::Viewer).await;
    for (idle, absolute) in [(600, 60_000), (60_000, 600)] {
        let [idle, absolute] = [idle, absolute].map(Duration::from_millis);
        let auth = Access::start(database.clone(), Setup { sessions: SessionLimits { idle, absolute }, ..setup() });
        let auth = auth.expect("access");
        let headers = shows(log_in(&auth, "anna").await);
        let principal = who(&auth, &headers).await.expect("anna");
        timeout(2 * SECOND, auth.ended(&principal)).await.expect("in time").expect("answered");
        assert_eq!(who(&auth, &headers).await, None);
    }
}

#[tokio::test]
async fn a_session_that_begins_and_ends_between_two_looks_is_missed_by_nobody() {
    let database = Database::in_memory().expect("memory");
    add(&database, "anna", Role::Viewer).await;
    let auth = auth(&database);
    for pause in [0, 5, 20, 60, 120] {
        let headers = shows(log_in(&auth, "anna").await);
        let principal = who(&auth, &headers).await.expect("anna");
        let ends = {
            let (auth, principal) = (auth.clone(), principal.clone());
            tokio::spawn(async move { auth.ended(&principal).await })
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        assert!(!ends.is_finished(), "{pause} ms");
        auth.end(&principal, false).await.expect("ended");
        timeout(SECOND, ends).await.expect("within a second").expect("no panic").expect("answered");
    }
}

#[tokio::test]
async fn a_provider_s_account_brings_its_role_and_is_not_the_local_one_of_its_name() {
    let database = Database::in_memory().expect("memory");
    add(&database, "anna", Role::Viewer).await;
    // What the groups of a provider's account may do, the configuration says.
    let roles = Roles { admin: vec![Pattern("ops".to_owned())], ..Roles::default() };
    let outside = IdentityProviders { roles, ..IdentityProviders::default() };
    let auth = Access::start_with(AuditLog::new(database.clone()), setup(), outside).expect("access");
    let new = NewSession {
        user: "anna".to_owned(),
        origin: Origin::Oidc,
        role: Role::Admin,
        groups: vec!["ops".to_owned()],
        address: Peer::LOOPBACK.address,
        agent: String::new(),
    };
    let (secret, session) = auth.begin(new, None, "OpenID Connect").await.expect("begun");
    assert_eq!(session.origin, Origin::Oidc);
    let local = shows(log_in(&auth, "anna").await);
    let principal = who(&auth, &shows(secret)).await.expect("anna");
    assert_eq!(principal.rights.role, Role::Admin);
    auth.end(&principal, true).await.expect("ended");
    assert_eq!(who(&auth, &local).await.map(|c| c.rights.role), Some(Role::Viewer), "another account's session");
}
