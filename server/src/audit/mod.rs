//! What was done, by whom, and what was refused: append-only, each entry chained to the one before it.
//!
//! Whoever does something writes it here first, and does not do it when that fails.

mod chain;
pub mod configuration;
mod dedup;
mod entry;
mod export;
mod maintenance;
pub mod query;
mod retention;
mod syslog;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dedup::Dedup;
use futures::{Stream, stream};
use prometheus_client::metrics::counter::Counter;
use rusqlite::TransactionBehavior;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::now,
    db::{Database, DatabaseError},
    metrics::Metrics,
};

pub use chain::{Head, HeadError, append, head};
pub use entry::{Entry, Kind};
pub use export::{Format, FormatError};
pub use maintenance::Settings;
pub use query::{EntryView, Filter, StoredEntry, TargetNote};
pub use retention::Keep;
pub use syslog::{SyslogAddress, SyslogAddressError};
pub use verify::{Broken, Verified, verify};

pub(crate) use chain::SCHEMA;
pub(crate) use entry::{is_hidden, plain};

/// The way to the record.
#[derive(Clone, Debug)]
pub struct AuditLog {
    database: Database,
    flood: Arc<Mutex<Dedup>>,
    failures: Counter,
}

/// What became of an entry that may come in a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the record.
    Entry,
    /// It is counted, and will be part of a sum.
    Counted,
}

impl AuditLog {
    /// The record in that file.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, flood: Arc::default(), failures: Counter::default() }
    }

    /// The file that it is in.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The same, with its failures counted there.
    #[must_use]
    pub fn counted(mut self, metrics: &Metrics) -> Self {
        self.failures = metrics.record_failures.clone();
        self
    }

    /// Adds an entry, and returns once it is on the disk.
    ///
    /// # Errors
    /// When it could not be written: then what it tells of must not be done.
    pub async fn append(&self, entry: Entry) -> Result<(), DatabaseError> {
        let written = self.database.call(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            append(&transaction, &entry)?;
            transaction.commit()
        });
        written.await.inspect_err(|error| {
            self.failures.inc();
            tracing::error!(%error, "the record can't be written");
        })
    }

    /// Adds an entry of what anybody can make happen as often as they like: a refusal, a log-in that failed. Of each
    /// address and of each account the first twenty in ten minutes are written, and at their end one entry says how
    /// many more there were.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn append_limited(&self, entry: Entry) -> Result<Written, DatabaseError> {
        self.sum_floods().await;
        let admitted = self.flood().admits(entry.kind, &entry.who, &entry.address, entry.at);
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
    pub async fn page(&self, filter: &Filter, before: Option<i64>, most: usize) -> Result<query::Page, DatabaseError> {
        let (mut entries, mut place) = (Vec::new(), before);
        loop {
            // One more than wanted tells whether there are more.
            let (filter, rest) = (filter.clone(), most + 1 - entries.len());
            let look = self.database.call(move |connection| query::newest(connection, &filter, place, rest)).await?;
            entries.extend(look.entries);
            place = look.next;
            if entries.len() > most {
                entries.truncate(most);
                let next = entries.last().map(|entry| entry.id);
                return Ok(query::Page { entries, next, is_cut: true });
            }
            if look.is_cut || place.is_none() {
                return Ok(query::Page { entries, next: place, is_cut: look.is_cut });
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
                let look = database.call(move |connection| {
                    let last = last.map_or_else(|| head(connection).map(|head| head.id), Ok)?;
                    Ok((query::oldest(connection, &filter, first, last)?, last))
                });
                let (look, last) = look.await?;
                Ok(Some((look.entries, look.next.map(|next| (next, Some(last))))))
            }
        })
    }

    /// Notes the configuration, and looks after the record until `end` is cancelled: retention, floods' sums, the
    /// figures, the syslog.
    pub fn keep(
        &self,
        settings: Settings,
        parts: configuration::Parts,
        metrics: Arc<Metrics>,
        end: CancellationToken,
    ) -> JoinHandle<()> {
        tokio::spawn(maintenance::keep(self.clone(), settings, parts, metrics, end))
    }

    async fn sum_floods(&self) {
        let sums = self.flood().sums(now());
        self.write_sums(sums).await;
    }

    async fn end_floods(&self) {
        let sums = self.flood().all_sums();
        self.write_sums(sums).await;
    }

    async fn write_sums(&self, sums: Vec<dedup::Sum>) {
        for dedup::Sum { kind, address, count, since } in sums {
            let from = if address.is_empty() { "many addresses".to_owned() } else { address.clone() };
            let since = query::written(since);
            let detail = format!("{count} more of this kind from {from} since {since} were not written one by one");
            let entry = Entry { address, detail, outcome: "counted".to_owned(), ..Entry::by_itself(kind, "sum") };
            // It is told in the log by `append`; there is nobody else to tell.
            let _: Result<(), DatabaseError> = self.append(entry).await;
        }
    }

    fn flood(&self) -> MutexGuard<'_, Dedup> {
        // Counts are whole whoever panicked.
        self.flood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
