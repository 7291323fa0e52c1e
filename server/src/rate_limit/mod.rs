//! How often somebody may do something.
//!
//! A plain machine: the caller brings the time.

mod token_bucket;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

pub(crate) use token_bucket::{Rate, TokenBucket};

/// Buckets that are kept; above that those that are full again are thrown away.
const MAX_BUCKETS: usize = 10_000;

/// A bucket for each of many, all with the same rate.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    rate: Rate,
    /// The moment that the buckets' times are counted from.
    epoch: Instant,
    buckets: HashMap<String, Limited>,
}

#[derive(Debug)]
struct Limited {
    bucket: TokenBucket,
    /// Whether a denial has been told of since the bucket was full.
    is_told: bool,
}

/// There is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimited {
    /// Seconds until there is one, at least 1.
    pub retry_after: u64,
    /// Whether it is the first denial since the bucket was full.
    pub is_first: bool,
}

impl RateLimiter {
    /// Full buckets for everybody.
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, epoch: Instant::now(), buckets: HashMap::new() }
    }

    /// Takes a token from somebody's bucket.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn check(&mut self, key: &str, now: Instant) -> Result<(), RateLimited> {
        let now = now.saturating_duration_since(self.epoch);
        if self.buckets.len() >= MAX_BUCKETS {
            self.buckets.retain(|_, limited| !limited.bucket.is_full(now));
        }
        let full = || Limited { bucket: TokenBucket::full(self.rate, now), is_told: false };
        let limited = self.buckets.entry(key.to_owned()).or_insert_with(full);
        if limited.bucket.is_full(now) {
            limited.is_told = false;
        }
        if limited.bucket.take(now) {
            return Ok(());
        }
        let is_first = !std::mem::replace(&mut limited.is_told, true);
        Err(RateLimited { retry_after: whole_seconds(limited.bucket.wait(now)), is_first })
    }
}

/// Seconds, rounded up, for people and for `Retry-After`.
fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As actions have it.
    const RATE: Rate = Rate { burst: 120, refill: 1, every: Duration::from_millis(200) };

    #[test]
    fn a_burst_goes_then_some_a_second_and_only_the_first_refusal_is_told() {
        let mut limiter = RateLimiter::new(RATE);
        let start = limiter.epoch;
        for _ in 0..120 {
            assert_eq!(limiter.check("anna", start), Ok(()));
        }
        assert_eq!(limiter.check("anna", start), Err(RateLimited { retry_after: 1, is_first: true }));
        assert_eq!(limiter.check("ben", start), Ok(()));
        // Ten a second for a minute: half of them go, and nothing more is told.
        let at = |tenth: u64| start + Duration::from_millis(100 * tenth);
        let checks: Vec<_> = (1..=600).map(|tenth| limiter.check("anna", at(tenth))).collect();
        let gone = checks.iter().filter(|check| check.is_ok()).count();
        assert!((295..=300).contains(&gone), "{gone}");
        let is_told = |check: &Result<(), RateLimited>| check.is_err_and(|limited| limited.is_first);
        assert!(!checks.iter().any(is_told));
        // After a rest the next burst is told again.
        let later = at(600) + Duration::from_secs(60);
        let told = (0..200).map(|_| limiter.check("anna", later)).filter(is_told).count();
        assert_eq!(told, 1);
    }

    #[test]
    fn buckets_of_those_who_went_away_are_not_kept() {
        let mut limiter = RateLimiter::new(RATE);
        let start = limiter.epoch;
        for n in 0..3 * MAX_BUCKETS {
            limiter.check(&n.to_string(), start + Duration::from_millis(n as u64)).expect("goes");
        }
        assert!(limiter.buckets.len() <= MAX_BUCKETS, "{}", limiter.buckets.len());
    }
}
