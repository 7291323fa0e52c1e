//! The table, and what keeps it append-only: triggers refuse whatever is not the next entry, or the dropping of the
//! oldest ones as `retain` does it.
//!
//! Two tables of one row stand beside it. `record_head` names the newest entry, so that the end can't be cut off unseen;
//! `record_anchor` names the newest that was dropped, which is where the chain begins after.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, params_from_iter, types::Value};

use super::entry::{self, Entry};

/// This room's tables.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    means TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    operation TEXT NOT NULL,
    targets TEXT NOT NULL,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS record_configuration ON record (id) WHERE kind = 'configuration';
CREATE TABLE IF NOT EXISTS record_head (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS record_anchor (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
INSERT INTO record_head SELECT 1, 0, x'' WHERE NOT EXISTS (SELECT 1 FROM record_head);
INSERT INTO record_anchor SELECT 1, 0, x'' WHERE NOT EXISTS (SELECT 1 FROM record_anchor);

CREATE TRIGGER IF NOT EXISTS record_is_not_changed BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_keeps_what_is_new BEFORE DELETE ON record
WHEN OLD.id > (SELECT id FROM record_anchor)
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_is_in_order BEFORE INSERT ON record
WHEN NEW.id IS NOT (SELECT id FROM record_head) + 1
BEGIN SELECT RAISE(ABORT, 'this is not the next entry of the record'); END;
CREATE TRIGGER IF NOT EXISTS record_head_follows AFTER INSERT ON record
BEGIN UPDATE record_head SET id = NEW.id, hash = NEW.hash; END;

CREATE TRIGGER IF NOT EXISTS record_head_is_the_newest BEFORE UPDATE ON record_head
WHEN NEW.id <> OLD.id + 1 OR NOT EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'this is not the newest entry of the record'); END;
CREATE TRIGGER IF NOT EXISTS record_head_stays BEFORE DELETE ON record_head
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_anchor_goes_on BEFORE UPDATE ON record_anchor
WHEN NEW.id <= OLD.id OR NOT EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the record can only be dropped from its oldest entry on'); END;
CREATE TRIGGER IF NOT EXISTS record_anchor_stays BEFORE DELETE ON record_anchor
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
";

/// Names an entry by its number and its hash, and so all that came before it: `ID:HASH` as text, the hash in hexadecimal
/// digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The entry's number; 0 before the first.
    pub id: i64,
    /// Its SHA-256; empty before the first.
    pub hash: Vec<u8>,
}

/// Not `ID:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head of the record is a number, a colon and 64 hexadecimal digits, as `sluice audit verify` tells it")]
pub struct HeadError;

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, hex(&self.hash))
    }
}

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let (id, digits) = text.trim().split_once(':').ok_or(HeadError)?;
        let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let digits: Option<Vec<u8>> = digits.as_bytes().iter().map(digit).collect();
        let digits = digits.filter(|d| d.len() == 64).ok_or(HeadError)?;
        let hash = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        Ok(Self { id: id.parse().ok().filter(|id| *id > 0).ok_or(HeadError)?, hash })
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds an entry, inside the transaction of what it tells of. That must be an immediate one, because it reads what it
/// follows before it writes.
///
/// # Errors
/// What SQLite said.
pub fn append(connection: &Connection, entry: &Entry) -> Result<(), rusqlite::Error> {
    let before = head(connection)?;
    let id = before.id + 1;
    let entry = entry.clean();
    let texts = entry.texts();
    let hash = entry::hash(id, &before.hash, entry.at, &texts);
    let numbers = [Value::Integer(id), Value::Integer(entry.at)];
    let texts = texts.map(|text| Value::Text(text.to_owned()));
    let values = numbers.into_iter().chain(texts).chain([Value::Blob(hash)]);
    let mut insert = connection
        .prepare("INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")?;
    insert.execute(params_from_iter(values))?;
    Ok(())
}

/// The newest entry.
///
/// # Errors
/// What SQLite said.
pub fn head(connection: &Connection) -> Result<Head, rusqlite::Error> {
    named(connection, "SELECT id, hash FROM record_head")
}

/// The newest entry that was dropped.
pub(super) fn anchor(connection: &Connection) -> Result<Head, rusqlite::Error> {
    named(connection, "SELECT id, hash FROM record_anchor")
}

fn named(connection: &Connection, query: &str) -> Result<Head, rusqlite::Error> {
    connection.prepare(query)?.query_row([], |row| Ok(Head { id: row.get(0)?, hash: row.get(1)? }))
}
