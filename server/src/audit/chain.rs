//! The chain: each entry is hashed with the hash of the one before it, and the head names the newest.

use std::{fmt, str::FromStr};

use model::audit::{COLUMNS, Entry};
use rusqlite::{Connection, ffi, params_from_iter, types::Value};

use super::entry::{cleaned, hash};

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
#[error("a head of the audit log is a number, a colon and 64 hexadecimal digits, as `sluice audit verify` shows it")]
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

/// The columns of the table: number, time, the texts, hash.
pub(super) fn column_names() -> String {
    let texts = COLUMNS.map(|column| column.name).join(", ");
    format!("id, at, {texts}, hash")
}

/// Adds an entry, inside the transaction of what it tells of. That must be an immediate one, because it reads what it
/// follows before it writes.
///
/// # Errors
/// What SQLite said.
pub fn append(connection: &Connection, entry: &Entry) -> Result<(), rusqlite::Error> {
    let before = head(connection)?;
    let id = before.id + 1;
    let entry = cleaned(entry.clone());
    let texts = entry.texts();
    let hash = hash(id, &before.hash, entry.at, &texts);
    let numbers = [Value::Integer(id), Value::Integer(entry.at)];
    let texts = texts.map(|text| Value::Text(text.to_owned()));
    let values: Vec<Value> = numbers.into_iter().chain(texts).chain([Value::Blob(hash.clone())]).collect();
    let places = vec!["?"; values.len()].join(", ");
    let insert = format!("INSERT INTO record ({}) VALUES ({places})", column_names());
    let inserted = connection.prepare(&insert)?.execute(params_from_iter(values))?;
    // A trigger or a view from outside may let it pass without a word.
    let written = head(connection)?;
    if inserted != 1 || written != (Head { id, hash }) {
        return Err(rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_CORRUPT),
            Some("the audit log did not take the entry: something else changed its table".to_owned()),
        ));
    }
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
