//! Sessions in a database of memory, on a clock of the test.

use std::net::Ipv4Addr;

use super::*;
use crate::auth::new_id;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const LIMITS: SessionLimits =
    SessionLimits { idle: Duration::from_secs(60 * 60), absolute: Duration::from_secs(5 * 60 * 60) };

fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("memory");
    connection.execute_batch(crate::auth::SCHEMA).expect("tables");
    connection
}

fn new(user: &str) -> NewSession {
    NewSession {
        user: user.to_owned(),
        origin: AccountOrigin::Oidc,
        role: Role::Operator,
        groups: vec!["on-call".to_owned()],
        address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
        agent: "Browser\r\n\u{1b}[31m/1".to_owned(),
    }
}

/// A session that began at `now`: its id and what opens it.
fn begun(connection: &Connection, user: &str, now: i64) -> (String, Secret) {
    let (id, secret) = (new_id().expect("random bytes"), Secret::random().expect("random bytes"));
    create(connection, &new(user), &id, &secret, now).expect("created");
    (id, secret)
}

fn found(connection: &Connection, secret: &Secret, now: i64) -> Option<Session> {
    find(connection, secret, LIMITS, now).expect("answered")
}

#[test]
fn a_session_is_opened_by_its_secret_alone_and_kept_as_a_hash() {
    let connection = database();
    let (id, secret) = begun(&connection, "anna", 0);
    let session = found(&connection, &secret, 1).expect("lasts");
    assert_eq!(by_id(&connection, &id, LIMITS, 1).expect("answered"), Some(session.clone()));
    assert_eq!((session.user.as_str(), session.role, session.groups), ("anna", Role::Operator, vec!["on-call".into()]));
    assert_eq!((session.address.as_str(), session.agent.as_str()), ("10.0.0.1", "Browser  \u{fffd}[31m/1"));
    assert_eq!(found(&connection, &Secret::random().expect("random bytes"), 1), None);
    let kept: Vec<u8> = connection.query_row("SELECT hash FROM sessions", [], |row| row.get(0)).expect("a row");
    assert_eq!(kept, secret.hash().as_bytes());
    assert_ne!(kept, secret.reveal().as_bytes());
}

#[test]
fn a_session_ends_without_use_and_at_its_age_whatever_its_use() {
    let connection = database();
    let (_, secret) = begun(&connection, "anna", 0);
    let session = found(&connection, &secret, HOUR - 1).expect("lasts");
    assert_eq!(LIMITS.end(&session), HOUR);
    assert_eq!(found(&connection, &secret, HOUR), None);
    // Used every half an hour.
    for now in (1..10).map(|n| n * HOUR / 2) {
        let session = found(&connection, &secret, now).expect("lasts");
        touch(&connection, &session, now).expect("touched");
    }
    assert_eq!(LIMITS.end(&found(&connection, &secret, 5 * HOUR - 1).expect("lasts")), 5 * HOUR);
    assert_eq!(found(&connection, &secret, 5 * HOUR), None);
    assert_eq!(purge(&connection, LIMITS, 5 * HOUR - 1).expect("purged"), 0);
    assert_eq!(purge(&connection, LIMITS, 5 * HOUR).expect("purged"), 1);
}

#[test]
fn use_is_written_once_a_minute() {
    let connection = database();
    let (_, secret) = begun(&connection, "anna", 0);
    let used = |now| {
        touch(&connection, &found(&connection, &secret, now).expect("lasts"), now).expect("touched");
        found(&connection, &secret, now).expect("lasts").seen
    };
    let before = connection.total_changes();
    assert_eq!(used(MINUTE - 1), 0);
    assert_eq!(connection.total_changes(), before, "not even written");
    assert_eq!(used(MINUTE), MINUTE);
    assert_eq!(used(MINUTE + 5), MINUTE);
    assert_eq!(used(3 * MINUTE), 3 * MINUTE);
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_or_of_one_account() {
    let connection = database();
    let [(first, a), (second, b), (third, c)] = ["anna", "anna", "ben"].map(|user| begun(&connection, user, 0));
    let ids = |of| {
        let mut ids: Vec<_> = list(&connection, of, LIMITS, 1).expect("listed").into_iter().map(|s| s.id).collect();
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(ids(None), sorted(vec![first.clone(), second.clone(), third.clone()]));
    assert_eq!(ids(Some((AccountOrigin::Oidc, "anna"))), sorted(vec![first.clone(), second]));
    assert_eq!(ids(Some((AccountOrigin::Local, "anna"))), Vec::<String>::new());
    assert!(!end(&connection, &first, Some((AccountOrigin::Oidc, "ben"))).expect("answered"), "not theirs to end");
    assert!(end(&connection, &first, Some((AccountOrigin::Oidc, "anna"))).expect("answered"));
    assert!(!end(&connection, &first, None).expect("answered"));
    assert_eq!(found(&connection, &a, 1), None);
    assert_eq!(end_all_of(&connection, AccountOrigin::Oidc, "anna").expect("ended"), 1);
    assert_eq!(found(&connection, &b, 1), None);
    assert!(found(&connection, &c, 1).is_some());
    assert!(end_by_secret(&connection, &c).expect("answered") && !end_by_secret(&connection, &c).expect("answered"));
}

#[test]
fn an_account_has_so_many_sessions_and_the_one_left_alone_for_longest_goes() {
    let connection = database();
    let (_, oldest) = begun(&connection, "anna", 0);
    let (_, other) = begun(&connection, "ben", 0);
    for now in 1..=i64::from(MOST) {
        let (_, newest) = begun(&connection, "anna", now);
        assert!(found(&connection, &newest, now).is_some());
    }
    assert_eq!(list(&connection, None, LIMITS, 100).expect("listed").len(), MOST as usize + 1);
    assert_eq!(found(&connection, &oldest, 100), None);
    assert!(found(&connection, &other, 100).is_some());
}

#[test]
fn a_session_of_a_local_account_that_is_gone_opens_nothing() {
    let connection = database();
    let secret = Secret::random().expect("random bytes");
    let local = NewSession { origin: AccountOrigin::Local, ..new("anna") };
    create(&connection, &local, "1", &secret, 0).expect("created");
    assert_eq!(found(&connection, &secret, 1), None);
    let account = "INSERT INTO users VALUES ('anna', 'viewer', '[\"x\"]', '', 0, 0)";
    connection.execute(account, []).expect("an account");
    let session = found(&connection, &secret, 1).expect("lasts");
    assert_eq!((session.role, session.groups), (Role::Viewer, vec!["x".to_owned()]), "those of now");
}
