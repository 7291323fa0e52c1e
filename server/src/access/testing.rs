//! What tests of accounts share.

use app::model::access::Role;

use super::{Access, Caller, Cost, Memory, Password, Rules, SessionLimits, Setup, User, users};
use crate::{clock::now, vault::Vault};

/// So cheap that a test can afford thousands.
pub(crate) const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

/// The password of every account in a test.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What a test goes by: open without accounts, the usual sessions, cheap passwords.
pub(crate) fn setup() -> Setup {
    Setup { rules: Rules::default(), sessions: SessionLimits::default(), may_be_open: true, cost: CHEAP }
}

/// Access to a vault as [`setup`] says.
pub(crate) fn access(vault: &Vault) -> Access {
    Access::start(vault.clone(), setup()).expect("access")
}

/// Makes an account with [`PASSWORD`].
pub(crate) async fn add(vault: &Vault, name: &str, role: Role) {
    let user = User { name: name.parse().expect("a name"), role, groups: Vec::new(), created: now(), changed: now() };
    let password = Password::typed(PASSWORD.to_owned()).hash(CHEAP, &mut Memory::default()).expect("hashed");
    let added = vault.call(move |c| Ok(users::add(c, &user, &password, &Caller::command_line("tester"))));
    added.await.expect("answered").expect("added");
}

/// Every line of the record: kind, action, who, outcome.
pub(crate) async fn record(vault: &Vault) -> Vec<String> {
    let read = vault.call(|c| {
        let sql = "SELECT kind || ' ' || action || ' ' || who || ' ' || outcome FROM record ORDER BY id";
        c.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    });
    read.await.expect("read")
}
