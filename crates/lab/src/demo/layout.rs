//! Which port is whose, and HAProxy's configuration made from that: plain functions.

use std::{fmt::Write as _, net::SocketAddr, path::Path};

use crate::web::CheckBehaviour;

const TEMPLATE: &str = include_str!("haproxy.cfg");

/// The nodes, in the order of their ports.
pub(super) const NODES: [&str; 2] = ["lb1", "lb2"];

/// How many consecutive ports the lab takes: two frontends on each node, then the servers.
pub const PORTS: u16 = (2 * NODES.len() + BACKENDS.len()) as u16;

/// Everything that listens behind HAProxy, in the order of their ports, by the name that the template uses.
const BACKENDS: [&str; 15] = [
    "web1",
    "web2",
    "web3",
    "web4",
    "web5",
    "api1",
    "api2",
    "api3-backup",
    "static1",
    "static2",
    "assets-mirror",
    "api1-agent",
    "api2-agent",
    "db1",
    "db2",
];

/// What plays a server's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Web(CheckBehaviour),
    Agent(&'static [&'static str]),
    Database,
}

/// The lab's addresses, all of them on loopback.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    base: u16,
}

impl Layout {
    /// `None` where the ports would run past 65535.
    pub(super) fn new(base: u16) -> Option<Self> {
        base.checked_add(PORTS - 1).map(|_| Self { base })
    }

    /// A node's web frontend.
    pub(super) fn www(self, node: usize) -> SocketAddr {
        self.address(node)
    }

    /// A node's database frontend.
    pub(super) fn db_in(self, node: usize) -> SocketAddr {
        self.address(NODES.len() + node)
    }

    /// Each server that something plays, with its address. web3 is not among them: it is the one that is down.
    pub(super) fn servers(self) -> impl Iterator<Item = (&'static str, SocketAddr, Part)> {
        BACKENDS.into_iter().enumerate().filter_map(move |(index, name)| Some((name, self.backend(index), part(name)?)))
    }

    /// One node's HAProxy configuration. `dir` must be without quotes: it is written between them.
    pub(super) fn config(self, node: usize, dir: &str) -> String {
        let mut text = TEMPLATE
            .replace("{node}", NODES[node])
            .replace("{dir}", dir)
            .replace("{www}", &self.www(node).port().to_string())
            .replace("{db-in}", &self.db_in(node).port().to_string());
        for (index, name) in BACKENDS.into_iter().enumerate() {
            text = text.replace(&format!("{{{name}}}"), &self.backend(index).port().to_string());
        }
        text
    }

    fn backend(self, index: usize) -> SocketAddr {
        self.address(2 * NODES.len() + index)
    }

    fn address(self, offset: usize) -> SocketAddr {
        let offset = u16::try_from(offset).unwrap_or(PORTS);
        SocketAddr::from(([127, 0, 0, 1], self.base.saturating_add(offset)))
    }
}

/// Sluice's own configuration: both nodes, as one cluster; accounts and record in `data`.
pub(super) fn sluice_config(dir: &Path, data: &Path) -> String {
    let mut text = format!("# Written by `sluice-lab`; gone when it ends.\ndata = \"{}\"\n", data.display());
    for node in NODES {
        let socket = dir.join(format!("{node}.sock"));
        // The folder's name holds neither quotes nor backslashes, so it needs no escape in TOML.
        let _infallible = write!(
            text,
            "\n[[node]]\nname = \"{node}\"\ncluster = \"edge\"\naddress = \"unix:{}\"\npoll = \"1s\"\n",
            socket.display()
        );
    }
    text
}

fn part(name: &str) -> Option<Part> {
    Some(match name {
        "web3" => return None,
        "web5" => Part::Web(CheckBehaviour::Flapping),
        "api1-agent" => Part::Agent(&["up 100%\n"]),
        "api2-agent" => Part::Agent(&["up 75%\n", "up 50%\n", "up 75%\n", "up 100%\n"]),
        "db1" | "db2" => Part::Database,
        _ => Part::Web(CheckBehaviour::Fine),
    })
}
