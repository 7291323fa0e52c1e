//! Which addresses count as one client, wherever something is bounded per client.

use std::net::IpAddr;

use ipnet::IpNet;

/// The network that one client has to itself: an IPv4 address alone; of IPv6 the 64 bits that providers give to every
/// customer at least, as its owner may use any address in it. An IPv4 address inside an IPv6 one is the IPv4 address.
pub(crate) fn client_network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    network(address, if address.is_ipv4() { 32 } else { 64 })
}

/// The networks around a client's that may be one owner's too, the narrowest first: of IPv6 the /56 and the /48 that
/// providers give to customers, of IPv4 the /24.
pub(crate) fn wide_networks(address: IpAddr) -> Vec<IpNet> {
    let address = address.to_canonical();
    let prefixes: &[u8] = if address.is_ipv4() { &[24] } else { &[56, 48] };
    prefixes.iter().map(|prefix| network(address, *prefix)).collect()
}

/// The widest network that may be one owner's.
pub(crate) fn widest_network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    network(address, if address.is_ipv4() { 24 } else { 48 })
}

/// What an internet provider has from its registry at least: of IPv6 a /32, of IPv4 about a /16. Its customers may be anybody,
/// and one of them may have many of its networks.
pub(crate) fn region(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    network(address, if address.is_ipv4() { 16 } else { 32 })
}

/// The length must be one that the address can have.
fn network(address: IpAddr, prefix: u8) -> IpNet {
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

    #[test]
    fn a_region_is_wider_than_any_network_of_it() {
        let region = |text: &str| region(text.parse().expect("an address")).to_string();
        assert_eq!(region("2001:db8:1:2345::1"), "2001:db8::/32");
        assert_eq!(region("::ffff:10.7.0.1"), "10.7.0.0/16");
    }

    #[test]
    fn networks_around_a_client_are_wider() {
        let wide = |text: &str| -> Vec<String> {
            let address = text.parse().expect("an address");
            let all: Vec<String> = wide_networks(address).iter().map(ToString::to_string).collect();
            assert_eq!(all.last(), Some(&widest_network(address).to_string()));
            all
        };
        assert_eq!(wide("2001:db8:1:2345::1"), ["2001:db8:1:2300::/56", "2001:db8:1::/48"]);
        assert_eq!(wide("::ffff:10.0.0.1"), ["10.0.0.0/24"]);
    }
}
