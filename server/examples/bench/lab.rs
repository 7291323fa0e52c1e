//! A real HAProxy with 1,000 servers. Behind all of them stand a few listeners in this process.

use std::{
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail};
use server::demo::web::{self, Behaviour, Health};
use tokio::{
    net::{TcpListener, UnixStream},
    process::{Child, Command},
    time::sleep,
};
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

/// Where Debian puts it, which is not on every user's PATH; otherwise PATH is searched.
const USUAL: &str = "/usr/sbin/haproxy";

/// Until the stats socket answers, in steps of [`RETRY`].
const ATTEMPTS: u32 = 100;
const RETRY: Duration = Duration::from_millis(50);

const TEMPLATE: &str = include_str!("haproxy.cfg");

/// What runs. Dropping it ends everything.
pub(crate) struct Lab {
    haproxy: Child,
    _origins: DropGuard,
    /// HAProxy's stats socket.
    pub(crate) socket: PathBuf,
    /// Where HAProxy takes requests; the header `x-backend` names the backend.
    pub(crate) frontend: SocketAddr,
}

impl Lab {
    /// Starts the servers and HAProxy, with its files in `dir`.
    pub(crate) async fn start(dir: &Path) -> anyhow::Result<Self> {
        let token = CancellationToken::new();
        let mut origins = Vec::new();
        for _ in 0..ORIGINS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            origins.push(listener.local_addr()?);
            let behaviour = Behaviour { name: "origin".to_owned(), health: Health::Fine };
            tokio::spawn(web::serve(listener, behaviour, token.clone()));
        }
        let (socket, frontend) = (dir.join("bench.sock"), ports::one()?);
        let (config, log) = (dir.join("bench.cfg"), dir.join("haproxy.log"));
        fs::write(&config, configuration(&socket, frontend, &origins))?;
        let program = if Path::new(USUAL).exists() { USUAL } else { "haproxy" };
        let mut haproxy = Command::new(program)
            // In the foreground and without a master: the child is the worker.
            .args(["-db", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log)?)
            .stderr(fs::File::options().append(true).open(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("HAProxy isn't installed; on Debian: apt-get install haproxy")?;
        for _ in 0..ATTEMPTS {
            if let Some(status) = haproxy.try_wait()? {
                bail!("HAProxy ended at once ({status}): {}", fs::read_to_string(&log).unwrap_or_default());
            }
            if UnixStream::connect(&socket).await.is_ok() {
                return Ok(Self { haproxy, _origins: token.drop_guard(), socket, frontend });
            }
            sleep(RETRY).await;
        }
        bail!("HAProxy's stats socket does not answer: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// HAProxy's process.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.haproxy.id().context("HAProxy has ended")
    }
}

/// The name of a backend.
pub(crate) fn backend(number: usize) -> String {
    format!("app-{number:03}")
}

fn configuration(socket: &Path, frontend: SocketAddr, origins: &[SocketAddr]) -> String {
    let mut text =
        TEMPLATE.replace("{socket}", &socket.display().to_string()).replace("{frontend}", &frontend.to_string());
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
