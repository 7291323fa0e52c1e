//! A thread that owns a connection, and does jobs on it one after the other.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout, timeout_at},
};

use super::{error::DatabaseError, handle::Handle};

/// Jobs that may wait for the thread; whoever has one more waits to hand it over.
const QUEUE_JOBS: usize = 256;

/// How often the writer looks whether another process, as `sluice user`, changed the file: a revoked session must end
/// within a second.
pub(super) const CHANGE_INTERVAL: Duration = Duration::from_millis(250);

/// How long a job may wait until it is begun. Where a disk hangs, requests end rather than pile up.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a job may take once it was begun: a large export's part takes a fraction of a second, a write of another process
/// as long as SQLite waits for it.
const JOB_TIMEOUT: Duration = Duration::from_secs(20);

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// The way to the thread that owns a `C`; it ends with the last one.
#[derive(Debug)]
pub(super) struct Worker<C> {
    jobs: mpsc::Sender<Job<C>>,
    /// [`START_TIMEOUT`], where there is a disk.
    start_timeout: Duration,
}

impl<C> Clone for Worker<C> {
    fn clone(&self) -> Self {
        Self { jobs: self.jobs.clone(), start_timeout: self.start_timeout }
    }
}

impl Worker<Handle> {
    /// Starts a thread that also counts the changes of the file, whichever process made them. Needs tokio's runtime.
    pub(super) fn start_watching(
        name: &str,
        handle: Handle,
        changes: watch::Sender<u64>,
    ) -> Result<Self, DatabaseError> {
        let runtime = tokio::runtime::Handle::current();
        Self::spawn(name, move |inbox| work_and_watch(handle, &runtime, inbox, &changes))
    }
}

impl<C: Send + 'static> Worker<C> {
    /// Starts a thread that does jobs alone.
    pub(super) fn start(name: &str, mut connection: C) -> Result<Self, DatabaseError> {
        Self::spawn(name, move |mut inbox| {
            while let Some(job) = inbox.blocking_recv() {
                job(&mut connection);
            }
        })
    }

    /// The same, where a job may wait another time until it is begun.
    pub(super) fn with_start_timeout(mut self, start_timeout: Duration) -> Self {
        self.start_timeout = start_timeout;
        self
    }

    fn spawn(name: &str, work: impl FnOnce(mpsc::Receiver<Job<C>>) + Send + 'static) -> Result<Self, DatabaseError> {
        let (jobs, inbox) = mpsc::channel(QUEUE_JOBS);
        let thread = std::thread::Builder::new().name(name.to_owned());
        thread.spawn(move || work(inbox)).map_err(DatabaseError::Thread)?;
        Ok(Self { jobs, start_timeout: START_TIMEOUT })
    }

    /// Has the thread do something, and waits for it. What was begun is done when nobody waits any more; what was not
    /// begun in time never is, so that whoever was told so can rely on it.
    pub(super) async fn run<T: Send + 'static, E: Into<DatabaseError> + Send + 'static>(
        &self,
        job: impl FnOnce(&mut C) -> Result<T, E> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let (answer, answered) = oneshot::channel();
        let start_by = Instant::now() + self.start_timeout;
        let job: Job<C> = Box::new(move |connection| {
            if Instant::now() >= start_by {
                return;
            }
            // A job that panics leaves a transaction that is rolled back, and a thread that goes on.
            if let Ok(done) = catch_unwind(AssertUnwindSafe(|| job(connection))) {
                // Nobody waits for the answer where this fails.
                let _: Result<(), _> = answer.send(done);
            }
        });
        timeout_at(start_by, self.jobs.send(job))
            .await
            .map_err(|_| DatabaseError::Slow)?
            .map_err(|_| DatabaseError::Closed)?;
        let answered = timeout_at(start_by + JOB_TIMEOUT, answered).await.map_err(|_| DatabaseError::Slow)?;
        // Without an answer it was not begun in time, or it panicked.
        let is_late = Instant::now() >= start_by;
        let done = answered.map_err(|_| if is_late { DatabaseError::Slow } else { DatabaseError::Closed })?;
        done.map_err(Into::into)
    }
}

fn work_and_watch(
    mut handle: Handle,
    runtime: &tokio::runtime::Handle,
    mut inbox: mpsc::Receiver<Job<Handle>>,
    changes: &watch::Sender<u64>,
) {
    let mut seen = (0, 0);
    loop {
        let job = runtime.block_on(async { timeout(CHANGE_INTERVAL, inbox.recv()).await });
        match job {
            Ok(Some(job)) => job(&mut handle),
            Ok(None) => return,
            Err(_) => {}
        }
        // Of other connections, and of this one.
        let others = handle.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap_or(0);
        let now = (others, handle.total_changes());
        if now != seen {
            seen = now;
            changes.send_modify(|count| *count += 1);
        }
    }
}
