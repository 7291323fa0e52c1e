//! What holds where nothing is set.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Where the dashboard is served by default.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// How often a node is polled by default: as often as a person can follow, and about 3.5 ms of HAProxy's time per 1,000
/// servers.
pub const DEFAULT_POLL: Duration = Duration::from_secs(1);

/// The file that is read when neither `--config` nor `--socket` is given.
pub const DEFAULT_FILE: &str = "/etc/sluice/sluice.toml";
