//! Accounts in a database of memory.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::{
    auth::{
        Cost, HashMemory, NewSession, Password, Secret, SessionLimits, authn::devices, new_id, password_update,
        testing::in_transaction,
    },
    db::Handle,
};

const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

fn database() -> Handle {
    Handle::in_memory(crate::schema::MIGRATIONS).expect("memory")
}

fn name(text: &str) -> UserName {
    text.parse().expect("a name")
}

fn hash(text: &str) -> PasswordHash {
    Password::new(text.to_owned()).hash(CHEAP, &mut HashMemory::default()).expect("hashed")
}

fn account(text: &str, role: Role) -> User {
    User { name: name(text), role, groups: vec!["on-call".to_owned()], created: 1, changed: 1 }
}

fn by() -> Principal {
    Principal::command_line("root")
}

/// The audit log: who, kind, action, targets, detail.
fn audit_lines(connection: &Connection) -> Vec<String> {
    let sql = "SELECT who || ' ' || kind || ' ' || action || ' ' || targets || ' ' || detail FROM record ORDER BY id";
    let mut statement = connection.prepare(sql).expect("a statement");
    statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts")
}

/// Logs somebody in; what opens the session.
fn logged_in(connection: &Connection, user: &str) -> Secret {
    let secret = Secret::random().expect("random bytes");
    let new = NewSession {
        user: user.to_owned(),
        origin: AccountOrigin::Local,
        role: Role::Viewer,
        groups: Vec::new(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        agent: String::new(),
    };
    sessions::create(connection, &new, &new_id().expect("random bytes"), &secret, 1).expect("created");
    devices::remember(connection, &name(user), &secret, 1).expect("kept");
    secret
}

fn role_of(connection: &Connection, secret: &Secret) -> Option<Role> {
    sessions::find(connection, secret, SessionLimits::default(), 2).expect("answered").map(|session| session.role)
}

#[test]
fn a_name_has_the_characters_of_names() {
    for good in ["anna", "a.b-c_D@example.org", "0", &"x".repeat(64)] {
        assert_eq!(name(good).to_string(), good);
    }
    for bad in ["", "a b", "a/b", "\u{e9}", "a\n", "a:b", "a'", &"x".repeat(65)] {
        assert_eq!(bad.parse::<UserName>(), Err(UserNameError), "{bad:?}");
    }
}

#[test]
fn a_group_is_one_name_that_can_be_read() {
    assert_eq!(group(" on-call "), Ok("on-call".to_owned()));
    for bad in ["", "  ", "a,b", "a\nb", "a\0", "\u{202e}a", &"x".repeat(LONGEST + 1)] {
        assert_eq!(group(bad), Err(GroupError), "{bad:?}");
    }
}

#[test]
fn an_account_is_made_once_and_each_change_is_in_the_audit_log() {
    let mut connection = database();
    assert!(!has_any(&connection).expect("answered"));
    let anna = account("anna", Role::Operator);
    in_transaction(&mut connection, |t| add(t, &anna, &hash("first password"), &by())).expect("added");
    assert!(has_any(&connection).expect("answered"));
    let again = in_transaction(&mut connection, |t| add(t, &anna, &hash("second password"), &by()));
    assert!(matches!(again, Err(UserError::Exists(_))), "{again:?}");
    let (found, kept) = find(&connection, &anna.name).expect("answered").expect("there");
    assert_eq!(found, anna);
    assert!(kept.verifies(&Password::new("first password".to_owned()), &mut HashMemory::default()));
    in_transaction(&mut connection, |t| set_role(t, &anna.name, Role::Viewer, &by(), 5)).expect("changed");
    in_transaction(&mut connection, |t| {
        password_update::set_password(t, &anna.name, &hash("third password"), &by(), 6)
    })
    .expect("changed");
    let groups = ["dba", "ops"].map(|name| group(name).expect("a group")).to_vec();
    in_transaction(&mut connection, |t| set_groups(t, &anna.name, &groups, &by(), 7)).expect("changed");
    let listed = list(&connection).expect("listed");
    assert_eq!(listed, [User { role: Role::Viewer, groups, changed: 7, ..anna.clone() }]);
    in_transaction(&mut connection, |t| set_groups(t, &anna.name, &[], &by(), 8)).expect("changed");
    in_transaction(&mut connection, |t| remove(t, &anna.name, &by())).expect("removed");
    assert_eq!(list(&connection).expect("listed"), []);
    for missing in [
        in_transaction(&mut connection, |t| set_role(t, &anna.name, Role::Viewer, &by(), 7)),
        in_transaction(&mut connection, |t| password_update::set_password_only(t, &anna.name, &hash("x"), &by(), 7)),
        in_transaction(&mut connection, |t| set_groups(t, &anna.name, &[], &by(), 7)),
        in_transaction(&mut connection, |t| remove(t, &anna.name, &by())),
    ] {
        assert!(matches!(missing, Err(UserError::Missing(_))), "{missing:?}");
    }
    assert_eq!(
        audit_lines(&connection),
        [
            r#"root account user.add ["anna"] role operator, groups on-call"#,
            r#"root account user.role ["anna"] operator to viewer"#,
            r#"root account user.passwd ["anna"] sessions ended: 0"#,
            r#"root account user.groups ["anna"] from on-call to dba, ops"#,
            r#"root account user.groups ["anna"] from dba, ops to none"#,
            r#"root account user.remove ["anna"] sessions ended: 0"#,
        ]
    );
}

#[test]
fn a_new_password_or_the_end_of_an_account_ends_its_sessions_and_no_other() {
    let mut connection = database();
    for user in ["anna", "ben"] {
        in_transaction(&mut connection, |t| add(t, &account(user, Role::Viewer), &hash("x"), &by())).expect("added");
    }
    let known = |connection: &Connection, secret: &Secret| {
        devices::is_known_to(connection, &name("anna"), secret.hash(), 2).expect("answered")
    };
    let [first, ben] = ["anna", "ben"].map(|user| logged_in(&connection, user));
    assert!(role_of(&connection, &first).is_some() && known(&connection, &first));
    in_transaction(&mut connection, |t| password_update::set_password(t, &name("anna"), &hash("y"), &by(), 5))
        .expect("changed");
    assert!(role_of(&connection, &first).is_none() && !known(&connection, &first));
    let second = logged_in(&connection, "anna");
    in_transaction(&mut connection, |t| set_role(t, &name("anna"), Role::Admin, &by(), 6)).expect("changed");
    assert_eq!(role_of(&connection, &second), Some(Role::Admin), "at once");
    in_transaction(&mut connection, |t| remove(t, &name("anna"), &by())).expect("removed");
    assert_eq!(role_of(&connection, &second), None);
    assert_eq!(role_of(&connection, &ben), Some(Role::Viewer));
    // Another account of the same name gets nothing of the old one's.
    in_transaction(&mut connection, |t| add(t, &account("anna", Role::Viewer), &hash("z"), &by())).expect("added");
    assert_eq!(role_of(&connection, &second), None);
}

#[test]
fn nothing_is_changed_that_can_t_be_audited() {
    let mut connection = database();
    connection.execute_batch("DROP TABLE record").expect("dropped");
    let added = in_transaction(&mut connection, |t| add(t, &account("anna", Role::Admin), &hash("x"), &by()));
    assert!(matches!(added, Err(UserError::Database(_))), "{added:?}");
    assert!(!has_any(&connection).expect("answered"));
}
