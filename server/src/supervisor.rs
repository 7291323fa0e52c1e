//! What systemd is told: that Sluice serves, that it reloads, that it ends; and, now and then, that it is alive.
//!
//! Without `NOTIFY_SOCKET` in the environment nobody is told anything.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::{db::Database, hub::Hub};

/// How long every part has to answer at the start.
const START: Duration = Duration::from_secs(30);

/// Says that Sluice serves at `url`.
pub fn ready(url: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("serves {url}"))]);
}

/// Says that the configuration's files are read again; [`reloaded`] must follow.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "cannot read the clock"),
    }
}

/// Says that they were.
pub fn reloaded() {
    tell(&[NotifyState::Ready]);
}

/// Says that Sluice ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Whether hub and database answer within `patience`: each is asked something through its queue.
pub async fn is_alive(hub: &Hub, database: &Database, patience: Duration) -> bool {
    let asked = async { hub.answers().await && database.call(|_| Ok(())).await.is_ok() };
    timeout(patience, asked).await.unwrap_or(false)
}

/// The same at the start.
pub async fn has_started(hub: &Hub, database: &Database) -> bool {
    is_alive(hub, database, START).await
}

/// Tells the watchdog that Sluice is alive, as often as it wants, but only while hub and database answer; until `shutdown`.
pub async fn watch(hub: Hub, database: Database, shutdown: CancellationToken) {
    let Some(within) = sd_notify::watchdog_enabled() else { return };
    // A third: one answer may be late. An environment that says zero means nobody.
    let between = within / 3;
    if between.is_zero() {
        return;
    }
    let mut ticks = interval(between);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if is_alive(&hub, &database, between).await {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("a part of Sluice does not answer; without it the watchdog will start Sluice anew");
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot tell the supervisor");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn alive_is_whose_hub_and_vault_both_answer() {
        const PATIENCE: Duration = Duration::from_millis(300);
        let shutdown = CancellationToken::new();
        let hub = || {
            let metrics = Arc::new(Metrics::new());
            Hub::spawn(Vec::new(), "test".into(), metrics, &TaskTracker::new(), shutdown.child_token())
        };
        let (living, database) = (hub(), Database::in_memory().expect("memory"));
        assert!(is_alive(&living, &database, START).await);
        // A job that takes its time.
        let busy = database.clone();
        let job = tokio::spawn(async move {
            let slept = busy.call(|_| {
                std::thread::sleep(3 * PATIENCE);
                Ok(())
            });
            slept.await
        });
        tokio::time::sleep(PATIENCE / 10).await;
        assert!(!is_alive(&living, &database, PATIENCE).await);
        job.await.expect("no panic").expect("done");
        assert!(is_alive(&living, &database, START).await);
        shutdown.cancel();
        let ended = async { while is_alive(&living, &database, START).await {} };
        timeout(START, ended).await.expect("a hub that ended does not answer");
    }
}
