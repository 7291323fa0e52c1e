//! When a node is polled. The nodes of a cluster are polled at the same moments, so that what changed goes out as one frame;
//! different clusters at different moments, so that their work does not come all at once.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use tokio::time::Instant;

/// Moments that lie one period apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct PollSchedule {
    /// One of them.
    first: Instant,
    period: Duration,
}

impl PollSchedule {
    /// The moments of a cluster's nodes with this period. `now` and `unix_ms` are the same moment on two clocks: the second
    /// is what the tasks of several nodes have in common.
    pub(super) fn new(now: Instant, unix_ms: u64, period: Duration, cluster: &str) -> Self {
        let period = period.max(Duration::from_millis(1));
        let period_ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        let mut hasher = DefaultHasher::new();
        cluster.hash(&mut hasher);
        let offset = hasher.finish() % period_ms;
        // From the last moment before now to the next one.
        let since = (unix_ms % period_ms + period_ms - offset) % period_ms;
        Self { first: now + Duration::from_millis(period_ms - since), period }
    }

    /// The first moment after `instant`. A moment less than a quarter of a period away is left out: a poll that came a little
    /// early must not be followed by another one right away.
    pub(super) fn after(&self, instant: Instant) -> Instant {
        let early = self.period / 4;
        match (instant + early).checked_duration_since(self.first) {
            None => self.first,
            Some(past) => {
                let periods = u32::try_from(past.as_nanos() / self.period.as_nanos()).unwrap_or(u32::MAX - 1);
                self.first + self.period * (periods + 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn nodes_of_a_cluster_are_polled_at_the_same_moments() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let a = PollSchedule::new(start, 1_234_567, SECOND, "edge");
        // Started 2.7 s later, by both clocks.
        let b = PollSchedule::new(start + ms(2_700), 1_237_267, SECOND, "edge");
        for at in [3_000, 3_400, 3_950, 10_000] {
            assert_eq!(a.after(start + ms(at)), b.after(start + ms(at)), "{at}");
        }
        assert_ne!(
            a.after(start),
            PollSchedule::new(start, 1_234_567, SECOND, "lab").after(start),
            "clusters lie apart"
        );
    }

    #[test]
    fn moments_are_a_period_apart_and_always_ahead() {
        let start = Instant::now();
        let schedule = PollSchedule::new(start, 987, SECOND, "edge");
        let mut at = schedule.after(start);
        for _ in 0..5 {
            let next = schedule.after(at);
            assert_eq!(next - at, SECOND);
            assert_eq!(schedule.after(next - Duration::from_millis(100)), next + SECOND, "a little early");
            assert!(schedule.after(at + Duration::from_millis(600)) - at <= SECOND);
            at = next;
        }
    }
}
