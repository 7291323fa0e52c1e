//! What every change of an account, a session, a token or a wall link has in common: a transaction that may write from
//! its beginning, an entry in the audit log, and texts that are fit to be stored.

use model::text;
use rusqlite::Transaction;

use super::{Principal, columns};
use crate::audit::{self, Entry, Kind};

/// How long a token or wall link is still listed after it expired, milliseconds.
const LISTED: i64 = 30 * 24 * 60 * 60 * 1_000;

/// The longest id that an error message repeats, in characters.
const LONGEST_ID: usize = 40;

/// Deletes the rows of a table that expired long ago.
pub(super) fn purge_expired(
    transaction: &Transaction<'_>,
    table: &'static str,
    now: i64,
) -> Result<(), rusqlite::Error> {
    transaction.execute(&format!("DELETE FROM {table} WHERE expires < ?1"), [now - LISTED]).map(|_| ())
}

/// Somebody's words on one line, at most `longest` characters, without characters that could deceive a reader.
pub(super) fn one_line(words: &str, longest: usize) -> String {
    text::plain(words).trim().chars().take(longest).collect()
}

/// An id as somebody typed it, for the message that nothing has it.
pub(super) fn quotable_id(id: &str) -> String {
    id.chars().take(LONGEST_ID).collect()
}

/// Writes to the audit log, in the transaction of the change, that `by` changed what `about` names.
pub(super) fn audit_change(
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
