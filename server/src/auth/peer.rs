//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr};

/// Where a request comes from, by its connection, or by a reverse proxy that the configuration trusts. An extension of
/// every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's address.
    pub address: IpAddr,
    /// The address that the connection itself comes from: the reverse proxy's, where there is one.
    pub connection: IpAddr,
    /// Whether the client's part of the way is encrypted, by Sluice's own TLS or the reverse proxy's.
    pub is_secure: bool,
    /// Whether the request names this machine by a loopback name or address. A page that a stranger's DNS name turned to
    /// 127.0.0.1 has another.
    pub is_by_loopback: bool,
    /// Whether it names the host of `url` in the configuration.
    pub is_by_url: bool,
}

impl Peer {
    /// A program on this machine, without TLS.
    pub const LOOPBACK: Self = Self {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        connection: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_secure: false,
        is_by_loopback: true,
        is_by_url: false,
    };
}
