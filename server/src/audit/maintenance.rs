//! What is done with the record while Sluice runs: retention, the sums of floods, its figures, and the syslog.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{AuditLog, Filter, Keep, SyslogAddress, chain, configuration, query, retention, syslog::Syslog};
use crate::{
    clock::now,
    db::DatabaseError,
    metrics::{KindLabel, Metrics},
};

/// How often it is looked whether entries are too old or too many.
const RETENTION: Duration = Duration::from_secs(3_600);

/// How often it is looked whether a flood has a sum to be written.
const SUMS: Duration = Duration::from_secs(60);

/// What the configuration says of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether an action needs a reason.
    pub needs_reason: bool,
    /// How much is kept.
    pub keep: Keep,
    /// Where each entry goes too.
    pub syslog: Option<SyslogAddress>,
}

impl Default for Settings {
    fn default() -> Self {
        // 400 days: a year can be compared with the one before it.
        let keep = Keep { age: Duration::from_secs(400 * 86_400), size: 1 << 30 };
        Self { needs_reason: false, keep, syslog: None }
    }
}

/// Notes the configuration, and looks after the record until `end` is cancelled.
pub(super) async fn keep(
    record: AuditLog,
    settings: Settings,
    parts: configuration::Parts,
    metrics: Arc<Metrics>,
    end: CancellationToken,
) {
    let follower = Follower::begin(&record, &settings, metrics).await;
    if let Err(error) = record.database.call(move |c| configuration::note(c, &parts)).await {
        tracing::error!(%error, "the start can't be recorded; as long as the record can't be written, nothing is done to HAProxy");
    }
    tokio::select! {
        () = tick(&record, &settings) => {}
        () = follow(&record, follower) => {}
        () = end.cancelled() => {}
    }
    record.end_floods().await;
}

async fn tick(record: &AuditLog, settings: &Settings) {
    let (mut retention, mut sums) = (interval(RETENTION), interval(SUMS));
    retention.set_missed_tick_behavior(MissedTickBehavior::Delay);
    sums.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = retention.tick() => {
                if let Err(error) = retain_all(record, settings.keep).await {
                    tracing::error!(%error, "old entries of the record can't be dropped");
                }
            }
            _ = sums.tick() => record.sum_floods().await,
        }
    }
}

/// Drops what is not to be kept, some at a time, so that whoever wants to write waits for one part alone.
pub(super) async fn retain_all(record: &AuditLog, keep: Keep) -> Result<u64, DatabaseError> {
    let mut all = 0;
    loop {
        let gone = record.database.call(move |c| retention::drop_some(c, keep, now(), all > 0)).await?;
        if gone == 0 {
            if all > 0 {
                tracing::info!(entries = all, "dropped the oldest entries of the record");
            }
            return Ok(all);
        }
        all += gone;
    }
}

/// Reads every new entry, whichever process wrote it.
struct Follower {
    next: i64,
    metrics: Arc<Metrics>,
    syslog: Option<Syslog>,
}

impl Follower {
    /// What was written before Sluice was started was counted and sent then; what a command wrote in between has its
    /// place in the chain, and so in the hash of the first entry that is sent.
    async fn begin(record: &AuditLog, settings: &Settings, metrics: Arc<Metrics>) -> Self {
        let head = record.database.call(|c| chain::head(c)).await;
        let syslog = settings.syslog.clone().map(|address| Syslog::start(address, metrics.clone()));
        Self { next: head.map_or(0, |head| head.id) + 1, metrics, syslog }
    }

    async fn catch_up(&mut self, record: &AuditLog) -> Result<(), DatabaseError> {
        loop {
            let first = self.next;
            let look = record.database.call(move |c| query::oldest(c, &Filter::default(), first, i64::MAX)).await?;
            for entry in &look.entries {
                self.next = entry.id + 1;
                self.metrics.record_entries.get_or_create(&KindLabel { kind: entry.kind.clone() }).inc();
                if let Some(syslog) = &mut self.syslog {
                    syslog.send(entry);
                }
            }
            if look.next.is_none() {
                return Ok(());
            }
        }
    }
}

async fn follow(record: &AuditLog, mut follower: Follower) {
    let mut changes = record.database.changes();
    loop {
        changes.mark_unchanged();
        if let Err(error) = follower.catch_up(record).await {
            tracing::error!(%error, "the record can't be read");
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
