//! How long entries are kept: the oldest go when they are too old, and for no other reason. Otherwise whoever acts often
//! enough could push out what they did before.
//!
//! What goes is always the beginning of the chain. The anchor takes the number and the hash of the newest that goes, and
//! an entry in the same transaction says what went, so that `verify` tells it from a beginning that somebody cut off.

use std::time::Duration;

use model::audit::{Entry, Kind};
use rusqlite::{Connection, Transaction};

use super::{
    chain::{anchor, append, head},
    entry::by_sluice,
    time,
};

/// How much of the audit log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Entries older than this go.
    pub age: Duration,
    /// While the database uses as much, in bytes, no operation is begun: its entries take the most room. What anybody needs
    /// to mend that is still written.
    pub size: u64,
}

/// The most entries that go at once: some ten milliseconds in which nobody else can write.
const MAX_BATCH: i64 = 5_000;

/// The bytes that the database uses.
///
/// # Errors
/// What SQLite said.
pub fn used_bytes(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let used = (pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?;
    Ok(u64::try_from(used).unwrap_or_default())
}

/// Drops some of the oldest entries, where there are too old ones; how many went. To be called until none did.
///
/// # Errors
/// What SQLite said.
pub(super) fn drop_some(transaction: &Transaction<'_>, age: Duration, now: i64) -> Result<u64, rusqlite::Error> {
    let (from, newest) = (anchor(transaction)?.id, head(transaction)?.id);
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let count = too_old(transaction, from, newest, now.saturating_sub(age))?;
    if count == 0 {
        return Ok(0);
    }
    let to = from + count;
    let (first, last): (i64, i64) = transaction.query_row(
        "SELECT (SELECT at FROM record WHERE id = ?1), (SELECT at FROM record WHERE id = ?2)",
        [from + 1, to],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    transaction.execute("UPDATE record_anchor SET (id, hash) = (SELECT id, hash FROM record WHERE id = ?1)", [to])?;
    let gone = transaction.execute("DELETE FROM record WHERE id <= ?1", [to])?;
    let entry = Entry {
        outcome: anchor(transaction)?.to_string(),
        detail: format!(
            "entries {} to {to}, of {} to {}, were dropped because of their age",
            from + 1,
            time::format(first),
            time::format(last)
        ),
        at: now,
        ..by_sluice(Kind::Retention, "drop")
    };
    append(transaction, &entry)?;
    Ok(u64::try_from(gone).unwrap_or_default())
}

/// How many of the oldest were written before `since`.
fn too_old(connection: &Connection, from: i64, newest: i64, since: i64) -> Result<i64, rusqlite::Error> {
    let end = newest.min(from.saturating_add(MAX_BATCH));
    let first_kept: Option<i64> = connection.query_row(
        "SELECT min(id) FROM record WHERE id > ?1 AND id <= ?2 AND at >= ?3",
        [from, end, since],
        |row| row.get(0),
    )?;
    Ok(first_kept.map_or(end - from, |id| id - 1 - from))
}
