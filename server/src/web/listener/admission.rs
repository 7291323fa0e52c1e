//! How many connections there may be, in all and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    config::{ConnectionLimits, DEFAULT_PER_ADDRESS, ListenerConfig},
    metrics::{ListenerMetrics, ReasonLabel},
};

/// Bits of an IPv6 address that are one place: providers give every customer a network of so many at least, and its
/// owner any address in it.
const PLACE: u32 = 64;

/// Counts connections. A clone counts the same ones.
#[derive(Clone, Debug)]
pub(super) struct Admission(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: ConnectionLimits,
    /// Whose connections count only in all, unless the configuration names a bound.
    config: ListenerConfig,
    metrics: ListenerMetrics,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_place: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Too many in all.
    Total,
    /// Too many from there.
    Address,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Admission,
    place: Option<IpAddr>,
}

impl Admission {
    pub(super) fn new(limits: ConnectionLimits, config: ListenerConfig, metrics: ListenerMetrics) -> Self {
        Self(Arc::new(Inner { limits, config, metrics, open: Mutex::default() }))
    }

    /// A place for a connection from there; refusals are counted.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Permit, Full> {
        let inner = &*self.0;
        let place = self.bound(address).map(|bound| (place(address), bound));
        let mut open = self.open();
        let full = if open.total >= inner.limits.connections {
            Some(Full::Total)
        } else {
            place.filter(|(place, bound)| open.by_place.get(place).is_some_and(|n| n >= bound)).map(|_| Full::Address)
        };
        if let Some(full) = full {
            inner.metrics.refused.get_or_create(&ReasonLabel::of(full.word())).inc();
            return Err(full);
        }
        open.total += 1;
        let place = place.map(|(place, _)| place);
        if let Some(place) = place {
            *open.by_place.entry(place).or_default() += 1;
        }
        inner.metrics.open.inc();
        Ok(Permit { admission: self.clone(), place })
    }

    /// How many there may be from an address; nothing where only all together are bounded.
    fn bound(&self, address: IpAddr) -> Option<usize> {
        let is_shared = address.to_canonical().is_loopback() || self.0.config.trusts(address);
        self.0.limits.per_address.or_else(|| (!is_shared).then_some(DEFAULT_PER_ADDRESS))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nobody panics while holding it.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Full {
    /// Its name among the figures.
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
        if let Some(place) = self.place
            && let Some(count) = open.by_place.get_mut(&place)
        {
            *count -= 1;
            if *count == 0 {
                open.by_place.remove(&place);
            }
        }
        self.admission.0.metrics.open.dec();
    }
}

/// What counts as one address.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - PLACE))).into(),
        v4 => v4,
    }
}

#[cfg(test)]
impl Permit {
    /// One that counts for nobody.
    pub(super) fn for_test() -> Self {
        let admission =
            Admission::new(ConnectionLimits::default(), ListenerConfig::default(), ListenerMetrics::default());
        admission.admit(IpAddr::V6(Ipv6Addr::LOCALHOST)).expect("nobody else is there")
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

    fn admit(admission: &Admission, address: &str) -> Result<Permit, Full> {
        admission.admit(address.parse().expect("an address"))
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let two = admission(100, Some(2));
        let held = [admit(&two, "192.0.2.1"), admit(&two, "::ffff:192.0.2.1")].map(|p| p.expect("a place"));
        assert_eq!(admit(&two, "192.0.2.1").expect_err("full"), Full::Address);
        assert!(admit(&two, "192.0.2.2").is_ok());
        drop(held);
        assert!(admit(&two, "192.0.2.1").is_ok());
        {
            let open = two.open();
            assert_eq!((open.total, open.by_place.len()), (0, 0));
        }
        assert_eq!(two.0.metrics.open.get(), 0);
        assert_eq!(two.0.metrics.refused.get_or_create(&ReasonLabel::of("address")).get(), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_place() {
        let two = admission(100, Some(2));
        let _held = [admit(&two, "2001:db8:0:1::1"), admit(&two, "2001:db8:0:1:ffff::2")].map(|p| p.expect("a place"));
        assert_eq!(admit(&two, "2001:db8:0:1::3").expect_err("full"), Full::Address);
        assert!(admit(&two, "2001:db8:0:2::1").is_ok());
    }

    #[test]
    fn this_machine_and_reverse_proxies_bring_many_people() {
        let usual = admission(1000, None);
        for address in ["127.0.0.1", "::1", "10.1.2.3", "::ffff:127.0.0.1"] {
            let many: Vec<_> = (0..=DEFAULT_PER_ADDRESS).map(|_| admit(&usual, address).expect("a place")).collect();
            assert_eq!(usual.open().total, many.len());
        }
        let _many: Vec<_> = (0..DEFAULT_PER_ADDRESS).map(|_| admit(&usual, "192.0.2.1").expect("a place")).collect();
        assert_eq!(admit(&usual, "192.0.2.1").expect_err("full"), Full::Address);
        // Where a bound is named it is for all.
        let named = admission(1000, Some(1));
        let _one = admit(&named, "127.0.0.1").expect("a place");
        assert_eq!(admit(&named, "127.0.0.1").expect_err("full"), Full::Address);
    }

    #[test]
    fn all_together_are_bounded() {
        let all = admission(2, None);
        let _held = [admit(&all, "127.0.0.1"), admit(&all, "192.0.2.1")].map(|p| p.expect("a place"));
        assert_eq!(admit(&all, "::1").expect_err("full"), Full::Total);
    }
}
