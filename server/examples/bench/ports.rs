//! Loopback ports that nobody listens on.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Context as _;
use lab::demo::PORTS;

/// Where a range is looked for: above most services, below the ports that Linux gives to clients.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

const ATTEMPTS: usize = 100;

/// One port. Another program could take it before it is used; then the one that wants it says so.
pub(crate) fn one() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free loopback port")?;
    Ok(listener.local_addr()?)
}

/// The first of as many consecutive ports as the demo takes.
pub(crate) fn for_demo() -> anyhow::Result<u16> {
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (0..ATTEMPTS)
        .map(|_| fastrand::u16(RANGE))
        .find(|base| (*base..base + PORTS).all(is_free))
        .with_context(|| format!("there are no {PORTS} consecutive free loopback ports"))
}
