//! A real HAProxy of one's own, without a network port that a client could meet.

use lab::Haproxy;

use crate::{Address, Client, Limits};

/// Starts HAProxy with a socket of each level (`admin.sock`, ...), `severity.sock`, and the given proxies, whose mode is
/// tcp unless they say otherwise. `None`, aloud, where it isn't installed.
pub(super) async fn start(proxies: &str) -> Option<Haproxy> {
    let defaults = "defaults\n\tmode tcp\n\ttimeout connect 10s\n\ttimeout client 60s\n\ttimeout server 60s\n";
    let builder = Haproxy::builder().global("stats socket DIR/severity.sock level admin severity-output number");
    builder.start(&format!("{defaults}{proxies}")).await
}

/// A client of the socket `NAME.sock`.
pub(super) fn client(haproxy: &Haproxy, name: &str) -> Client {
    let path = haproxy.path(&format!("{name}.sock"));
    Client::new(Address::Unix(path), Limits::default())
}
