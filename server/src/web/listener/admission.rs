//! How many connections there may be, in all and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;

use crate::{
    config::{ConnectionLimits, DEFAULT_PER_ADDRESS, ListenerConfig},
    metrics::{ListenerMetrics, ReasonLabel},
    network::client_network,
};

/// Counts connections. A clone counts the same ones.
#[derive(Clone, Debug)]
pub(super) struct Admission(Arc<AdmissionState>);

#[derive(Debug)]
struct AdmissionState {
    limits: ConnectionLimits,
    /// Whose connections count only in all, unless the configuration names a bound.
    config: ListenerConfig,
    metrics: ListenerMetrics,
    open: Mutex<OpenConnections>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    total: usize,
    by_network: HashMap<IpNet, usize>,
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdmissionError {
    /// Too many in all.
    Total,
    /// Too many from there.
    Address,
}

/// One connection that was let in, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Admission,
    /// Nothing for one that is bounded only with all together.
    network: Option<IpNet>,
}

impl Admission {
    pub(super) fn new(limits: ConnectionLimits, config: ListenerConfig, metrics: ListenerMetrics) -> Self {
        Self(Arc::new(AdmissionState { limits, config, metrics, open: Mutex::default() }))
    }

    /// Lets in a connection from there.
    ///
    /// # Errors
    /// When there are too many; it is counted.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Permit, AdmissionError> {
        let inner = &*self.0;
        let network = self.bound(address).map(|bound| (client_network(address), bound));
        let mut open = self.open();
        let error = if open.total >= inner.limits.connections {
            Some(AdmissionError::Total)
        } else {
            network
                .filter(|(network, bound)| open.by_network.get(network).is_some_and(|n| n >= bound))
                .map(|_| AdmissionError::Address)
        };
        if let Some(error) = error {
            inner.metrics.refused.get_or_create(&ReasonLabel::of(error.word())).inc();
            return Err(error);
        }
        open.total += 1;
        let network = network.map(|(network, _)| network);
        if let Some(network) = network {
            *open.by_network.entry(network).or_default() += 1;
        }
        inner.metrics.open.inc();
        Ok(Permit { admission: self.clone(), network })
    }

    /// How many there may be from an address; nothing where only all together are bounded.
    fn bound(&self, address: IpAddr) -> Option<usize> {
        let is_shared = address.to_canonical().is_loopback() || self.0.config.trusts(address);
        self.0.limits.per_address.or_else(|| (!is_shared).then_some(DEFAULT_PER_ADDRESS))
    }

    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        // Nobody panics while holding it.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AdmissionError {
    /// Its name in figures.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.admission.open();
        open.total -= 1;
        if let Some(network) = self.network
            && let Some(count) = open.by_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                open.by_network.remove(&network);
            }
        }
        self.admission.0.metrics.open.dec();
    }
}

#[cfg(test)]
impl Permit {
    /// One that counts for nobody.
    pub(super) fn for_test() -> Self {
        let admission =
            Admission::new(ConnectionLimits::default(), ListenerConfig::default(), ListenerMetrics::default());
        admission.admit(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)).expect("nobody else is there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections: usize, per_address: Option<usize>) -> Admission {
        let proxies = Some(vec!["10.0.0.0/8".parse().expect("a network")]);
        let limits = ConnectionLimits { connections, per_address };
        Admission::new(limits, ListenerConfig { proxies, url: None }, ListenerMetrics::default())
    }

    fn admit(admission: &Admission, address: &str) -> Result<Permit, AdmissionError> {
        admission.admit(address.parse().expect("an address"))
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let two = admission(100, Some(2));
        let held = [admit(&two, "192.0.2.1"), admit(&two, "::ffff:192.0.2.1")].map(|p| p.expect("let in"));
        assert_eq!(admit(&two, "192.0.2.1").expect_err("full"), AdmissionError::Address);
        assert!(admit(&two, "192.0.2.2").is_ok());
        drop(held);
        assert!(admit(&two, "192.0.2.1").is_ok());
        {
            let open = two.open();
            assert_eq!((open.total, open.by_network.len()), (0, 0));
        }
        assert_eq!(two.0.metrics.open.get(), 0);
        assert_eq!(two.0.metrics.refused.get_or_create(&ReasonLabel::of("address")).get(), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let two = admission(100, Some(2));
        let _held = [admit(&two, "2001:db8:0:1::1"), admit(&two, "2001:db8:0:1:ffff::2")].map(|p| p.expect("let in"));
        assert_eq!(admit(&two, "2001:db8:0:1::3").expect_err("full"), AdmissionError::Address);
        assert!(admit(&two, "2001:db8:0:2::1").is_ok());
    }

    #[test]
    fn this_machine_and_reverse_proxies_bring_many_people() {
        let usual = admission(1000, None);
        for address in ["127.0.0.1", "::1", "10.1.2.3", "::ffff:127.0.0.1"] {
            let many: Vec<_> = (0..=DEFAULT_PER_ADDRESS).map(|_| admit(&usual, address).expect("let in")).collect();
            assert_eq!(usual.open().total, many.len());
        }
        let _many: Vec<_> = (0..DEFAULT_PER_ADDRESS).map(|_| admit(&usual, "192.0.2.1").expect("let in")).collect();
        assert_eq!(admit(&usual, "192.0.2.1").expect_err("full"), AdmissionError::Address);
        // Where a bound is named it is for all.
        let named = admission(1000, Some(1));
        let _one = admit(&named, "127.0.0.1").expect("let in");
        assert_eq!(admit(&named, "127.0.0.1").expect_err("full"), AdmissionError::Address);
    }

    #[test]
    fn all_together_are_bounded() {
        let all = admission(2, None);
        let _held = [admit(&all, "127.0.0.1"), admit(&all, "192.0.2.1")].map(|p| p.expect("let in"));
        assert_eq!(admit(&all, "::1").expect_err("full"), AdmissionError::Total);
    }
}
