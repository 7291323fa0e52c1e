//! A real HAProxy with 1,000 servers. Behind all of them stand a few listeners in this process.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::Context as _;
use lab::{
    Haproxy,
    web::{self, Behaviour, CheckBehaviour},
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ports;

/// How many backends there are.
pub(crate) const BACKENDS: usize = 100;
/// How many servers each backend has.
pub(crate) const SERVERS: usize = 10;
/// How many servers there are in all.
pub(crate) const ALL_SERVERS: usize = BACKENDS * SERVERS;

/// Listeners behind the servers: enough that none has a long queue of new connections when checks come at once.
const ORIGINS: usize = 4;

const TEMPLATE: &str = include_str!("haproxy.cfg");

/// What runs. Dropping it ends everything.
pub(crate) struct Fixture {
    haproxy: Haproxy,
    _origins: DropGuard,
    /// Where HAProxy takes requests; the header `x-backend` names the backend.
    pub(crate) frontend: SocketAddr,
}

impl Fixture {
    /// Starts the servers and HAProxy.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let token = CancellationToken::new();
        let mut origins = Vec::new();
        for _ in 0..ORIGINS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            origins.push(listener.local_addr()?);
            let behaviour = Behaviour { name: "origin".to_owned(), health: CheckBehaviour::Fine };
            tokio::spawn(web::serve(listener, behaviour, token.clone()));
        }
        let frontend = ports::one()?;
        // One thread, so that its CPU time does not depend on how the others spin.
        let builder = Haproxy::builder().global("maxconn 2000").global("nbthread 1");
        let haproxy = builder.try_start(&configuration(frontend, &origins)).await?;
        Ok(Self { haproxy, _origins: token.drop_guard(), frontend })
    }

    /// HAProxy's stats socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.haproxy.admin()
    }

    /// HAProxy's process: it has no master, so this is the worker.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.haproxy.pid().context("HAProxy has ended")
    }
}

/// The name of a backend.
pub(crate) fn backend(number: usize) -> String {
    format!("app-{number:03}")
}

fn configuration(frontend: SocketAddr, origins: &[SocketAddr]) -> String {
    let mut text = TEMPLATE.replace("{frontend}", &frontend.to_string());
    for number in 0..BACKENDS {
        // Writing into a String can't fail.
        let _: std::fmt::Result =
            writeln!(text, "\nbackend {}\n    balance roundrobin\n    option httpchk GET /health", backend(number));
        for (server, origin) in (0..SERVERS).zip(origins.iter().cycle()) {
            let _: std::fmt::Result = writeln!(text, "    server web-{server:02} {origin}");
        }
    }
    text
}
