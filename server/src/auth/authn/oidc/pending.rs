//! Log-ins that were begun and are awaited back from the provider: each good once, for one browser, for ten minutes.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use openidconnect::{Nonce, PkceCodeVerifier};

use crate::auth::{Secret, SecretHash};

/// How long somebody may take at the provider.
const TIME: Duration = Duration::from_secs(600);

/// Log-ins that may be awaited at once; one more drives out the oldest. A kilobyte each.
const MOST: usize = 4_096;

/// Those of one address; one more drives out its own oldest, so that a flood harms nobody but its neighbours.
const MOST_OF_ONE: usize = 64;

/// Begun log-ins.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// By the hash of their `state`.
    begun: HashMap<SecretHash, Begun>,
    /// Counts them up: the smallest number is the oldest.
    count: u64,
}

/// A log-in that was begun.
#[derive(Debug)]
struct Begun {
    number: u64,
    at: Instant,
    address: IpAddr,
    browser: SecretHash,
    awaited: Awaited,
}

/// What is needed when somebody comes back.
#[derive(Debug)]
pub(super) struct Awaited {
    /// What the ID token must repeat.
    pub(super) nonce: Nonce,
    /// What proves that the code is asked for by who began.
    pub(super) verifier: PkceCodeVerifier,
    /// Where they wanted to go.
    pub(super) next: String,
}

impl Pending {
    /// Keeps a log-in that was begun now.
    pub(super) fn keep(&mut self, state: Secret, browser: Secret, address: IpAddr, awaited: Awaited, now: Instant) {
        self.begun.retain(|_, begun| now.duration_since(begun.at) < TIME);
        let address = network(address);
        let of_one = self.begun.values().filter(|begun| begun.address == address).count();
        if of_one >= MOST_OF_ONE {
            self.forget_oldest(|begun| begun.address == address);
        } else if self.begun.len() >= MOST {
            self.forget_oldest(|_| true);
        }
        self.count += 1;
        let begun = Begun { number: self.count, at: now, address, browser: browser.hash(), awaited };
        self.begun.insert(state.hash(), begun);
    }

    /// What was kept under that `state`, for that browser; whoever asks, it is good no more.
    pub(super) fn take(&mut self, state: Secret, browser: Option<Secret>, now: Instant) -> Option<Awaited> {
        let begun = self.begun.remove(&state.hash())?;
        let is_good =
            browser.is_some_and(|browser| begun.browser == browser.hash()) && now.duration_since(begun.at) < TIME;
        is_good.then_some(begun.awaited)
    }

    /// Whether something is awaited for that browser.
    pub(super) fn knows(&self, browser: Secret) -> bool {
        let browser = browser.hash();
        self.begun.values().any(|begun| begun.browser == browser)
    }

    fn forget_oldest(&mut self, which: impl Fn(&Begun) -> bool) {
        let oldest = self.begun.iter().filter(|(_, begun)| which(begun)).min_by_key(|(_, begun)| begun.number);
        if let Some(state) = oldest.map(|(state, _)| *state) {
            self.begun.remove(&state);
        }
    }
}

/// What one person can have many addresses in: the first 64 bits of an address of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awaited(next: &str) -> Awaited {
        Awaited {
            nonce: Nonce::new("n".to_owned()),
            verifier: PkceCodeVerifier::new("v".repeat(43)),
            next: next.to_owned(),
        }
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn secret() -> Secret {
        Secret::random().expect("random bytes")
    }

    #[test]
    fn a_log_in_comes_back_once_in_time_and_to_its_own_browser() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let (browser, other) = (secret(), secret());
        let [one, two, three] = [secret(), secret(), secret()];
        for (state, next) in [(one, "/1"), (two, "/2"), (three, "/3")] {
            pending.keep(state, browser, HERE, awaited(next), start);
        }
        assert!(pending.knows(browser) && !pending.knows(other));
        assert_eq!(pending.take(one, Some(browser), start).map(|a| a.next).as_deref(), Some("/1"));
        assert!(pending.take(one, Some(browser), start).is_none(), "used");
        assert!(pending.take(two, Some(other), start).is_none(), "another browser");
        assert!(pending.take(two, Some(browser), start).is_none(), "spoiled by it");
        assert!(pending.take(three, Some(browser), start + TIME).is_none(), "late");
        assert!(pending.take(secret(), Some(browser), start).is_none(), "never begun");
        pending.keep(one, browser, HERE, awaited("/"), start);
        assert!(pending.take(one, None, start).is_none(), "no cookie");
    }

    #[test]
    fn a_flood_drives_out_its_own_and_the_whole_is_bounded() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let honest: IpAddr = "192.0.2.1".parse().expect("an address");
        let (state, browser) = (secret(), secret());
        pending.keep(state, browser, honest, awaited("/"), start);
        for n in 0..1_000_u128 {
            // One machine has all of a network of 64 bits.
            let address = IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + n));
            pending.keep(secret(), secret(), address, awaited("/"), start);
        }
        assert_eq!(pending.begun.len(), 1 + MOST_OF_ONE);
        assert!(pending.take(state, Some(browser), start).is_some());
        for n in 0..u32::try_from(MOST).expect("few") + 10 {
            pending.keep(secret(), secret(), IpAddr::V4(n.into()), awaited("/"), start);
        }
        assert_eq!(pending.begun.len(), MOST);
        pending.keep(secret(), secret(), honest, awaited("/"), start + TIME);
        assert_eq!(pending.begun.len(), 1);
    }
}
