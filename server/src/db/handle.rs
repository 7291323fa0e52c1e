//! A connection that writes, and what is checked before anything is written by it: that the files are still those that were
//! opened, that nobody else may write them, and that the tables are those of the program.

use std::{
    fs,
    ops::{Deref, DerefMut},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    error::DatabaseError,
    migrations::{self, Migration, migrate, newest},
    permissions,
    schema::Schema,
};

/// A connection that writes.
#[derive(Debug)]
pub struct Handle {
    connection: Connection,
    integrity: Integrity,
}

/// What the files were when they were opened.
#[derive(Debug)]
struct Integrity {
    /// The file and what SQLite keeps beside it; nothing in memory.
    files: Vec<File>,
    schema: Schema,
    /// The version that the tables are marked as.
    version: i64,
    /// SQLite's `data_version` when the tables were last compared: it changes with whatever another connection writes.
    compared: Option<i64>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Handle {
    /// A connection to the file at `path`, which the migrations have brought up to date.
    ///
    /// # Errors
    /// When the file is not to be found, or its tables are not those of the migrations.
    pub(super) fn new(connection: Connection, path: &Path, migrations: &[Migration]) -> Result<Self, DatabaseError> {
        // What is beside the file is there from the first reading on, for as long as a connection is open.
        let mut handle = Self::checked(connection, vec![File::of(path)?], migrations)?;
        for beside in permissions::beside(path) {
            handle.integrity.files.push(File::of(&beside)?);
        }
        Ok(handle)
    }

    /// A connection to a database in memory, which the migrations have made.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn in_memory(migrations: &[Migration]) -> Result<Self, DatabaseError> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection, migrations)?;
        set_up(&connection)?;
        Self::checked(connection, Vec::new(), migrations)
    }

    fn checked(connection: Connection, files: Vec<File>, migrations: &[Migration]) -> Result<Self, DatabaseError> {
        let version = newest(migrations);
        let schema = Schema::expected(migrations, version)?;
        let mut handle = Self { connection, integrity: Integrity { files, schema, version, compared: None } };
        handle.integrity.check(&handle.connection)?;
        Ok(handle)
    }

    /// Does something in a transaction: all of it, or nothing where `job` fails, or where the files are not what they were. It may
    /// write from its beginning, since two that read first could both go beyond a bound.
    ///
    /// # Errors
    /// When it was not tried; what `job` failed with is inside.
    pub fn transact<T, E>(
        &mut self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<Result<T, E>, DatabaseError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.integrity.check(&transaction)?;
        let done = job(&transaction);
        if done.is_ok() {
            transaction.commit()?;
        }
        Ok(done)
    }
}

/// Sets up a connection that writes.
pub(super) fn set_up(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What the audit log holds must survive a power cut: it is written before HAProxy is told anything.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

impl Integrity {
    fn check(&mut self, connection: &Connection) -> Result<(), DatabaseError> {
        for file in &self.files {
            file.check()?;
        }
        if let Some(folder) = self.files.first().and_then(|file| file.path.parent()) {
            permissions::check_folder(folder)?;
        }
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if self.compared != Some(version) {
            let is_marked = migrations::version(connection)? == self.version;
            let unmarked = (!is_marked).then(|| format!("they are not marked as version {}", self.version));
            if let Some(what) = self.schema.difference(&Schema::of(connection)?).or(unmarked) {
                let path = self.files.first().map(|file| file.path.clone()).unwrap_or_default();
                return Err(DatabaseError::Altered { path, what });
            }
            self.compared = Some(version);
        }
        Ok(())
    }
}

impl File {
    fn of(path: &Path) -> Result<Self, DatabaseError> {
        let found = fs::metadata(path).map_err(|source| DatabaseError::Folder { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }

    /// Checks that it is still the one that was opened, and nobody else's to read or write.
    fn check(&self) -> Result<(), DatabaseError> {
        let found = fs::symlink_metadata(&self.path)
            .ok()
            .filter(|found| (found.dev(), found.ino()) == (self.device, self.inode))
            .ok_or_else(|| DatabaseError::Replaced { path: self.path.clone() })?;
        if permissions::is_loose(found.mode()) { permissions::close_to_others(&self.path) } else { Ok(()) }
    }
}

impl Deref for Handle {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Handle {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
