//! Whether every part of Sluice answers: at the start, and then for systemd's watchdog.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::{db::Database, hub::Hub, systemd};

/// How long every part has to answer at the start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether hub and database answer within `patience`, each asked through its own queue.
pub async fn is_alive(hub: &Hub, database: &Database, patience: Duration) -> bool {
    let asked = async { hub.answers().await && database.run(|_| Ok(())).await.is_ok() };
    timeout(patience, asked).await.unwrap_or(false)
}

/// The same at the start.
pub async fn has_started(hub: &Hub, database: &Database) -> bool {
    is_alive(hub, database, START_TIMEOUT).await
}

/// Tells the watchdog that Sluice is alive, as often as it wants, but only while hub and database answer; until `shutdown`.
pub async fn watch(hub: Hub, database: Database, shutdown: CancellationToken) {
    let Some(within) = sd_notify::watchdog_enabled() else { return };
    // A third, so that one answer may be late. Zero in the environment means that nobody waits for it.
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
            systemd::alive();
        } else {
            tracing::error!("a part of Sluice does not answer; without it the watchdog will start Sluice anew");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn sluice_is_alive_while_hub_and_database_both_answer() {
        const PATIENCE: Duration = Duration::from_millis(300);
        let shutdown = CancellationToken::new();
        let hub = || {
            let metrics = Arc::new(Metrics::new());
            Hub::spawn(Vec::new(), "test".into(), metrics, &TaskTracker::new(), shutdown.child_token())
        };
        let (living, database) = (hub(), Database::in_memory(crate::schema::MIGRATIONS).expect("memory"));
        assert!(is_alive(&living, &database, START_TIMEOUT).await);
        // A job that takes its time.
        let busy = database.clone();
        let job = tokio::spawn(async move {
            let slept = busy.run(|_| {
                std::thread::sleep(3 * PATIENCE);
                Ok(())
            });
            slept.await
        });
        tokio::time::sleep(PATIENCE / 10).await;
        assert!(!is_alive(&living, &database, PATIENCE).await);
        job.await.expect("no panic").expect("done");
        assert!(is_alive(&living, &database, START_TIMEOUT).await);
        shutdown.cancel();
        let ended = async { while is_alive(&living, &database, START_TIMEOUT).await {} };
        timeout(START_TIMEOUT, ended).await.expect("a hub that ended does not answer");
    }
}
