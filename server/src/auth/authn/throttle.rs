//! Slows down who guesses passwords, and nobody else.
//!
//! Failures are counted per account and address, per address, and per known browser; each count waits longer with every
//! failure and forgets with time. Nothing is counted per account alone: whoever fails elsewhere, from however many
//! addresses, keeps nobody out. A browser that logged in before has a count of its own, so that others behind its address
//! do not delay it. Pure: the caller says what time it is, and keeps nobody waiting, but answers how long to wait.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::auth::SecretHash;

/// Counts kept at once. With one more, those that were raised longest ago are forgotten: to push out a count of theirs an
/// attacker must fail from as many other addresses, at the speed of argon2. About 4 MB.
const MOST: usize = 20_000;

/// How a kind of count grows and forgets.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Failures without any delay: slips of the fingers, caps lock, last month's password.
    free: u32,
    /// The longest delay; each failure doubles it from one second on.
    longest: Duration,
    /// One failure is forgotten per so long.
    forgets: Duration,
}

/// Of one account at one address, or in one browser: about a hundred guesses a day, in the long run.
const ACCOUNT: Scale = Scale { free: 5, longest: Duration::from_secs(15 * 60), forgets: Duration::from_secs(30 * 60) };

/// Of one address, whatever the account: it may be an office of many, whose browsers are not known on their first day.
/// About 1,500 guesses a day over all accounts.
const ADDRESS: Scale = Scale { free: 20, longest: Duration::from_secs(60), forgets: Duration::from_secs(5 * 60) };

/// Where somebody tries from: an IPv4 address, or the 64 bits of an IPv6 address that one customer has to themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::auth) struct Net(IpAddr);

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(String, Net),
    Address(Net),
    Device(String, SecretHash),
}

#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    /// When the last of them was, milliseconds.
    last: u64,
}

/// The counts.
#[derive(Debug, Default)]
pub(in crate::auth) struct Throttle {
    counts: HashMap<Key, Count>,
}

/// An attempt under way. It counts as a failure until it is told otherwise, so that a thousand at once are no way around.
#[derive(Debug)]
#[must_use]
pub(in crate::auth) struct Admitted(Vec<Key>);

impl From<IpAddr> for Net {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

impl Throttle {
    /// Lets an attempt pass, or says how long to wait before the next. `device` is that of a browser which logged into
    /// this account before. To be refused costs nothing: it makes no delay longer.
    ///
    /// # Errors
    /// With the time to wait.
    pub(in crate::auth) fn admit(
        &mut self,
        account: &str,
        address: IpAddr,
        device: Option<SecretHash>,
        now: u64,
    ) -> Result<Admitted, Duration> {
        let net = Net::from(address);
        let keys = match device {
            Some(device) => vec![Key::Device(account.to_owned(), device)],
            None => vec![Key::Address(net), Key::Account(account.to_owned(), net)],
        };
        let wait = keys.iter().map(|key| self.wait(key, now)).max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(wait);
        }
        for key in &keys {
            self.raise(key.clone(), now);
        }
        Ok(Admitted(keys))
    }

    /// The attempt succeeded: its account's count begins anew here. The address's loses this attempt alone, so that nobody
    /// with an account of their own can guess for ever.
    pub(in crate::auth) fn succeeded(&mut self, admitted: Admitted) {
        for key in admitted.0 {
            match key {
                Key::Address(_) => self.lower(&key),
                Key::Account(..) | Key::Device(..) => drop(self.counts.remove(&key)),
            }
        }
    }

    /// Nobody looked at the password: nothing is counted.
    pub(in crate::auth) fn untried(&mut self, admitted: Admitted) {
        for key in admitted.0 {
            self.lower(&key);
        }
    }

    fn wait(&self, key: &Key, now: u64) -> Duration {
        let Some(count) = self.counts.get(key) else { return Duration::ZERO };
        let due = count.last.saturating_add(millis(key.scale().delay(count.failures_at(key, now))));
        Duration::from_millis(due.saturating_sub(now))
    }

    fn raise(&mut self, key: Key, now: u64) {
        if self.counts.len() >= MOST && !self.counts.contains_key(&key) {
            self.make_room(now);
        }
        let before = self.counts.get(&key).map_or(0, |count| count.failures_at(&key, now));
        self.counts.insert(key, Count { failures: before.saturating_add(1), last: now });
    }

    /// Forgets what has no failures any more, and the oldest eighth where that is not enough: seldom, rather than one by
    /// one with a search for each.
    fn make_room(&mut self, now: u64) {
        self.counts.retain(|key, count| count.failures_at(key, now) > 0);
        if self.counts.len() >= MOST {
            let mut times: Vec<u64> = self.counts.values().map(|count| count.last).collect();
            let mut room = MOST / 8;
            let (_, &mut oldest, _) = times.select_nth_unstable(room);
            self.counts.retain(|_, count| {
                let goes = room > 0 && count.last <= oldest;
                room -= usize::from(goes);
                !goes
            });
        }
    }

    fn lower(&mut self, key: &Key) {
        if let Some(count) = self.counts.get_mut(key) {
            count.failures = count.failures.saturating_sub(1);
        }
    }
}

impl Key {
    fn scale(&self) -> Scale {
        match self {
            Self::Address(_) => ADDRESS,
            Self::Account(..) | Self::Device(..) => ACCOUNT,
        }
    }
}

impl Count {
    /// The failures that are not forgotten yet.
    fn failures_at(&self, key: &Key, now: u64) -> u32 {
        let forgotten = now.saturating_sub(self.last) / millis(key.scale().forgets);
        self.failures.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

impl Scale {
    /// How long after the last failure the next attempt may come.
    fn delay(self, failures: u32) -> Duration {
        match failures.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(beyond) => Duration::from_secs(1u64.checked_shl(beyond).unwrap_or(u64::MAX)).min(self.longest),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
