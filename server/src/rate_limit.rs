//! How many actions somebody may ask for in a short time: a bucket of tokens for each account, and for each address where
//! there are no accounts.
//!
//! A plain machine: the caller brings the time.

use std::{collections::HashMap, time::Instant};

use crate::auth::{AuthMethod, Principal};

/// Actions at once, each on as many servers as one likes: a script that goes over a backend server by server.
const BURST: f64 = 120.0;

/// Actions a second after that: as many as a script asks for that waits for each outcome.
const A_SECOND: f64 = 5.0;

/// Buckets that are kept; above that those that are full again are thrown away.
const MOST: usize = 10_000;

/// The buckets.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    buckets: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
    /// Whether somebody was told to wait since it was full.
    is_told: bool,
}

/// Whether an action may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It may.
    Goes,
    /// It may not yet.
    Waits {
        /// Seconds until it may, at least 1.
        wait: u64,
        /// Whether it is the first of this burst that may not.
        is_first: bool,
    },
}

/// What somebody is counted by.
pub(crate) fn key(principal: &Principal) -> String {
    match principal.means {
        AuthMethod::Open => format!("address {}", principal.address),
        _ => format!("account {}", principal.name),
    }
}

impl Pace {
    /// Takes a token, where there is one.
    pub(crate) fn pass(&mut self, key: &str, now: Instant) -> Pass {
        if self.buckets.len() >= MOST {
            self.buckets.retain(|_, bucket| bucket.filled(now) < BURST);
        }
        let bucket = self.buckets.entry(key.to_owned()).or_insert(Bucket { tokens: BURST, at: now, is_told: false });
        bucket.tokens = bucket.filled(now);
        bucket.at = now;
        if bucket.tokens >= BURST {
            bucket.is_told = false;
        }
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Pass::Goes;
        }
        let wait = ((1.0 - bucket.tokens) / A_SECOND).ceil().max(1.0) as u64;
        Pass::Waits { wait, is_first: !std::mem::replace(&mut bucket.is_told, true) }
    }
}

impl Bucket {
    fn filled(&self, now: Instant) -> f64 {
        (self.tokens + now.saturating_duration_since(self.at).as_secs_f64() * A_SECOND).min(BURST)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_goes_then_some_a_second_and_only_the_first_refusal_is_told() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for _ in 0..120 {
            assert_eq!(pace.pass("anna", start), Pass::Goes);
        }
        assert_eq!(pace.pass("anna", start), Pass::Waits { wait: 1, is_first: true });
        assert_eq!(pace.pass("ben", start), Pass::Goes);
        // Ten a second for a minute: half of them go, and nothing more is told.
        let at = |tenth: u64| start + Duration::from_millis(100 * tenth);
        let passes: Vec<Pass> = (1..=600).map(|tenth| pace.pass("anna", at(tenth))).collect();
        let gone = passes.iter().filter(|p| **p == Pass::Goes).count();
        assert!((295..=300).contains(&gone), "{gone}");
        assert!(passes.iter().all(|p| !matches!(p, Pass::Waits { is_first: true, .. })));
        // After a rest the next burst is told again.
        let later = at(600) + Duration::from_secs(60);
        let told = (0..200).filter(|_| matches!(pace.pass("anna", later), Pass::Waits { is_first: true, .. })).count();
        assert_eq!(told, 1);
    }

    #[test]
    fn buckets_of_those_who_went_away_are_not_kept() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for n in 0..3 * MOST {
            pace.pass(&n.to_string(), start + Duration::from_millis(n as u64));
        }
        assert!(pace.buckets.len() <= MOST, "{}", pace.buckets.len());
    }
}
