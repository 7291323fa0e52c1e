//! The audit log as the rest of Sluice reaches it: entries are appended, a page of them is read, all of them are exported.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, stream};
use model::{
    audit::{Entry, StoredEntry},
    event::Event,
};
use prometheus_client::metrics::counter::Counter;
use rusqlite::Transaction;
use tokio::sync::watch;

use super::{
    account_events::AccountEvents,
    chain::{append, head},
    dedup::{self, Dedup},
    entry::by_sluice,
    query::{self, Filter, Page},
    time,
};
use crate::{
    clock::now,
    db::{Database, DatabaseError},
    metrics::Metrics,
};

/// The way to the audit log.
#[derive(Clone, Debug)]
pub struct AuditLog {
    database: Database,
    dedup: Arc<Mutex<Dedup>>,
    failures: Counter,
    account_events: AccountEvents,
}

/// What became of an entry that may come in a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the audit log.
    Entry,
    /// It is counted, and will be part of a sum.
    Counted,
}

impl AuditLog {
    /// The audit log in that file.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, dedup: Arc::default(), failures: Counter::default(), account_events: AccountEvents::default() }
    }

    /// The file that it is in.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The same, with its failures counted there.
    #[must_use]
    pub fn counted(mut self, metrics: &Metrics) -> Self {
        self.failures = metrics.audit_failures.clone();
        self
    }

    /// Does something with its entry, in one transaction: all of it, or nothing where `job` fails.
    ///
    /// # Errors
    /// When it could not be written: then what it tells of must not be done. What `job` failed with is inside.
    pub async fn transact<T: Send + 'static, E: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, DatabaseError> {
        self.counted_result(self.database.transact(job).await)
    }

    /// Adds an entry, and returns once it is on the disk.
    ///
    /// # Errors
    /// When it could not be written: then what it tells of must not be done.
    pub async fn append(&self, entry: Entry) -> Result<(), DatabaseError> {
        let written = self.database.transact(move |transaction| append(transaction, &entry)).await;
        self.counted_result(written.and_then(|appended| Ok(appended?)))
    }

    /// Adds an entry of what anybody can make happen as often as they like: a denial, a log-in that failed. Of each
    /// address and of each account the first twenty in ten minutes are written, and at their end one entry says how
    /// many more there were. The account is counted under the name `whose`, which need not be one: whether there is an
    /// account of a name must not show in how long an answer takes.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn append_limited(&self, entry: Entry, whose: &str) -> Result<Written, DatabaseError> {
        self.sum_floods().await;
        let admitted = self.dedup().admits(entry.kind, whose, &entry.address, entry.at);
        if admitted {
            self.append(entry).await?;
            Ok(Written::Entry)
        } else {
            Ok(Written::Counted)
        }
    }

    /// Some of the entries that fit, newest first, before the entry `before`: `most`, or fewer where they are large; and
    /// before which the next ones are.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn page(&self, filter: &Filter, before: Option<i64>, most: usize) -> Result<Page, DatabaseError> {
        let (mut entries, mut place) = (Vec::new(), before);
        loop {
            // One more than wanted tells whether there are more.
            let (filter, rest) = (filter.clone(), most + 1 - entries.len());
            let page = self.database.read(move |connection| query::newest(connection, &filter, place, rest)).await?;
            entries.extend(page.entries);
            place = page.next;
            if entries.len() > most {
                entries.truncate(most);
                let next = entries.last().map(|entry| entry.id);
                return Ok(Page { entries, next, is_cut: true });
            }
            if page.is_cut || place.is_none() {
                return Ok(Page { entries, next: place, is_cut: page.is_cut });
            }
        }
    }

    /// All entries that fit and are there now, oldest first, some at a time as they are asked for.
    pub fn all(&self, filter: Filter) -> impl Stream<Item = Result<Vec<StoredEntry>, DatabaseError>> + Send + use<> {
        let database = self.database.clone();
        stream::try_unfold(Some((1, None)), move |place| {
            let (database, filter) = (database.clone(), filter.clone());
            async move {
                let Some((first, last)) = place else { return Ok(None) };
                let read = database.read(move |connection| {
                    let last = last.map_or_else(|| head(connection).map(|head| head.id), Ok)?;
                    Ok((query::oldest(connection, &filter, first, last)?, last))
                });
                let (page, last) = read.await?;
                Ok(Some((page.entries, page.next.map(|next| (next, Some(last))))))
            }
        })
    }

    /// What changed about accounts since Sluice was started, oldest first, whichever process changed it. It is up to date while
    /// [`AuditLog::maintain`] runs.
    #[must_use]
    pub fn account_events(&self) -> watch::Receiver<Arc<[Event]>> {
        self.account_events.subscribe()
    }

    /// Makes events of those new entries that tell of accounts.
    pub(super) fn add_account_events(&self, entries: &[StoredEntry]) {
        self.account_events.add(entries);
    }

    /// Writes the sums of what was counted long enough.
    pub(super) async fn sum_floods(&self) {
        let sums = self.dedup().sums(now());
        self.write_sums(sums).await;
    }

    /// Writes the sums of all that was counted, for the end of the program.
    pub(super) async fn end_floods(&self) {
        let sums = self.dedup().all_sums();
        self.write_sums(sums).await;
    }

    async fn write_sums(&self, sums: Vec<dedup::Sum>) {
        for dedup::Sum { kind, address, count, since } in sums {
            let from = if address.is_empty() { "many addresses".to_owned() } else { address.clone() };
            let since = time::format(since);
            let detail = format!("{count} more of this kind from {from} since {since} were not written one by one");
            let entry = Entry { address, detail, outcome: "counted".to_owned(), ..by_sluice(kind, "sum") };
            // It is told in the log by `append`; there is nobody else to tell.
            let _: Result<(), DatabaseError> = self.append(entry).await;
        }
    }

    /// Passes a result on, and counts and logs it where it is a failure.
    fn counted_result<T>(&self, written: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        written.inspect_err(|error| {
            self.failures.inc();
            tracing::error!(%error, "the audit log can't be written");
        })
    }

    fn dedup(&self) -> MutexGuard<'_, Dedup> {
        // Counts are whole whoever panicked.
        self.dedup.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
