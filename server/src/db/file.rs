//! The file `sluice.db`: opened, made where it is missing, and brought to the version of the tables that the program needs.

use std::{cmp::Ordering, path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    error::DatabaseError,
    handle::{Handle, set_up},
    migrations::{Migration, migrate, newest, version},
    permissions,
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
/// When the folder or the file can't be used, others may write them, its tables are newer or not those of the program, or
/// it can't be migrated now.
pub fn connect(dir: &Path, migrations: &[Migration]) -> Result<Handle, DatabaseError> {
    let path = permissions::folder(dir)?.join(FILE_NAME);
    permissions::file(&path)?;
    let failed = |source| DatabaseError::File { path: path.clone(), source };
    let needed = newest(migrations);
    loop {
        let connection = open(&path).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        let found = version(&connection).map_err(failed)?;
        match found.cmp(&needed) {
            // While a connection is open nobody migrates the file: its version stays what it is.
            Ordering::Equal => {
                set_up(&connection).map_err(failed)?;
                return Handle::new(connection, &path, migrations);
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

/// Opens a file that is there, and no link to it.
fn open(path: &Path) -> Result<Connection, rusqlite::Error> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW)
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
    let path = permissions::folder(dir)?.join(FILE_NAME);
    let reader = || {
        let connection = open(&path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    reader().map_err(|source| DatabaseError::File { path: path.clone(), source })
}

/// Migrates the file while nobody else has it open; SQLite says that it is busy otherwise.
///
/// A connection in exclusive locking mode needs every lock of the file. Every other connection, in whatever process and of
/// whatever version of Sluice, holds one from its first read to its end, since the file is in WAL mode; and none can be
/// opened while this one is.
fn migrate_alone(path: &Path, migrations: &[Migration]) -> Result<(), rusqlite::Error> {
    let mut connection = open(path)?;
    connection.busy_timeout(MIGRATION_TIMEOUT)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    set_up(&connection)?;
    migrate(&mut connection, migrations)
}
