//! Who a request is from, and until when.

use std::time::Duration;

use axum::http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE},
};
use model::rights::{Pattern, Role};
use tokio::time::timeout;

use super::{
    active_principals::Reading,
    authn::credentials::SESSION_COOKIE,
    testing::{PASSWORD, add, audit_lines, auth, setup},
    *,
};
use crate::{
    audit::AuditLog,
    clock::now,
    db::{Database, DatabaseError},
};

const SECOND: Duration = Duration::from_secs(1);

async fn log_in(auth: &Auth, user: &str) -> Secret {
    let attempt = LogInAttempt {
        user: user.to_owned(),
        password: Password::new(PASSWORD.to_owned()),
        device: None,
        session: None,
        address: Peer::LOOPBACK.address,
        agent: String::new(),
    };
    auth.log_in(attempt).await.expect("in").session_secret
}

fn shows(secret: Secret) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, format!("{SESSION_COOKIE}={}", secret.reveal()).parse().expect("a value"));
    headers
}

async fn who(auth: &Auth, headers: &HeaderMap) -> Option<Principal> {
    auth.identify(headers, Peer::LOOPBACK).await.expect("answered")
}

/// Waits until the newest reading says whether there are accounts.
async fn until_open(auth: &Auth, is_open: bool) {
    let mut readings = auth.inner().active.clone();
    let reading = readings.wait_for(|active| active.reading == Reading::Done && active.is_open == is_open);
    timeout(SECOND, reading).await.expect("within a second").expect("the task runs");
}

#[tokio::test]
async fn nobody_waits_for_a_database_that_can_not_be_read() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    let rename = async |from: &'static str, to: &'static str| {
        let renamed = database.run(move |c| c.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))).await;
        renamed.expect("renamed");
    };
    rename("sessions", "elsewhere").await;
    let auth = auth(&database);
    let asked = timeout(SECOND, auth.identify(&HeaderMap::new(), Peer::LOOPBACK)).await.expect("an answer");
    assert!(matches!(asked, Err(DatabaseError::Unread)), "{asked:?}");
    rename("elsewhere", "sessions").await;
    let mut readings = auth.inner().active.clone();
    let read = readings.wait_for(|active| active.reading == Reading::Done);
    timeout(5 * SECOND, read).await.expect("it is tried again").expect("the task runs");
    assert!(who(&auth, &HeaderMap::new()).await.is_some());
}

#[tokio::test]
async fn without_accounts_whoever_reaches_loopback_may_do_everything_until_the_first_is_made() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    let auth = auth(&database);
    let principal = who(&auth, &HeaderMap::new()).await.expect("anybody");
    assert_eq!((&principal.method, principal.rights.role), (&AuthMethod::Open, Role::Admin));
    let ends = {
        let auth = auth.clone();
        tokio::spawn(async move { auth.wait_until_revoked(&principal).await })
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
    let removed = database.transact(move |c| users::remove(c, &name, &Principal::command_line("x")));
    removed.await.expect("answered").expect("removed");
    until_open(&auth, true).await;
    assert_eq!(who(&auth, &stale).await.map(|p| p.method), Some(AuthMethod::Open));
}

#[tokio::test]
async fn where_others_reach_the_address_nobody_is_let_in_without_accounts() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    let auth = Auth::start(database, AuthConfig { may_be_open: false, ..setup() }).expect("auth");
    assert_eq!(who(&auth, &HeaderMap::new()).await, None);
    assert!(!auth.is_open());
}

#[tokio::test]
async fn a_token_that_is_shown_is_never_passed_over_for_a_cookie_or_loopback() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    let auth = auth(&database);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, "Bearer slt_unknown".parse().expect("a value"));
    assert_eq!(who(&auth, &headers).await, None, "although there are no accounts");
    add(&database, "anna", Role::Viewer).await;
    let secret = log_in(&auth, "anna").await;
    for bad in ["Bearer slt_unknown", "Bearer a b"] {
        let mut headers = shows(secret);
        headers.insert(AUTHORIZATION, bad.parse().expect("a value"));
        assert_eq!(who(&auth, &headers).await, None, "{bad}");
    }
    let mut headers = shows(secret);
    headers.insert(AUTHORIZATION, "Basic eDp5".parse().expect("a value"));
    assert!(who(&auth, &headers).await.is_some(), "a reverse proxy's own");
}

