//! Which addresses count as one client, wherever something is bounded per client.

use std::net::IpAddr;

use ipnet::IpNet;

/// The network that one client has to itself: an IPv4 address alone; of IPv6 the 64 bits that providers give to every
/// customer at least, as its owner may use any address in it. An IPv4 address inside an IPv6 one is the IPv4 address.
pub(crate) fn client_network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let prefix = if address.is_ipv4() { 32 } else { 64 };
    // Both are lengths that the addresses can have.
    IpNet::new(address, prefix).map_or_else(|_| address.into(), |network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_customer_are_one() {
        let network = |text: &str| client_network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
        assert_ne!(network("10.0.0.2"), network("10.0.0.1"));
        assert_eq!(network("2001:db8:1:2:3::4").to_string(), "2001:db8:1:2::/64");
    }
}
