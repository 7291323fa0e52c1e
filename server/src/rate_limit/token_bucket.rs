//! A token bucket: so many at once, and so many again after a time.

use std::time::Duration;

/// How many tokens a bucket holds, and how it is filled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Tokens in a full bucket.
    pub burst: u32,
    /// Tokens that come back at once.
    pub refill: u32,
    /// How long it takes until they do.
    pub every: Duration,
}

/// A bucket of tokens. It has no clock: `now` is the time since any one moment, by a clock of the caller's choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBucket {
    rate: Rate,
    tokens: u32,
    /// Up to when refills are counted.
    filled: Duration,
}

impl TokenBucket {
    /// A full bucket.
    pub(crate) fn full(rate: Rate, now: Duration) -> Self {
        Self { rate, tokens: rate.burst, filled: now }
    }

    /// Takes a token, where there is one.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        self.take_many(1, now)
    }

    /// Takes so many tokens, or all that there are; whether there were as many.
    pub(crate) fn take_many(&mut self, count: u32, now: Duration) -> bool {
        *self = self.refilled(now);
        let left = self.tokens.checked_sub(count);
        self.tokens = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether every token is there.
    pub(crate) fn is_full(&self, now: Duration) -> bool {
        self.refilled(now).tokens == self.rate.burst
    }

    /// Whether no token is there.
    pub(crate) fn is_empty(&self, now: Duration) -> bool {
        self.refilled(now).tokens == 0
    }

    /// How long until there is a token.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        match self.refilled(now) {
            Self { tokens: 1.., .. } => Duration::ZERO,
            Self { filled, rate, .. } => (filled + rate.every).saturating_sub(now),
        }
    }

    /// The bucket as it is by then. A clock that goes backwards fills nothing.
    fn refilled(mut self, now: Duration) -> Self {
        let times = now.saturating_sub(self.filled).as_nanos() / self.rate.every.as_nanos();
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        if times > 0 {
            self.tokens = self.tokens.saturating_add(times.saturating_mul(self.rate.refill)).min(self.rate.burst);
            // A full bucket saves nothing up; any other has been filled only a few times.
            self.filled = if self.tokens == self.rate.burst { now } else { self.filled + self.rate.every * times };
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_goes_and_what_is_taken_comes_back_with_time() {
        let mut bucket = TokenBucket::full(Rate { burst: 3, refill: 2, every: SECOND }, Duration::ZERO);
        assert!(bucket.is_full(Duration::ZERO) && bucket.wait(Duration::ZERO).is_zero());
        let mut taken = |millis: u64| (0..10).filter(|_| bucket.take(Duration::from_millis(millis))).count();
        assert_eq!([0, 999, 1_000, 1_999, 2_500, 60_000].map(&mut taken), [3, 0, 2, 0, 2, 3]);
        assert!(bucket.is_empty(60 * SECOND) && !bucket.is_full(61 * SECOND) && bucket.is_full(62 * SECOND));
        assert_eq!(bucket.wait(Duration::from_millis(60_400)), Duration::from_millis(600));
        // A clock that was set back.
        assert!(!bucket.take(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn no_more_goes_than_a_burst_and_what_came_back(
            burst in 1..50_u32, refill in 1..50_u32, steps in prop::collection::vec((0..3_000_u64, 1..80_usize), 1..40),
        ) {
            let mut bucket = TokenBucket::full(Rate { burst, refill, every: SECOND }, Duration::ZERO);
            let (mut now, mut taken) = (Duration::ZERO, 0);
            for (pause, tries) in steps {
                now += Duration::from_millis(pause);
                taken += (0..tries).filter(|_| bucket.take(now)).count() as u64;
                prop_assert!(taken <= u64::from(burst) + now.as_secs() * u64::from(refill));
            }
        }
    }
}