#[tokio::test]
async fn a_session_has_the_role_of_now_and_what_was_let_in_with_another_ends() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Operator).await;
    let auth = auth(&database);
    let headers = shows(log_in(&auth, "anna").await);
    let principal = who(&auth, &headers).await.expect("anna");
    let ends = {
        let (auth, principal) = (auth.clone(), principal.clone());
        tokio::spawn(async move { auth.wait_until_revoked(&principal).await })
    };
    let name = "anna".parse().expect("a name");
    let changed =
        database.transact(move |c| users::set_role(c, &name, Role::Viewer, &Principal::command_line("x"), now()));
    changed.await.expect("answered").expect("changed");
    timeout(SECOND, ends).await.expect("within a second").expect("no panic").expect("answered");
    let again = who(&auth, &headers).await.expect("still logged in");
    assert_eq!((&again.method, again.rights.role), (&principal.method, Role::Viewer));
}

#[tokio::test]
async fn a_replayed_cookie_opens_nothing_after_the_log_out() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Operator).await;
    let auth = auth(&database);
    let (here, there) = (shows(log_in(&auth, "anna").await), shows(log_in(&auth, "anna").await));
    let principal = who(&auth, &here).await.expect("anna");
    assert_eq!(auth.log_out(&principal, false).await.expect("ended"), 1);
    assert!(who(&auth, &here).await.is_none() && who(&auth, &there).await.is_some());
    assert_eq!(auth.log_out(&principal, true).await.expect("answered"), 0, "an ended session ends nothing any more");
    let (here, principal) = (shows(log_in(&auth, "anna").await), who(&auth, &there).await.expect("anna"));
    assert_eq!(auth.log_out(&principal, true).await.expect("ended"), 2);
    assert!(who(&auth, &here).await.is_none() && who(&auth, &there).await.is_none());
    assert_eq!(audit_lines(&database).await.iter().filter(|line| *line == "login log-out anna done").count(), 2);
}

#[tokio::test]
async fn an_idle_session_ends_at_its_time_although_something_waits_for_that() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Viewer).await;
    for (idle, absolute) in [(600, 60_000), (60_000, 600)] {
        let [idle, absolute] = [idle, absolute].map(Duration::from_millis);
        let auth = Auth::start(database.clone(), AuthConfig { sessions: SessionLimits { idle, absolute }, ..setup() });
        let auth = auth.expect("auth");
        let headers = shows(log_in(&auth, "anna").await);
        let principal = who(&auth, &headers).await.expect("anna");
        timeout(2 * SECOND, auth.wait_until_revoked(&principal)).await.expect("in time").expect("answered");
        assert_eq!(who(&auth, &headers).await, None);
    }
}

#[tokio::test]
async fn a_session_that_begins_and_ends_between_two_readings_is_missed_by_nobody() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Viewer).await;
    let auth = auth(&database);
    for pause in [0, 5, 20, 60, 120] {
        let headers = shows(log_in(&auth, "anna").await);
        let principal = who(&auth, &headers).await.expect("anna");
        let ends = {
            let (auth, principal) = (auth.clone(), principal.clone());
            tokio::spawn(async move { auth.wait_until_revoked(&principal).await })
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        assert!(!ends.is_finished(), "{pause} ms");
        auth.log_out(&principal, false).await.expect("ended");
        timeout(SECOND, ends).await.expect("within a second").expect("no panic").expect("answered");
    }
}

#[tokio::test]
async fn a_provider_s_account_brings_its_role_and_is_not_the_local_one_of_its_name() {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Viewer).await;
    // What the groups of a provider's account may do, the configuration says.
    let roles = RoleMapping { admin: vec![Pattern("ops".to_owned())], ..RoleMapping::default() };
    let providers = IdentityProviders { roles, ..IdentityProviders::default() };
    let auth = Auth::start_with_providers(AuditLog::new(database.clone()), setup(), providers).expect("auth");
    let new = NewSession {
        user: "anna".to_owned(),
        origin: AccountOrigin::Oidc,
        role: Role::Admin,
        groups: vec!["ops".to_owned()],
        address: Peer::LOOPBACK.address,
        agent: String::new(),
    };
    let (secret, session) = auth.begin_session(new, None, "OpenID Connect").await.expect("begun");
    assert_eq!(session.origin, AccountOrigin::Oidc);
    let local = shows(log_in(&auth, "anna").await);
    let principal = who(&auth, &shows(secret)).await.expect("anna");
    assert_eq!(principal.rights.role, Role::Admin);
    auth.log_out(&principal, true).await.expect("ended");
    assert_eq!(who(&auth, &local).await.map(|p| p.rights.role), Some(Role::Viewer), "another account's session");
}
