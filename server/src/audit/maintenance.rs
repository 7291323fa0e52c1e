//! What is done with the audit log while Sluice runs: retention, the sums of floods, its metrics, the syslog, and the
//! events of accounts.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    chain, configuration,
    log::AuditLog,
    query::{self, Filter},
    retention::{self, Keep},
    syslog::{Syslog, SyslogAddress},
};
use crate::{
    clock::now,
    db::DatabaseError,
    metrics::{KindLabel, Metrics},
};

/// How often it is looked whether entries are too old or too many.
const RETENTION_INTERVAL: Duration = Duration::from_secs(3_600);

/// How often it is looked whether a flood has a sum to be written.
const SUMS_INTERVAL: Duration = Duration::from_secs(60);

/// From how many hundredths of the allowed size on the log says so.
const WARN_PERCENT: u64 = 80;

/// What the configuration says of the audit log.
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

impl AuditLog {
    /// Notes the configuration, and looks after the audit log until `end` is cancelled: retention, floods' sums, the
    /// metrics, the syslog, the events of accounts.
    pub fn maintain(
        &self,
        settings: Settings,
        parts: configuration::Parts,
        metrics: Arc<Metrics>,
        end: CancellationToken,
    ) -> JoinHandle<()> {
        tokio::spawn(maintain(self.clone(), settings, parts, metrics, end))
    }
}

async fn maintain(
    audit: AuditLog,
    settings: Settings,
    parts: configuration::Parts,
    metrics: Arc<Metrics>,
    end: CancellationToken,
) {
    let follower = Follower::begin(&audit, &settings, metrics.clone()).await;
    if let Err(error) = note(&audit, parts).await {
        tracing::error!(%error, "the start can't be recorded; as long as the audit log can't be written, nothing is done to HAProxy");
    }
    tokio::select! {
        () = tick(&audit, &settings, &metrics) => {}
        () = follow(&audit, follower) => {}
        () = end.cancelled() => {}
    }
    audit.end_floods().await;
}

/// Writes down that Sluice was started, where its configuration is another one.
async fn note(audit: &AuditLog, parts: configuration::Parts) -> Result<bool, DatabaseError> {
    Ok(audit.database().transact(move |transaction| configuration::note(transaction, &parts)).await??)
}

async fn tick(audit: &AuditLog, settings: &Settings, metrics: &Metrics) {
    let (mut retention, mut sums) = (interval(RETENTION_INTERVAL), interval(SUMS_INTERVAL));
    retention.set_missed_tick_behavior(MissedTickBehavior::Delay);
    sums.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = retention.tick() => {
                if let Err(error) = retain_all(audit, settings.keep.age).await {
                    tracing::error!(%error, "old entries of the audit log can't be dropped");
                }
                warn_of_size(audit, settings.keep.size, metrics).await;
            }
            _ = sums.tick() => audit.sum_floods().await,
        }
    }
}

/// Measures the database, and says in the log when there is not much room left.
async fn warn_of_size(audit: &AuditLog, max_size: u64, metrics: &Metrics) {
    let Ok(used) = audit.database().read(retention::used_bytes).await else { return };
    metrics.audit_bytes.set(i64::try_from(used).unwrap_or(i64::MAX));
    if used >= max_size / 100 * WARN_PERCENT {
        tracing::warn!(
            used,
            max_size,
            "the audit log is nearly as large as `max_size` in [audit] lets it be; then no operation is carried out: raise \
             it, or lower `keep`"
        );
    }
}

/// Drops what is not to be kept, some at a time, so that whoever wants to write waits for one part alone.
pub(super) async fn retain_all(audit: &AuditLog, age: Duration) -> Result<u64, DatabaseError> {
    let mut all = 0;
    loop {
        let gone = audit.database().transact(move |t| retention::drop_some(t, age, now())).await??;
        if gone == 0 {
            if all > 0 {
                tracing::info!(entries = all, "dropped the oldest entries of the audit log");
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
    async fn begin(audit: &AuditLog, settings: &Settings, metrics: Arc<Metrics>) -> Self {
        let head = audit.database().read(chain::head).await;
        let syslog = settings.syslog.clone().map(|address| Syslog::start(address, metrics.clone()));
        Self { next: head.map_or(0, |head| head.id) + 1, metrics, syslog }
    }

    async fn catch_up(&mut self, audit: &AuditLog) -> Result<(), DatabaseError> {
        loop {
            let first = self.next;
            let page = audit.database().read(move |c| query::oldest(c, &Filter::default(), first, i64::MAX)).await?;
            audit.add_account_events(&page.entries);
            for stored in &page.entries {
                self.next = stored.id + 1;
                self.metrics.audit_entries.get_or_create(&KindLabel { kind: stored.entry.kind.clone() }).inc();
                if let Some(syslog) = &mut self.syslog {
                    syslog.send(stored);
                }
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
    }
}

async fn follow(audit: &AuditLog, mut follower: Follower) {
    let mut changes = audit.database().changes();
    loop {
        changes.mark_unchanged();
        if let Err(error) = follower.catch_up(audit).await {
            follower.metrics.audit_failures.inc();
            tracing::error!(%error, "the audit log can't be read");
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
