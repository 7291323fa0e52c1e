//! Log-ins whose browsers are at the provider: each can be finished once, by the browser that began it, within ten minutes.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use ipnet::IpNet;
use openidconnect::{Nonce, PkceCodeVerifier};

use crate::{
    auth::{Secret, SecretHash},
    network::client_network,
};

/// How long somebody may take at the provider.
const LIFETIME: Duration = Duration::from_secs(600);

/// Log-ins that are kept; with one more, the oldest is dropped. A kilobyte each.
const MOST: usize = 4_096;

/// Log-ins that are kept of one client network; with one more, its own oldest is dropped, so that a flood harms nobody
/// else.
const MOST_OF_ONE: usize = 64;

/// The log-ins.
#[derive(Debug, Default)]
pub(super) struct PendingLogIns {
    /// By the hash of their `state`.
    by_state: HashMap<SecretHash, PendingLogIn>,
    /// The number of the newest one: the smallest number is the oldest.
    count: u64,
}

#[derive(Debug)]
struct PendingLogIn {
    number: u64,
    at: Instant,
    network: IpNet,
    browser: SecretHash,
    proof: LogInProof,
}

/// What finishing a log-in takes.
#[derive(Debug)]
pub(super) struct LogInProof {
    /// What the ID token must repeat.
    pub(super) nonce: Nonce,
    /// What proves to the provider that the code is redeemed by whoever began.
    pub(super) verifier: PkceCodeVerifier,
    /// The page that the log-in leads to.
    pub(super) return_to: String,
}

impl PendingLogIns {
    /// Keeps a log-in that begins now.
    pub(super) fn insert(&mut self, state: Secret, browser: Secret, address: IpAddr, proof: LogInProof, now: Instant) {
        self.by_state.retain(|_, log_in| now.duration_since(log_in.at) < LIFETIME);
        let network = client_network(address);
        let of_one = self.by_state.values().filter(|log_in| log_in.network == network).count();
        if of_one >= MOST_OF_ONE {
            self.remove_oldest(|log_in| log_in.network == network);
        } else if self.by_state.len() >= MOST {
            self.remove_oldest(|_| true);
        }
        self.count += 1;
        let log_in = PendingLogIn { number: self.count, at: now, network, browser: browser.hash(), proof };
        self.by_state.insert(state.hash(), log_in);
    }

    /// Takes the log-in of that `state` out, where that browser began it. Afterwards nobody can finish it any more, even
    /// when another browser asked.
    pub(super) fn take(&mut self, state: Secret, browser: Option<Secret>, now: Instant) -> Option<LogInProof> {
        let log_in = self.by_state.remove(&state.hash())?;
        let is_own = browser.is_some_and(|browser| log_in.browser == browser.hash());
        (is_own && now.duration_since(log_in.at) < LIFETIME).then_some(log_in.proof)
    }

    /// Whether that browser began any of them.
    pub(super) fn has_browser(&self, browser: Secret) -> bool {
        let browser = browser.hash();
        self.by_state.values().any(|log_in| log_in.browser == browser)
    }

    fn remove_oldest(&mut self, which: impl Fn(&PendingLogIn) -> bool) {
        let oldest = self.by_state.iter().filter(|(_, log_in)| which(log_in)).min_by_key(|(_, log_in)| log_in.number);
        if let Some(state) = oldest.map(|(state, _)| *state) {
            self.by_state.remove(&state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn proof(return_to: &str) -> LogInProof {
        LogInProof {
            nonce: Nonce::new("n".to_owned()),
            verifier: PkceCodeVerifier::new("v".repeat(43)),
            return_to: return_to.to_owned(),
        }
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn secret() -> Secret {
        Secret::random().expect("random bytes")
    }

    #[test]
    fn a_log_in_comes_back_once_in_time_and_to_its_own_browser() {
        let (mut pending, start) = (PendingLogIns::default(), Instant::now());
        let (browser, other) = (secret(), secret());
        let [one, two, three] = [secret(), secret(), secret()];
        for (state, next) in [(one, "/1"), (two, "/2"), (three, "/3")] {
            pending.insert(state, browser, HERE, proof(next), start);
        }
        assert!(pending.has_browser(browser) && !pending.has_browser(other));
        assert_eq!(pending.take(one, Some(browser), start).map(|proof| proof.return_to).as_deref(), Some("/1"));
        assert!(pending.take(one, Some(browser), start).is_none(), "used");
        assert!(pending.take(two, Some(other), start).is_none(), "another browser");
        assert!(pending.take(two, Some(browser), start).is_none(), "spoiled by it");
        assert!(pending.take(three, Some(browser), start + LIFETIME).is_none(), "late");
        assert!(pending.take(secret(), Some(browser), start).is_none(), "never begun");
        pending.insert(one, browser, HERE, proof("/"), start);
        assert!(pending.take(one, None, start).is_none(), "no cookie");
    }

    #[test]
    fn a_flood_drives_out_its_own_and_the_whole_is_bounded() {
        let (mut pending, start) = (PendingLogIns::default(), Instant::now());
        let honest: IpAddr = "192.0.2.1".parse().expect("an address");
        let (state, browser) = (secret(), secret());
        pending.insert(state, browser, honest, proof("/"), start);
        for n in 0..1_000_u128 {
            // One client may use every address of its /64.
            let address = IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + n));
            pending.insert(secret(), secret(), address, proof("/"), start);
        }
        assert_eq!(pending.by_state.len(), 1 + MOST_OF_ONE);
        assert!(pending.take(state, Some(browser), start).is_some());
        for n in 0..u32::try_from(MOST).expect("few") + 10 {
            pending.insert(secret(), secret(), IpAddr::V4(n.into()), proof("/"), start);
        }
        assert_eq!(pending.by_state.len(), MOST);
        pending.insert(secret(), secret(), honest, proof("/"), start + LIFETIME);
        assert_eq!(pending.by_state.len(), 1);
    }
}
