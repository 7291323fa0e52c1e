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
    /// Others may write it, and so make an admin.
    #[error("cannot use {}: it {what}, and whoever may write it can make an admin; mend that with `{command}`", path.display())]
    Loose {
        /// Which folder or file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// What mends it, or shows more.
        command: String,
    },
    /// Its tables are not those of the program.
    #[error(
        "the tables in {} are not as Sluice makes them: {what}; something else changed them, so that what is written may \
         not be kept: undo that, or put back a copy from before; `sluice audit verify` says what became of the audit log",
        path.display()
    )]
    Altered {
        /// Which file.
        path: PathBuf,
        /// The first difference.
        what: String,
    },
    /// Another file is in its place, or none.
    #[error(
        "{} was removed or exchanged while Sluice runs, so that what is written would be lost: put it back, or start Sluice \
         again to use what is there now",
        path.display()
    )]
    Replaced {
        /// Which file.
        path: PathBuf,
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
    /// It could not be read since the program was started.
    #[error("the database could not be read since Sluice was started")]
    Unread,
    /// The thread is not there any more, or the job panicked.
    #[error("the database did not answer; the log says why")]
    Closed,
}
