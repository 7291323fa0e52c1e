//! Slows down whoever guesses passwords, and nobody else.
//!
//! Failures are counted per account and address, per address, more loosely per network around it, and per known browser;
//! log-ins that succeed, still more loosely, like the first and the last of these. With each failure the next attempt
//! has to wait longer, and failures are forgotten with time. Nothing is counted per account alone: otherwise whoever fails
//! often enough, from any address, could keep the account's owner out. A browser that logged in before has a count of its
//! own, so that others behind its address don't delay it.
//!
//! A pure state machine: the caller passes the time, and answers how long to wait instead of making anybody wait.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use ipnet::IpNet;

use crate::{
    auth::SecretHash,
    network::{client_network, wide_networks},
};

/// Counts that are kept. With one more, those that were raised longest ago are dropped: to get rid of a count this way, an
/// attacker must fail from as many other addresses, each time at the speed of argon2. About 8 MB.
const MOST: usize = 40_000;

/// How a kind of count grows and forgets.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Failures without a delay: typing errors, caps lock, last month's password.
    free: u32,
    /// The longest delay; it begins with one second, and each failure doubles it.
    longest: Duration,
    /// One failure is forgotten per so long.
    forgets: Duration,
}

/// Of one account at one address, or in one browser: about a hundred guesses a day, in the long run.
const ACCOUNT: Scale = Scale { free: 5, longest: Duration::from_secs(15 * 60), forgets: Duration::from_secs(30 * 60) };

/// Of one address, whatever the account: it may be an office of many people, whose browsers are not known on their first
/// day. About 1,500 guesses a day over all accounts.
const ADDRESS: Scale = Scale { free: 20, longest: Duration::from_secs(60), forgets: Duration::from_secs(5 * 60) };

/// Of a /56 of IPv6, whatever the account: a customer's whole network, or some neighbours. About 700 guesses a day.
const SITE: Scale = Scale { free: 40, longest: Duration::from_secs(60), forgets: Duration::from_secs(2 * 60) };

/// Of a /48 of IPv6 or a /24 of IPv4: an attacker may have all of it, and so may an office of hundreds. About 2,900 guesses
/// a day.
const WIDE: Scale = Scale { free: 60, longest: Duration::from_secs(60), forgets: Duration::from_secs(30) };

/// Log-ins that succeeded, of one account at one address or in one browser: each is an entry of the audit log, and a session.
/// A person or a script needs no more than six a minute in the long run.
const LOG_INS: Scale = Scale { free: 100, longest: Duration::from_secs(60), forgets: Duration::from_secs(10) };

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum ThrottleKey {
    Account(String, IpNet),
    Address(IpNet),
    /// A network around that of one client.
    Around(IpNet),
    Device(String, SecretHash),
    /// Log-ins of what one of these two counts the failures of.
    LogIns(Box<ThrottleKey>),
}

#[derive(Clone, Copy, Debug)]
struct FailureCount {
    failures: u32,
    /// When the last of them was, milliseconds.
    last: u64,
}

/// The counts.
#[derive(Debug, Default)]
pub(in crate::auth) struct Throttle {
    counts: HashMap<ThrottleKey, FailureCount>,
}

/// An attempt that has begun. It counts as a failure until it succeeds, so that a thousand at once are not a way around
/// the throttle.
#[derive(Debug)]
#[must_use]
pub(in crate::auth) struct Admitted(Vec<ThrottleKey>);

