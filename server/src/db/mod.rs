//! The one file that Sluice keeps, `sluice.db` in its data folder: accounts, sessions and the record, in SQLite.
//!
//! One thread owns the connection; everybody else hands it jobs. What the tables hold is the business of `access` and
//! `record`, which bring their own part of the schema.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout, timeout_at},
};

use crate::{audit, auth};

/// The file's name.
const FILE: &str = "sluice.db";

/// Jobs that may wait for the thread; who has one more waits.
const QUEUE: usize = 256;

/// How often the thread looks whether another process, as `sluice user`, changed the file: a revoked session must end
/// within a second.
const LOOK: Duration = Duration::from_millis(250);

/// How long a job waits while another process writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long whoever asks waits for their job's turn. Where a disk hangs, requests end rather than pile up.
const TURN: Duration = Duration::from_secs(10);

/// How long for its end, once it was begun: a large export's part takes a fraction of a second, another process's write as
/// long as [`PATIENCE`].
const WORK: Duration = Duration::from_secs(20);

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
    /// A job failed.
    #[error("the database said: {0}")]
    Job(#[from] rusqlite::Error),
    /// It was not done within [`TURN`] and [`WORK`].
    #[error("the database did not answer in time: its disk may hang")]
    Slow,
    /// The thread is not there any more, or the job panicked.
    #[error("the database did not answer; the log says why")]
    Closed,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the file.
#[derive(Clone, Debug)]
pub struct Database {
    jobs: mpsc::Sender<Job>,
    changes: watch::Receiver<u64>,
    /// [`TURN`], where there is a disk.
    turn: Duration,
}

impl Database {
    /// Opens the file, which is made where it is missing, and starts its thread; that ends with the last handle.
    ///
    /// # Errors
    /// When the folder or the file can't be used.
    pub fn open(dir: &Path) -> Result<Self, DatabaseError> {
        Ok(Self::serve(connect(dir)?, TURN))
    }

    /// The same in memory alone, gone with the last handle: for tests and measurements.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn in_memory() -> Result<Self, DatabaseError> {
        let connection = Connection::open_in_memory()?;
        prepare(&connection)?;
        // There is no disk that could hang, and tests let hours pass at once.
        Ok(Self::serve(connection, 24 * 3_600 * Duration::from_secs(1)))
    }

    /// Starts the thread of a connection. Needs tokio's runtime.
    fn serve(connection: Connection, turn: Duration) -> Self {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let (changed, changes) = watch::channel(0);
        let runtime = Handle::current();
        std::thread::spawn(move || run(connection, &runtime, inbox, &changed));
        Self { jobs, changes, turn }
    }

    /// Has the thread do something, and waits for it. What was begun is done when nobody waits any more; what was not
    /// begun in time never is, so that whoever was told so can rely on it.
    ///
    /// # Errors
    /// What SQLite said, or that it took too long.
    pub async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let (answer, answered) = oneshot::channel();
        let turn = Instant::now() + self.turn;
        let job: Job = Box::new(move |connection| {
            if Instant::now() >= turn {
                return;
            }
            // A job that panics leaves a transaction that is rolled back, and a thread that goes on.
            if let Ok(done) = catch_unwind(AssertUnwindSafe(|| job(connection))) {
                // Nobody waits for the answer where this fails.
                let _: Result<(), _> = answer.send(done);
            }
        });
        timeout_at(turn, self.jobs.send(job))
            .await
            .map_err(|_| DatabaseError::Slow)?
            .map_err(|_| DatabaseError::Closed)?;
        let answered = timeout_at(turn + WORK, answered).await.map_err(|_| DatabaseError::Slow)?;
        // Without an answer its turn came too late, or it panicked.
        let is_late = Instant::now() >= turn;
        Ok(answered.map_err(|_| if is_late { DatabaseError::Slow } else { DatabaseError::Closed })??)
    }

    /// Counts the changes that any process made to the file.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }
}

