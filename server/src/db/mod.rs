//! The one file that Sluice keeps, `sluice.db` in its data folder, in SQLite: accounts, sessions and the audit log.
//!
//! One thread owns the connection that writes and another one that reads; everybody else hands them jobs. What tables there
//! are is handed in as [`Migration`]s: this room knows none of them.

mod error;
mod file;
mod handle;
mod migrations;
mod permissions;
mod schema;
#[cfg(test)]
mod tests;
mod worker;

use std::{path::Path, time::Duration};

use rusqlite::{Connection, Transaction};
use tokio::sync::watch;

pub use error::DatabaseError;
pub use file::{connect, open_read_only};
pub use handle::Handle;
pub use migrations::Migration;
pub use schema::schema_difference;

use worker::Worker;

/// How long a job may wait in memory: there is no disk that could hang, and tests let hours pass at once.
const START_TIMEOUT_IN_MEMORY: Duration = Duration::from_secs(24 * 3_600);

/// The way to the file.
#[derive(Clone, Debug)]
pub struct Database {
    writer: Worker<Handle>,
    /// Nothing in memory, where one connection has all.
    reader: Option<Worker<Connection>>,
    changes: watch::Receiver<u64>,
}

impl Database {
    /// Opens the file, which is made where it is missing and migrated where it is older, and starts its threads; they end
    /// with the last handle. Needs tokio's runtime.
    ///
    /// # Errors
    /// As [`connect`], or when there is no thread.
    pub fn open(dir: &Path, migrations: &[Migration]) -> Result<Self, DatabaseError> {
        let (changed, changes) = watch::channel(0);
        let writer = Worker::start_watching("database-write", connect(dir, migrations)?, changed)?;
        let reader = Worker::start("database-read", file::reader(dir)?)?;
        Ok(Self { writer, reader: Some(reader), changes })
    }

    /// The same in memory alone, gone with the last handle: for tests and measurements. One connection writes and reads: a
    /// database in memory that two share has locks of its own kind.
    ///
    /// # Errors
    /// When there is no memory, or no thread.
    pub fn in_memory(migrations: &[Migration]) -> Result<Self, DatabaseError> {
        let handle = Handle::in_memory(migrations)?;
        let (changed, changes) = watch::channel(0);
        let worker = Worker::start_watching("database", handle, changed)?;
        Ok(Self { writer: worker.with_start_timeout(START_TIMEOUT_IN_MEMORY), reader: None, changes })
    }

    /// Has the one writer do something, and waits for it. What was begun is done when nobody waits any more; what was not
    /// begun in time never is, so that whoever was told so can rely on it.
    ///
    /// # Errors
    /// What SQLite said, or that it took too long.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.writer.run(|handle| job(handle)).await
    }

    /// Has the one writer do something in a transaction: all of it, or nothing where `job` fails; see
    /// [`Handle::transact`].
    ///
    /// # Errors
    /// As [`Self::run`]; what `job` failed with is inside.
    pub async fn transact<T: Send + 'static, E: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, DatabaseError> {
        self.writer.run(|handle| handle.transact(job)).await
    }

    /// Has the reader do something, beside whatever is written meanwhile; everything that was written before is there. A job
    /// that would change anything fails.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        match &self.reader {
            Some(reader) => reader.run(|connection| job(connection)).await,
            None => {
                let job = |handle: &mut Handle| {
                    let connection: &Connection = handle;
                    let _query_only = QueryOnly::begin(connection)?;
                    job(connection)
                };
                self.writer.run(job).await
            }
        }
    }

    /// Counts the changes that any process made to the file.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }
}

/// A connection that changes nothing until this ends, however it ends.
struct QueryOnly<'a> {
    connection: &'a Connection,
    was: bool,
}

impl<'a> QueryOnly<'a> {
    fn begin(connection: &'a Connection) -> Result<Self, rusqlite::Error> {
        let was = connection.pragma_query_value(None, "query_only", |row| row.get(0))?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection, was })
    }
}

impl Drop for QueryOnly<'_> {
    fn drop(&mut self) {
        // It was set a moment ago; where it can't be set back, nothing can be written, and whoever tries is told.
        let _: Result<(), rusqlite::Error> = self.connection.pragma_update(None, "query_only", self.was);
    }
}
