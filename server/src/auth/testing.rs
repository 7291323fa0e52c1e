//! What tests of accounts share.

use model::rights::Role;

use super::{Access, Cost, Memory, Password, Principal, Rules, SessionLimits, Setup, User, users};
use crate::{clock::now, db::Database};

/// So cheap that a test can afford thousands.
pub(crate) const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

/// The password of every account in a test.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What a test goes by: open without accounts, the usual sessions, cheap passwords.
pub(crate) fn setup() -> Setup {
    Setup { rules: Rules::default(), sessions: SessionLimits::default(), may_be_open: true, cost: CHEAP }
}

/// Access to a database as [`setup`] says.
pub(crate) fn auth(database: &Database) -> Access {
    Access::start(database.clone(), setup()).expect("access")
}

/// Makes an account with [`PASSWORD`].
pub(crate) async fn add(database: &Database, name: &str, role: Role) {
    let user = User { name: name.parse().expect("a name"), role, groups: Vec::new(), created: now(), changed: now() };
    let password = Password::typed(PASSWORD.to_owned()).hash(CHEAP, &mut Memory::default()).expect("hashed");
    let added = database.call(move |c| Ok(users::add(c, &user, &password, &Principal::command_line("tester"))));
    added.await.expect("answered").expect("added");
}

/// Every line of the record: kind, action, who, outcome.
pub(crate) async fn record(database: &Database) -> Vec<String> {
    let read = database.call(|c| {
        let sql = "SELECT kind || ' ' || action || ' ' || who || ' ' || outcome FROM record ORDER BY id";
        c.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    });
    read.await.expect("read")
}
