//! How many streams there are at once: of one session, token or wall link, of one account, and from one client network.
//!
//! Connections are bounded already, but not through a reverse proxy, where one link could take them all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;

use crate::{
    auth::{AuthMethod, Peer, Principal},
    network::client_network,
};

/// Streams of one session or token: each tab of a browser has one.
const OF_ONE: usize = 60;

/// Streams of one wall link: as many displays may show it.
const OF_WALL_LINK: usize = 40;

/// Streams of one account, whatever it was let in by.
const OF_ACCOUNT: usize = 120;

/// Streams from one client network: it may be an office behind one address.
const OF_NETWORK: usize = 250;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Method(AuthMethod),
    Account(String),
    Network(IpNet),
}

/// The streams that are open. A clone counts the same ones.
#[derive(Clone, Debug, Default)]
pub struct StreamLimits(Arc<Mutex<HashMap<Counted, usize>>>);

/// A stream that counts until it is dropped.
#[derive(Debug)]
pub(super) struct StreamPlace {
    limits: StreamLimits,
    counted: Vec<Counted>,
}

impl StreamLimits {
    /// Counts one more stream.
    ///
    /// # Errors
    /// When there are too many, with which.
    pub(super) fn take(&self, principal: &Principal, peer: Peer) -> Result<StreamPlace, String> {
        let counted = counted(principal, peer);
        let mut counts = self.counts();
        for (key, most) in &counted {
            if counts.get(key).is_some_and(|count| count >= most) {
                return Err(key.too_many(*most));
            }
        }
        let counted: Vec<Counted> = counted.into_iter().map(|(key, _)| key).collect();
        for key in &counted {
            *counts.entry(key.clone()).or_default() += 1;
        }
        Ok(StreamPlace { limits: self.clone(), counted })
    }

    /// A count is never half changed.
    fn counts(&self) -> MutexGuard<'_, HashMap<Counted, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a stream counts for, and how many of that there may be.
fn counted(principal: &Principal, peer: Peer) -> Vec<(Counted, usize)> {
    let method = || Counted::Method(principal.method.clone());
    let account = || (Counted::Account(principal.name.clone()), OF_ACCOUNT);
    let mut counted = match &principal.method {
        AuthMethod::Session(_) | AuthMethod::Token(_) => vec![(method(), OF_ONE), account()],
        AuthMethod::WallLink(_) => vec![(method(), OF_WALL_LINK)],
        AuthMethod::Header => vec![account()],
        // Whoever is on this machine may do everything.
        AuthMethod::Open | AuthMethod::CommandLine | AuthMethod::Anonymous => Vec::new(),
    };
    // From this machine itself many may come, as through a tunnel.
    if !peer.address.to_canonical().is_loopback() {
        counted.push((Counted::Network(client_network(peer.address)), OF_NETWORK));
    }
    counted
}

impl Counted {
    /// Why one more is too many; short enough for a close frame.
    fn too_many(&self, most: usize) -> String {
        match self {
            Self::Method(AuthMethod::WallLink(_)) => {
                format!("{most} displays show this wall link already: close some, or make another link")
            }
            Self::Method(_) => format!("{most} pages are open with this login already: close some"),
            Self::Account(_) => format!("{most} pages of this account are open already: close some"),
            Self::Network(_) => format!("{most} pages are open from your network already: close some"),
        }
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut counts = self.limits.counts();
        for key in &self.counted {
            if let Some(count) = counts.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use model::rights::{Rights, Role};

    use super::*;

    fn principal(name: &str, method: AuthMethod) -> Principal {
        let rights = Arc::new(Rights::of(Role::Viewer));
        Principal { name: name.to_owned(), method, rights, address: Peer::LOOPBACK.address }
    }

    fn from(address: &str) -> Peer {
        let address: IpAddr = address.parse().expect("an address");
        Peer { address, ..Peer::LOOPBACK }
    }

    /// How many streams fit, one from each of these addresses in turn, and why no more do.
    fn fill(
        limits: &StreamLimits,
        principal: &Principal,
        address: impl Fn(usize) -> Peer,
    ) -> (Vec<StreamPlace>, String) {
        let mut places = Vec::new();
        loop {
            match limits.take(principal, address(places.len())) {
                Ok(place) => places.push(place),
                Err(why) => return (places, why),
            }
        }
    }

    #[test]
    fn a_link_a_login_an_account_and_a_network_have_so_many_and_get_them_back() {
        let limits = StreamLimits::default();
        let anywhere = |n: usize| from(&format!("10.{}.{}.1", n / 250, n % 250));
        let link = principal("wall noc", AuthMethod::WallLink("w".to_owned()));
        let (places, why) = fill(&limits, &link, anywhere);
        assert_eq!(places.len(), OF_WALL_LINK);
        assert!(why.contains("displays show this wall link") && why.len() <= 123, "{why}");
        limits.take(&principal("wall noc", AuthMethod::WallLink("x".to_owned())), anywhere(0)).expect("another link");
        drop(places);
        assert_eq!(fill(&limits, &link, anywhere).0.len(), OF_WALL_LINK);

        let session = |id: &str| principal("anna", AuthMethod::Session(id.to_owned()));
        let first = fill(&limits, &session("1"), anywhere).0;
        let second = fill(&limits, &session("2"), anywhere).0;
        assert_eq!((first.len(), second.len()), (OF_ONE, OF_ONE));
        let why = limits.take(&session("3"), anywhere(0)).expect_err("the account has enough");
        assert!(why.contains("this account"), "{why}");
        limits.take(&principal("ben", AuthMethod::Session("4".to_owned())), anywhere(0)).expect("another account");
        drop((first, second));

        let people = |n: usize| principal(&format!("u{n}"), AuthMethod::Token(n.to_string()));
        let held: Vec<_> = (0..OF_NETWORK).map(|n| limits.take(&people(n), from("192.0.2.1")).expect("fits")).collect();
        let why = limits.take(&people(OF_NETWORK), from("192.0.2.1")).expect_err("the network has enough");
        assert!(why.contains("your network"), "{why}");
        limits.take(&people(OF_NETWORK), from("192.0.2.2")).expect("from elsewhere");
        drop(held);
        assert!(limits.counts().is_empty());
    }

    #[test]
    fn this_machine_without_accounts_is_bounded_by_its_connections_alone() {
        let limits = StreamLimits::default();
        let open = Principal::open(Peer::LOOPBACK.address);
        let held: Vec<_> = (0..5_000).map(|_| limits.take(&open, Peer::LOOPBACK).expect("fits")).collect();
        assert!(limits.counts().is_empty());
        drop(held);
    }
}
