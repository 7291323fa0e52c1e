//! What keeps a flood of refusals or failed log-ins from filling the disk, or from driving everything else out of the
//! record: of each address and of each account the first few in a while are entries, the rest is counted into one.
//!
//! A plain machine: the caller brings the time.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
};

use super::Kind;

/// How long is counted together, in milliseconds.
pub(super) const WHILE: i64 = 600_000;

/// Entries of one kind from one address in that time, and of one account: more than a person makes by mistake.
pub(super) const OF_ONE: u32 = 20;

/// Entries of one kind in that time, from wherever: ten thousand addresses write no more than 15 MB a day.
pub(super) const OF_ALL: u32 = 200;

/// Addresses and accounts that are told apart; more are counted together.
const MOST_KEYS: usize = 10_000;

/// Counts what is refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Dedup {
    counts: HashMap<(&'static str, Key), Count>,
    /// Before this nothing is due.
    due: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(String),
    Account(String),
    All,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    since: i64,
    entries: u32,
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
            self.due = now + WHILE;
        }
        let place = Key::Address(network(address));
        let keys = [(place.clone(), OF_ONE), (Key::Account(who.to_owned()), OF_ONE), (Key::All, OF_ALL)];
        let reached =
            |(key, most): &(Key, u32)| self.counts.get(&(kind.word(), key.clone())).is_some_and(|c| c.entries >= *most);
        if keys.iter().any(reached) {
            self.count(kind, place, now).more += 1;
            return false;
        }
        for (key, _) in keys {
            self.count(kind, key, now).entries += 1;
        }
        true
    }

    /// What was counted long enough; it is forgotten here.
    pub(super) fn sums(&mut self, now: i64) -> Vec<Sum> {
        if now < self.due { Vec::new() } else { self.end(now - WHILE) }
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
                let address = if let Key::Address(address) = key { address.clone() } else { String::new() };
                sums.insert(
                    (count.since, kind.word(), address.clone()),
                    Sum { kind, address, count: count.more, since: count.since },
                );
            }
            !is_over
        });
        self.due = self.counts.values().map(|count| count.since).min().unwrap_or(i64::MAX - WHILE) + WHILE;
        sums.into_values().collect()
    }

    fn count(&mut self, kind: Kind, key: Key, now: i64) -> &mut Count {
        let is_full = self.counts.len() >= MOST_KEYS;
        let key = (kind.word(), key);
        let key = if is_full && !self.counts.contains_key(&key) { (kind.word(), Key::All) } else { key };
        self.counts.entry(key).or_insert(Count { since: now, entries: 0, more: 0 })
    }
}

/// What stands for all addresses that one person may have.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_an_address_are_written_and_the_rest_is_one_sum() {
        let mut flood = Dedup::default();
        let admitted = (0..1_000).filter(|n| flood.admits(Kind::Login, &format!("user{n}"), "10.0.0.1", *n)).count();
        assert_eq!(admitted, 20);
        // Somebody else, and something else, is written all the same.
        assert!(flood.admits(Kind::Login, "anna", "10.0.0.2", 1_000));
        assert!(flood.admits(Kind::Refusal, "anna", "10.0.0.1", 1_000));
        assert_eq!(flood.sums(WHILE - 1), []);
        let sum = Sum { kind: Kind::Login, address: "10.0.0.1".to_owned(), count: 980, since: 0 };
        assert_eq!(flood.sums(WHILE), [sum]);
        assert_eq!(flood.sums(3 * WHILE), []);
        assert!(flood.admits(Kind::Login, "user", "10.0.0.1", 3 * WHILE) && flood.counts.len() == 3);
    }

    #[test]
    fn one_account_from_many_addresses_and_many_from_many_are_bounded_too() {
        let mut flood = Dedup::default();
        let of_one =
            (0..1_000).filter(|n| flood.admits(Kind::Login, "anna", &format!("10.0.{}.{}", n / 250, n % 250), 0));
        assert_eq!(of_one.count(), 20);
        let mut flood = Dedup::default();
        let mut admitted = 0;
        for n in 0..30_000_u32 {
            let address = IpAddr::from((10 << 24 | n).to_be_bytes());
            admitted += u32::from(flood.admits(Kind::Login, &format!("u{n}"), &address.to_string(), 0));
        }
        assert_eq!(admitted, OF_ALL);
        assert!(flood.counts.len() <= MOST_KEYS + 1);
        let sums = flood.sums(WHILE);
        assert_eq!(sums.iter().map(|s| s.count).sum::<u64>() + u64::from(admitted), 30_000, "none is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:10.0.0.1"), "::ffff:10.0.0.1");
        assert_eq!(network("10.0.0.1"), "10.0.0.1");
        let mut flood = Dedup::default();
        let admitted = (0..100).filter(|n| flood.admits(Kind::Login, &format!("u{n}"), &format!("2001:db8::{n:x}"), 0));
        assert_eq!(admitted.count(), 20);
        assert_eq!(flood.all_sums().len(), 1);
    }
}
