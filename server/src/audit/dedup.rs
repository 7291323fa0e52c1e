//! What keeps a flood of denials or failed log-ins from filling the disk, or from driving everything else out of the
//! audit log: of each address and of each account the first few in a while are entries, the rest is counted into one.
//!
//! It has no clock: the caller brings the time.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use ipnet::IpNet;
use model::audit::Kind;

use crate::{
    network::client_network,
    rate_limit::{Rate, TokenBucket},
};

/// How long entries are counted together, in milliseconds.
pub(super) const PERIOD: i64 = 600_000;

/// Entries of one kind from one address in that time, and of one account: more than a person makes by mistake.
pub(super) const MAX_OF_ONE: u32 = 20;

/// Entries of one kind in that time, from wherever: ten thousand addresses write no more than 15 MB a day.
pub(super) const MAX_OF_ALL: u32 = 200;

/// Addresses and accounts that are told apart; more are counted together.
const MAX_KEYS: usize = 10_000;

/// Counts entries that may come in a flood.
#[derive(Clone, Debug, Default)]
pub(super) struct Dedup {
    counts: HashMap<(&'static str, DedupKey), Repeats>,
    /// Before this nothing is due.
    due: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum DedupKey {
    Address(String),
    Account(String),
    All,
}

#[derive(Clone, Copy, Debug)]
struct Repeats {
    since: i64,
    /// As many entries as there may still be until the sum is written; then it is full again.
    bucket: TokenBucket,
    more: u64,
}

/// What was not written one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// Of which kind.
    pub kind: Kind,
    /// From where; empty for very many addresses.
    pub address: String,
    /// How many.
    pub count: u64,
    /// From when on, Unix milliseconds.
    pub since: i64,
}

impl Dedup {
    /// Whether this one is written; it is counted otherwise. An address of IPv6 stands for its network of 64 bits, which
    /// is what one person has. Call [`Self::sums`] before.
    pub(super) fn admits(&mut self, kind: Kind, who: &str, address: &str, now: i64) -> bool {
        if self.counts.is_empty() {
            self.due = now + PERIOD;
        }
        let place = DedupKey::Address(network(address));
        let keys = [place.clone(), DedupKey::Account(who.to_owned()), DedupKey::All];
        let is_empty = |count: &Repeats| count.bucket.is_empty(since_epoch(now));
        if keys.iter().any(|key| self.counts.get(&(kind.word(), key.clone())).is_some_and(is_empty)) {
            self.count(kind, place, now).more += 1;
            return false;
        }
        for key in keys {
            self.count(kind, key, now).bucket.take(since_epoch(now));
        }
        true
    }

    /// What was counted long enough; it is forgotten here.
    pub(super) fn sums(&mut self, now: i64) -> Vec<Sum> {
        if now < self.due { Vec::new() } else { self.end(now - PERIOD) }
    }

    /// What was counted so far, for the end of the program.
    pub(super) fn all_sums(&mut self) -> Vec<Sum> {
        self.end(i64::MAX)
    }

    /// Forgets what began at or before `until`.
    fn end(&mut self, until: i64) -> Vec<Sum> {
        let mut sums = BTreeMap::new();
        self.counts.retain(|(kind, key), count| {
            let is_over = count.since <= until;
            if is_over
                && count.more > 0
                && let Some(kind) = Kind::from_word(kind)
            {
                let address = if let DedupKey::Address(address) = key { address.clone() } else { String::new() };
                sums.insert(
                    (count.since, kind.word(), address.clone()),
                    Sum { kind, address, count: count.more, since: count.since },
                );
            }
            !is_over
        });
        self.due = self.counts.values().map(|count| count.since).min().unwrap_or(i64::MAX - PERIOD) + PERIOD;
        sums.into_values().collect()
    }

    fn count(&mut self, kind: Kind, key: DedupKey, now: i64) -> &mut Repeats {
        let is_full = self.counts.len() >= MAX_KEYS;
        let key = (kind.word(), key);
        let key = if is_full && !self.counts.contains_key(&key) { (kind.word(), DedupKey::All) } else { key };
        let burst = if key.1 == DedupKey::All { MAX_OF_ALL } else { MAX_OF_ONE };
        let rate = Rate { burst, refill: burst, every: Duration::from_millis(PERIOD.unsigned_abs()) };
        let bucket = TokenBucket::full(rate, since_epoch(now));
        self.counts.entry(key).or_insert(Repeats { since: now, bucket, more: 0 })
    }
}

/// Unix milliseconds as buckets have them.
fn since_epoch(millis: i64) -> Duration {
    Duration::from_millis(millis.try_into().unwrap_or(0))
}

/// What stands for all addresses that one person may have.
fn network(address: &str) -> String {
    match address.parse().map(client_network) {
        Ok(network @ IpNet::V6(_)) => network.to_string(),
        Ok(IpNet::V4(_)) | Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn the_first_of_an_address_are_written_and_the_rest_is_one_sum() {
        let mut dedup = Dedup::default();
        let admitted = (0..1_000).filter(|n| dedup.admits(Kind::Login, &format!("user{n}"), "10.0.0.1", *n)).count();
        assert_eq!(admitted, 20);
        // Somebody else, and something else, is written all the same.
        assert!(dedup.admits(Kind::Login, "anna", "10.0.0.2", 1_000));
        assert!(dedup.admits(Kind::Denial, "anna", "10.0.0.1", 1_000));
        assert_eq!(dedup.sums(PERIOD - 1), []);
        let sum = Sum { kind: Kind::Login, address: "10.0.0.1".to_owned(), count: 980, since: 0 };
        assert_eq!(dedup.sums(PERIOD), [sum]);
        assert_eq!(dedup.sums(3 * PERIOD), []);
        assert!(dedup.admits(Kind::Login, "user", "10.0.0.1", 3 * PERIOD) && dedup.counts.len() == 3);
    }

    #[test]
    fn one_account_from_many_addresses_and_many_from_many_are_bounded_too() {
        let mut dedup = Dedup::default();
        let of_one =
            (0..1_000).filter(|n| dedup.admits(Kind::Login, "anna", &format!("10.0.{}.{}", n / 250, n % 250), 0));
        assert_eq!(of_one.count(), 20);
        let mut dedup = Dedup::default();
        let mut admitted = 0;
        for n in 0..30_000_u32 {
            let address = IpAddr::from((10 << 24 | n).to_be_bytes());
            admitted += u32::from(dedup.admits(Kind::Login, &format!("u{n}"), &address.to_string(), 0));
        }
        assert_eq!(admitted, MAX_OF_ALL);
        assert!(dedup.counts.len() <= MAX_KEYS + 1);
        let sums = dedup.sums(PERIOD);
        assert_eq!(sums.iter().map(|s| s.count).sum::<u64>() + u64::from(admitted), 30_000, "none is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
        assert_eq!(network("10.0.0.1"), "10.0.0.1");
        let mut dedup = Dedup::default();
        let admitted = (0..100).filter(|n| dedup.admits(Kind::Login, &format!("u{n}"), &format!("2001:db8::{n:x}"), 0));
        assert_eq!(admitted.count(), 20);
        assert_eq!(dedup.all_sums().len(), 1);
    }
}
