//! Whoever lost a right changes nothing, however they were authenticated.

use std::net::{IpAddr, Ipv4Addr};

use model::rights::Role;

use super::*;
use crate::{
    auth::{
        LogInAttempt, Password,
        authn::{
            tokens::{self, NewToken, Scope},
            wall_links::{self, NewWallLink},
        },
        testing::{PASSWORD, add, auth},
    },
    db::Database,
    schema::MIGRATIONS,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn with_anna() -> (Database, Auth) {
    let database = Database::in_memory(MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Admin).await;
    add(&database, "root", Role::Admin).await;
    (database.clone(), auth(&database))
}

async fn by_session(auth: &Auth) -> Principal {
    let attempt = LogInAttempt {
        user: "anna".to_owned(),
        password: Password::new(PASSWORD.to_owned()),
        device: None,
        session: None,
        address: HERE,
        agent: String::new(),
    };
    auth.log_in(attempt).await.expect("logged in").principal
}

async fn by_token(database: &Database, scope: Scope) -> Principal {
    let new = NewToken { user: "anna".parse().expect("a name"), scope, note: String::new(), expires: now() + 60_000 };
    let made = database.transact(move |t| tokens::add(t, &new, &Principal::command_line("test"), now()));
    let (token, _) = made.await.expect("answered").expect("made");
    let role = if scope == Scope::Read { Role::Viewer } else { Role::Admin };
    let rights = Arc::new(Rights { role, grants: None });
    Principal { name: "anna".to_owned(), method: AuthMethod::Token(token.id), rights, address: HERE }
}

async fn execute(database: &Database, sql: &'static str) {
    database.run(move |connection| connection.execute(sql, [])).await.expect("done");
}

/// What a change on behalf of somebody comes to, and whether anything was changed.
async fn change(database: &Database, auth: &Auth, by: &Principal, permission: Permission) -> Option<Revoked> {
    let count = async || {
        let sql = "SELECT count(*) FROM devices WHERE user = 'changed'";
        database.read(move |c| c.query_row(sql, [], |row| row.get::<_, i64>(0))).await.expect("read")
    };
    let before = count().await;
    let changed = auth.change(by, permission, |transaction, _| {
        transaction.execute("INSERT INTO devices (user, hash, used) VALUES ('changed', randomblob(32), 0)", [])
    });
    let revoked = match changed.await {
        Ok(Ok(1)) => None,
        Err(ChangeError::Revoked(revoked)) => Some(revoked),
        other => panic!("{other:?}"),
    };
    let after = count().await;
    assert_eq!(after - before, i64::from(revoked.is_none()));
    revoked
}

#[tokio::test]
async fn a_session_changes_as_long_as_it_lasts_and_its_account_may() {
    let (database, auth) = with_anna().await;
    let by = by_session(&auth).await;
    assert_eq!(change(&database, &auth, &by, Permission::ManageAccounts).await, None);
    execute(&database, "UPDATE users SET role = 'operator' WHERE name = 'anna'").await;
    let revoked = change(&database, &auth, &by, Permission::ManageAccounts).await.expect("lowered");
    assert_eq!(revoked.now.as_ref().map(|by| by.rights.role), Some(Role::Operator));
    assert!(revoked.to_string().contains("logged in with the role admin"), "{revoked}");
    assert_eq!(change(&database, &auth, &by, Permission::Act).await, None);
    execute(&database, "DELETE FROM sessions").await;
    let revoked = change(&database, &auth, &by, Permission::OwnAccount).await.expect("ended");
    assert!(revoked.now.is_none() && revoked.to_string().contains("not logged in any more"), "{revoked}");
}

#[tokio::test]
async fn a_token_a_link_and_an_open_door_are_looked_at_again_too() {
    let (database, auth) = with_anna().await;
    let by = by_token(&database, Scope::Act).await;
    assert_eq!(change(&database, &auth, &by, Permission::Act).await, None);
    assert!(change(&database, &auth, &by, Permission::OwnAccount).await.is_some(), "tokens make no tokens");
    execute(&database, "DELETE FROM tokens").await;
    assert!(change(&database, &auth, &by, Permission::Act).await.is_some());
    let by = by_token(&database, Scope::Read).await;
    assert!(change(&database, &auth, &by, Permission::Act).await.is_some());

    let new = NewWallLink { name: "noc".to_owned(), clusters: vec!["*".to_owned()], expires: now() + 60_000 };
    let made = database.transact(move |t| wall_links::add(t, &new, &Principal::command_line("test"), now()));
    let (link, _) = made.await.expect("answered").expect("made");
    let rights = Arc::new(link.rights());
    let by = Principal { name: "wall noc".to_owned(), method: AuthMethod::WallLink(link.id), rights, address: HERE };
    assert!(change(&database, &auth, &by, Permission::Act).await.is_some());

    // Open for everybody until the first account is made.
    let by = Principal::open(HERE);
    assert!(change(&database, &auth, &by, Permission::Act).await.is_some());
    execute(&database, "DELETE FROM users").await;
    assert_eq!(change(&database, &auth, &by, Permission::Act).await, None);
    // What a reverse proxy or the command line says is said anew each time.
    for method in [AuthMethod::Header, AuthMethod::CommandLine] {
        let by = Principal { method, ..Principal::command_line("root") };
        assert_eq!(change(&database, &auth, &by, Permission::Act).await, None);
    }
}

#[tokio::test]
async fn the_account_s_rights_outlive_its_session_and_end_with_it() {
    let (database, auth) = with_anna().await;
    let (session, token) = (by_session(&auth).await, by_token(&database, Scope::Act).await);
    execute(&database, "DELETE FROM sessions").await;
    execute(&database, "DELETE FROM tokens").await;
    let role = async |by: &Principal| auth.account_rights(by).await.expect("read").map(|rights| rights.role);
    for by in [&session, &token] {
        assert_eq!(role(by).await, Some(Role::Admin));
    }
    execute(&database, "UPDATE users SET role = 'viewer' WHERE name = 'anna'").await;
    for by in [&session, &token] {
        assert_eq!(role(by).await, Some(Role::Viewer));
    }
    // Of people whom another system vouches for, what came with their log-in.
    let elsewhere = Principal { name: "oidc:anna".to_owned(), ..session.clone() };
    execute(&database, "DELETE FROM users WHERE name = 'anna'").await;
    assert_eq!((role(&session).await, role(&token).await), (None, None));
    assert_eq!(role(&elsewhere).await, Some(Role::Admin));
    assert_eq!(role(&Principal::open(HERE)).await, None, "there are accounts");
    assert_eq!(role(&Principal::anonymous("nobody", HERE)).await, None);
}
