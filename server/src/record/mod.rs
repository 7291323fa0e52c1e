//! What was done, by whom, and what was refused: append-only, each entry chained to the one before it.

mod entry;

pub use entry::{Entry, Kind};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::vault::{Vault, VaultError};

/// This room's table.
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
";

/// The way to the record.
#[derive(Clone, Debug)]
pub struct Record {
    vault: Vault,
}

impl Record {
    /// The record in that file.
    #[must_use]
    pub fn new(vault: Vault) -> Self {
        Self { vault }
    }

    /// Adds an entry, and returns once it is on the disk.
    ///
    /// # Errors
    /// When it could not be written: then what it tells of must not be done.
    pub async fn append(&self, entry: Entry) -> Result<(), VaultError> {
        self.vault
            .call(move |connection| {
                let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                append(&transaction, &entry)?;
                transaction.commit()
            })
            .await
    }
}

/// Adds an entry, inside the transaction of what it tells of.
///
/// # Errors
/// What SQLite said.
pub fn append(connection: &Connection, entry: &Entry) -> Result<(), rusqlite::Error> {
    let last: Option<(i64, Vec<u8>)> = connection
        .query_row("SELECT id, hash FROM record ORDER BY id DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (id, before) = last.map_or((1, Vec::new()), |(id, hash)| (id + 1, hash));
    let Entry { at, kind, who, role, means, address, action, operation, targets, reason, outcome, detail } = entry;
    let hash = entry.hash(id, &before);
    connection.execute(
        "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            id,
            at,
            kind.word(),
            who,
            role,
            means,
            address,
            action,
            operation,
            targets,
            reason,
            outcome,
            detail,
            hash
        ],
    )?;
    Ok(())
}