/// Opens the file for this process alone to use as it likes: for the command line, and for [`Database::open`].
///
/// # Errors
/// When the folder or the file can't be used.
pub fn connect(dir: &Path) -> Result<Connection, DatabaseError> {
    let folder = |source| DatabaseError::Folder { path: dir.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(folder)?;
    let path = dir.join(FILE);
    // SQLite would make it readable to others.
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(folder)?;
    let open = || {
        let connection = Connection::open(&path)?;
        prepare(&connection)?;
        Ok(connection)
    };
    open().map_err(|source| DatabaseError::File { path: path.clone(), source })
}

/// Opens the file to look at it alone, also while Sluice runs. It is not made where it is missing.
///
/// # Errors
/// When it can't be read.
pub fn look(dir: &Path) -> Result<Connection, DatabaseError> {
    let path = dir.join(FILE);
    let open = || {
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(PATIENCE)?;
        Ok(connection)
    };
    open().map_err(|source| DatabaseError::File { path: path.clone(), source })
}

/// Sets up a connection, and the tables that are missing.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What the record holds must survive a power cut: it is written before HAProxy is told anything.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.execute_batch(auth::SCHEMA)?;
    connection.execute_batch(audit::SCHEMA)
}

/// The thread: does jobs, and tells of changes.
fn run(mut connection: Connection, runtime: &Handle, mut inbox: mpsc::Receiver<Job>, changed: &watch::Sender<u64>) {
    let mut seen = (0, 0);
    loop {
        let job = runtime.block_on(async { timeout(LOOK, inbox.recv()).await });
        match job {
            Ok(Some(job)) => job(&mut connection),
            Ok(None) => return,
            Err(_) => {}
        }
        // Of other connections, and of this one.
        let others = connection.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap_or(0);
        let now = (others, connection.total_changes());
        if now != seen {
            seen = now;
            changed.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[tokio::test]
    async fn jobs_are_done_in_order_and_changes_of_other_processes_are_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let database = Database::open(&data).expect("opens");
        database.call(|c| c.execute_batch("CREATE TABLE t (n INTEGER)")).await.expect("a table");
        for n in 0..3 {
            database.call(move |c| c.execute("INSERT INTO t VALUES (?1)", [n])).await.expect("a row");
        }
        let count = || database.call(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
        assert_eq!(count().await.expect("a count"), 3);
        let mut changes = database.changes();
        tokio::time::sleep(2 * LOOK).await;
        changes.mark_unchanged();
        connect(&data).expect("opens").execute("DELETE FROM t", []).expect("deletes");
        timeout(Duration::from_secs(1), changes.changed()).await.expect("within a second").expect("the thread runs");
        assert_eq!(count().await.expect("a count"), 0);
        assert!(matches!(database.call(|c| c.execute("no SQL", [])).await, Err(DatabaseError::Job(_))));
    }

    #[tokio::test]
    async fn a_job_that_panics_undoes_what_it_did_and_takes_nobody_along() {
        let database = Database::in_memory().expect("memory");
        database.call(|c| c.execute_batch("CREATE TABLE t (n INTEGER)")).await.expect("a table");
        let failed = database.call(|c| -> Result<(), rusqlite::Error> {
            let transaction = c.transaction()?;
            transaction.execute("INSERT INTO t VALUES (1)", [])?;
            panic!("as asked");
        });
        assert!(matches!(failed.await, Err(DatabaseError::Closed)));
        let count = database.call(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
        assert_eq!(count.await.expect("a count"), 0);
    }

    #[tokio::test]
    async fn what_does_not_begin_in_time_is_told_so_and_never_done() {
        let database = Database::in_memory().expect("memory");
        database.call(|c| c.execute_batch("CREATE TABLE t (n INTEGER)")).await.expect("a table");
        let turn = Duration::from_millis(50);
        let hurried = Database { turn, ..database.clone() };
        let hangs = database.call(move |_| {
            std::thread::sleep(4 * turn);
            Ok(())
        });
        let waits = hurried.call(|c| c.execute("INSERT INTO t VALUES (1)", []));
        let (hangs, waits) = tokio::join!(hangs, waits);
        assert!(hangs.is_ok() && matches!(waits, Err(DatabaseError::Slow)), "{waits:?}");
        let count = database.call(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
        assert_eq!(count.await.expect("a count"), 0);
    }

    #[tokio::test]
    async fn nobody_else_can_read_what_is_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("a/b");
        let _vault = Database::open(&data).expect("opens");
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!((mode(&data), mode(&data.join(FILE))), (0o700, 0o600));
        assert!(matches!(Database::open(&data.join(FILE)), Err(DatabaseError::Folder { .. })));
    }
}
