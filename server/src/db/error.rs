//! Why the database can't be used.

use std::{io, path::PathBuf};

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No folder.
    #[error("cannot use the data folder {}: {source}; name another with --data", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that SQLite can't use.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A newer program made or migrated it.
    #[error(
        "cannot use {}: a newer Sluice brought its tables to version {found}, and this one knows them up to version \
         {needed}; use the newer Sluice, or put back a copy of the file from before it was started",
        path.display()
    )]
    TooNew {
        /// Which one.
        path: PathBuf,
        /// The version that the file has.
        found: i64,
        /// The version that the program needs.
        needed: i64,
    },
    /// Its tables are older than the program, and another process has it open.
    #[error(
        "cannot use {}: its tables have version {found}, this Sluice needs version {needed}, and they are not changed while \
         another process has the file open; end what has it open, most likely an older Sluice, and start this one, which \
         brings the file up to date",
        path.display()
    )]
    InUse {
        /// Which one.
        path: PathBuf,
        /// The version that the file has.
        found: i64,
        /// The version that the program needs.
        needed: i64,
    },
    /// No thread for it.
    #[error("cannot start a thread for the database: {0}")]
    Thread(#[source] io::Error),
    /// A job failed.
    #[error("the database said: {0}")]
    Job(#[from] rusqlite::Error),
    /// It was not begun, or not done, in time.
    #[error("the database did not answer in time: its disk may hang")]
    Slow,
    /// The thread is not there any more, or the job panicked.
    #[error("the database did not answer; the log says why")]
    Closed,
}