impl Throttle {
    /// Lets an attempt pass, or says how long to wait before the next. `device` is a browser that logged into this account
    /// before. An attempt that has to wait does not make the delay longer.
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
        let keys = match device {
            Some(device) => vec![ThrottleKey::Device(account.to_owned(), device)],
            None => {
                let account = ThrottleKey::Account(account.to_owned(), client_network(address));
                std::iter::once(account).chain(networks(address)).collect()
            }
        };
        self.admit_keys(keys, now)
    }

    /// The same where no account is known beforehand: by the networks alone.
    ///
    /// # Errors
    /// With the time to wait.
    pub(in crate::auth) fn admit_network(&mut self, address: IpAddr, now: u64) -> Result<Admitted, Duration> {
        self.admit_keys(networks(address).collect(), now)
    }

    fn admit_keys(&mut self, keys: Vec<ThrottleKey>, now: u64) -> Result<Admitted, Duration> {
        let log_ins = keys.iter().filter_map(ThrottleKey::log_ins);
        let wait = log_ins.chain(keys.iter().cloned()).map(|key| self.wait(&key, now)).max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(wait);
        }
        for key in &keys {
            self.raise(key.clone(), now);
        }
        Ok(Admitted(keys))
    }

    /// The attempt succeeded: the count of its account at this address begins anew. That of the address loses only this
    /// attempt, so that somebody with an account of their own can't guess others' passwords for ever.
    pub(in crate::auth) fn succeeded(&mut self, admitted: Admitted) {
        for key in admitted.0 {
            match key {
                ThrottleKey::Address(_) | ThrottleKey::Around(_) => self.lower(&key),
                ThrottleKey::Account(..) | ThrottleKey::Device(..) => drop(self.counts.remove(&key)),
                ThrottleKey::LogIns(_) => {}
            }
        }
    }

    /// The same for a log-in, which is counted as such.
    pub(in crate::auth) fn logged_in(&mut self, admitted: Admitted, now: u64) {
        for log_ins in admitted.0.iter().filter_map(ThrottleKey::log_ins) {
            self.raise(log_ins, now);
        }
        self.succeeded(admitted);
    }

    /// The password was not verified: nothing is counted.
    pub(in crate::auth) fn untried(&mut self, admitted: Admitted) {
        for key in admitted.0 {
            self.lower(&key);
        }
    }

    fn wait(&self, key: &ThrottleKey, now: u64) -> Duration {
        let Some(count) = self.counts.get(key) else { return Duration::ZERO };
        let due = count.last.saturating_add(millis(key.scale().delay(count.failures_at(key, now))));
        Duration::from_millis(due.saturating_sub(now))
    }

    fn raise(&mut self, key: ThrottleKey, now: u64) {
        if self.counts.len() >= MOST && !self.counts.contains_key(&key) {
            self.make_room(now);
        }
        let before = self.counts.get(&key).map_or(0, |count| count.failures_at(&key, now));
        self.counts.insert(key, FailureCount { failures: before.saturating_add(1), last: now });
    }

    /// Drops the counts without failures, and the oldest eighth where that is not enough: rarely and many at once, rather
    /// than one by one with a search for each.
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

    fn lower(&mut self, key: &ThrottleKey) {
        if let Some(count) = self.counts.get_mut(key) {
            count.failures = count.failures.saturating_sub(1);
        }
    }
}

/// The counts of whoever asks from there, whatever the account.
fn networks(address: IpAddr) -> impl Iterator<Item = ThrottleKey> {
    let around = wide_networks(address).into_iter().map(ThrottleKey::Around);
    std::iter::once(ThrottleKey::Address(client_network(address))).chain(around)
}

impl ThrottleKey {
    fn scale(&self) -> Scale {
        match self {
            Self::Address(_) => ADDRESS,
            Self::Around(network) if network.prefix_len() == 56 => SITE,
            Self::Around(_) => WIDE,
            Self::Account(..) | Self::Device(..) => ACCOUNT,
            Self::LogIns(_) => LOG_INS,
        }
    }

    /// What counts the log-ins, where this counts the failures of an account.
    fn log_ins(&self) -> Option<Self> {
        matches!(self, Self::Account(..) | Self::Device(..)).then(|| Self::LogIns(Box::new(self.clone())))
    }
}

impl FailureCount {
    /// The failures that are not forgotten yet.
    fn failures_at(&self, key: &ThrottleKey, now: u64) -> u32 {
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
