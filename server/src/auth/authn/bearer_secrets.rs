//! What API tokens and wall links have in common: each is a secret that opens something for a while, of which the hash is
//! kept, under a public name.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{
    audit::{self, Entry, Kind},
    auth::{Principal, columns},
};

/// How long one that ended by its age is still listed, milliseconds.
const LISTED: i64 = 30 * 24 * 60 * 60 * 1_000;

/// The longest public name that is told back to somebody, in characters.
const LONGEST_NAME: usize = 40;

/// Takes the right to write at once: two that read first could both go beyond a bound.
pub(in crate::auth) fn begin(connection: &mut Connection) -> Result<Transaction<'_>, rusqlite::Error> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Forgets those of a table that ended long ago.
pub(in crate::auth) fn forget(
    transaction: &Transaction<'_>,
    table: &'static str,
    now: i64,
) -> Result<(), rusqlite::Error> {
    transaction.execute(&format!("DELETE FROM {table} WHERE expires < ?1"), [now - LISTED]).map(|_| ())
}

/// Somebody's words on one line, no longer than `most` characters, with nothing that a reader could be deceived with.
pub(in crate::auth) fn shown(text: &str, most: usize) -> String {
    audit::plain(text).trim().chars().take(most).collect()
}

/// A public name as somebody typed it, for telling them that there is none.
pub(in crate::auth) fn named(id: &str) -> String {
    id.chars().take(LONGEST_NAME).collect()
}

/// Tells the record that an account, session, token or link was changed, in the transaction of the change.
pub(in crate::auth) fn tell(
    transaction: &Transaction<'_>,
    by: &Principal,
    action: &str,
    about: &str,
    detail: String,
) -> Result<(), rusqlite::Error> {
    let targets = columns::list(&[about.to_owned()]);
    let entry = Entry { targets, detail, outcome: "done".to_owned(), ..by.entry(Kind::Account, action) };
    audit::append(transaction, &entry)
}
