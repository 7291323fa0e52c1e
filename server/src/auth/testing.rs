//! What tests of accounts share.

use model::rights::Role;
use rusqlite::Transaction;

use super::{Auth, AuthConfig, Cost, HashMemory, Password, Principal, Rules, SessionLimits, User, users};
use crate::{
    clock::now,
    db::{Database, Handle},
};

/// So cheap that a test can afford thousands.
pub(crate) const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

/// The password of every account in a test.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The configuration of tests: open without accounts, the usual sessions, cheap passwords.
pub(crate) fn setup() -> AuthConfig {
    AuthConfig { rules: Rules::default(), sessions: SessionLimits::default(), may_be_open: true, cost: CHEAP }
}

/// [`Auth`] on a database, as [`setup`] says.
pub(crate) fn auth(database: &Database) -> Auth {
    Auth::start(database.clone(), setup()).expect("auth")
}

/// Does something in a transaction of its own.
pub(crate) fn in_transaction<T, E>(
    handle: &mut Handle,
    job: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    handle.transact(job).expect("answered")
}

/// Makes an account with [`PASSWORD`].
pub(crate) async fn add(database: &Database, name: &str, role: Role) {
    let user = User { name: name.parse().expect("a name"), role, groups: Vec::new(), created: now(), changed: now() };
    let password = Password::new(PASSWORD.to_owned()).hash(CHEAP, &mut HashMemory::default()).expect("hashed");
    let added = database.transact(move |c| users::add(c, &user, &password, &Principal::command_line("tester")));
    added.await.expect("answered").expect("added");
}

/// Every entry of the audit log: kind, action, who, outcome.
pub(crate) async fn audit_lines(database: &Database) -> Vec<String> {
    let read = database.run(|c| {
        let sql = "SELECT kind || ' ' || action || ' ' || who || ' ' || outcome FROM record ORDER BY id";
        c.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    });
    read.await.expect("read")
}
