//! A real HAProxy of one's own, without a network port that a client could meet.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::{Address, Client, Limits};

const PROGRAM: &str = "/usr/sbin/haproxy";

/// Far longer than HAProxy needs to start, even on a busy machine.
const START: Duration = Duration::from_secs(20);

/// A running HAProxy. Dropping it kills the process, waits for it, and removes its files.
pub(super) struct Haproxy {
    process: Child,
    directory: TempDir,
}

impl Haproxy {
    /// Starts HAProxy with a socket of each level (`admin.sock`, ...) and the given proxies, in which `DIR` stands for
    /// its directory. `None`, aloud, where it isn't installed.
    pub(super) async fn start(proxies: &str) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            eprintln!("SKIPPED: {PROGRAM} is missing, and this test needs a real HAProxy");
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let config = format!(
            "global\n\
             \tstats socket DIR/admin.sock level admin\n\
             \tstats socket DIR/operator.sock level operator\n\
             \tstats socket DIR/user.sock level user\n\
             \tstats socket DIR/severity.sock level admin severity-output number\n\
             defaults\n\
             \tmode tcp\n\
             \ttimeout connect 10s\n\
             \ttimeout client 60s\n\
             \ttimeout server 60s\n\
             {proxies}"
        );
        let config = config.replace("DIR", &directory.path().display().to_string());
        let file = directory.path().join("haproxy.cfg");
        std::fs::write(&file, config).expect("a configuration");
        let process = Command::new(PROGRAM)
            .args(["-db", "-q", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("HAProxy starts");
        let haproxy = Self { process, directory };
        // The first answer comes from the event loop, thus after HAProxy has opened every socket. A socket that merely
        // takes connections proves nothing of the next one.
        let client = haproxy.client("admin");
        let serving = async {
            while client.info().await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(START, serving).await.expect("HAProxy serves");
        Some(haproxy)
    }

    /// A client of the socket `NAME.sock`.
    pub(super) fn client(&self, name: &str) -> Client {
        let path = self.path(&format!("{name}.sock"));
        Client::new(Address::Unix(path), Limits::default())
    }

    /// Kills HAProxy as a crash would; its files stay until what this returns is dropped.
    pub(super) fn stop(mut self) -> Self {
        self.process.kill().expect("HAProxy ran");
        self.process.wait().expect("HAProxy ends");
        self
    }

    /// A path in HAProxy's directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // A process that has ended already is as good as a killed one.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}
