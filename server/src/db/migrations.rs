//! Versions of the tables, which SQLite keeps in a file's `user_version`, and the steps between them.

use rusqlite::{Connection, TransactionBehavior};

/// A step from one version of the tables to the next.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version that the file has afterwards. They count up from 1; a file of before they were counted has 0.
    pub version: i64,
    /// What makes it, from each room that owns tables.
    pub sql: &'static [&'static str],
}

/// The version that the program needs.
pub(super) fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.version)
}

/// The version that a file has.
pub(super) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Makes every step that the file has not made yet; all of them or none.
pub(super) fn migrate(connection: &mut Connection, migrations: &[Migration]) -> Result<(), rusqlite::Error> {
    // A migration that makes a table anew must not delete what refers to its rows.
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let from = version(&transaction)?;
    for migration in migrations.iter().filter(|migration| migration.version > from) {
        for sql in migration.sql {
            transaction.execute_batch(sql)?;
        }
        transaction.pragma_update(None, "user_version", migration.version)?;
    }
    transaction.commit()
}
