//! The file `sluice.db`: opened, made where it is missing, and brought to the version of the tables that the program needs.

use std::{
    cmp::Ordering,
    fs,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    error::DatabaseError,
    migrations::{Migration, migrate, newest, version},
};

/// The file's name.
pub(super) const FILE_NAME: &str = "sluice.db";

/// How long a job waits while another process writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a migration waits for others to close the file: a command ends in a moment, Sluice runs for months.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens the file to read and to write. It is made where it is missing, and migrated where its tables are older than the
/// program's and nobody else has it open.
///
/// # Errors
/// When the folder or the file can't be used, its tables are newer, or it can't be migrated now.
pub fn connect(dir: &Path, migrations: &[Migration]) -> Result<Connection, DatabaseError> {
    let folder = |source| DatabaseError::Folder { path: dir.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(folder)?;
    let path = dir.join(FILE_NAME);
    // SQLite would make it readable to others.
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(folder)?;
    let failed = |source| DatabaseError::File { path: path.clone(), source };
    let needed = newest(migrations);
    loop {
        let connection = Connection::open(&path).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let found = version(&connection).map_err(failed)?;
        match found.cmp(&needed) {
            // While a connection is open nobody migrates the file: its version stays what it is.
            Ordering::Equal => {
                set_up(&connection).map_err(failed)?;
                return Ok(connection);
            }
            Ordering::Greater => return Err(DatabaseError::TooNew { path: path.clone(), found, needed }),
            Ordering::Less => {
                drop(connection);
                migrate_alone(&path, migrations).map_err(|error| match error.sqlite_error_code() {
                    Some(ErrorCode::DatabaseBusy) => DatabaseError::InUse { path: path.clone(), found, needed },
                    _ => failed(error),
                })?;
            }
        }
    }
}

/// Opens the file to look at it alone, also while Sluice runs. It is neither made nor migrated: older tables are read as
/// they are, so that a copy in an archive can be looked at.
///
/// # Errors
/// When it can't be read, or its tables are newer than the program.
pub fn open_read_only(dir: &Path, migrations: &[Migration]) -> Result<Connection, DatabaseError> {
    let path = dir.join(FILE_NAME);
    let open = || {
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok((version(&connection)?, connection))
    };
    let needed = newest(migrations);
    match open() {
        Ok((found, _)) if found > needed => Err(DatabaseError::TooNew { path: path.clone(), found, needed }),
        Ok((_, connection)) => Ok(connection),
        Err(source) => Err(DatabaseError::File { path: path.clone(), source }),
    }
}

/// A connection that can't change anything, beside one that [`connect`] gave. It may write to the file all the same:
/// whichever connection is closed last puts what is in the write-ahead log into the database.
pub(super) fn reader(dir: &Path) -> Result<Connection, DatabaseError> {
    let path = dir.join(FILE_NAME);
    let open = || {
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    open().map_err(|source| DatabaseError::File { path: path.clone(), source })
}

/// Sets up a connection that writes.
pub(super) fn set_up(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What the audit log holds must survive a power cut: it is written before HAProxy is told anything.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Migrates the file while nobody else has it open; SQLite says that it is busy otherwise.
///
/// A connection in exclusive locking mode needs every lock of the file. Every other connection, in whatever process and of
/// whatever version of Sluice, holds one from its first read to its end, since the file is in WAL mode; and none can be
/// opened while this one is.
fn migrate_alone(path: &Path, migrations: &[Migration]) -> Result<(), rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(MIGRATION_TIMEOUT)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    set_up(&connection)?;
    migrate(&mut connection, migrations)
}
