//! A real HAProxy of one's own, in a directory of its own.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::raw;
use crate::PATIENCE;

/// The installed one.
const PROGRAM: &str = "/usr/sbin/haproxy";

/// How long a process may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(3);

/// A HAProxy, running or not. Dropping it ends the process with its workers, and removes its files.
pub(crate) struct Haproxy {
    program: PathBuf,
    directory: TempDir,
    process: Option<Child>,
    is_master: bool,
}

impl Haproxy {
    /// Starts HAProxy with these proxies, in which `DIR` stands for its directory. Nothing, aloud, where it is not
    /// installed.
    pub(crate) async fn start(proxies: &str) -> Option<Self> {
        Self::begin(installed()?, proxies, false).await
    }

    /// The same as a master with a worker, which `SIGUSR2` reloads.
    pub(crate) async fn start_master(proxies: &str) -> Option<Self> {
        Self::begin(installed()?, proxies, true).await
    }

    /// Starts the HAProxy of a branch, `2.2` for one. Nothing, aloud, where there is none.
    pub(crate) async fn start_branch(branch: &str, proxies: &str) -> Option<Self> {
        Self::begin(of_branch(branch)?, proxies, false).await
    }

    /// The same as a master with a worker.
    pub(crate) async fn start_branch_master(branch: &str, proxies: &str) -> Option<Self> {
        Self::begin(of_branch(branch)?, proxies, true).await
    }

    async fn begin(program: PathBuf, proxies: &str, is_master: bool) -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let mut haproxy = Self { program, directory, process: None, is_master };
        haproxy.configure(proxies);
        haproxy.run().await;
        Some(haproxy)
    }

    /// Writes the configuration of the next start or reload.
    pub(crate) fn configure(&self, proxies: &str) {
        let config = format!(
            "global\n\
             \tstats socket DIR/admin.sock level admin\n\
             \tstats socket DIR/operator.sock level operator\n\
             \tstats socket DIR/user.sock level user\n\
             defaults\n\
             \tmode http\n\
             \ttimeout connect 10s\n\
             \ttimeout client 60s\n\
             \ttimeout server 60s\n\
             {proxies}"
        );
        let config = config.replace("DIR", &self.directory.path().display().to_string());
        std::fs::write(self.path("haproxy.cfg"), config).expect("a configuration");
    }

    /// Starts it, and returns when it answers.
    pub(crate) async fn run(&mut self) {
        let mut command = Command::new(&self.program);
        if self.is_master {
            command.arg("-W").arg("-S").arg(self.path("master.sock"));
        }
        command.args(["-db", "-q", "-f"]).arg(self.path("haproxy.cfg"));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("HAProxy starts");
        self.process = Some(process);
        let socket = self.admin();
        let answers = async {
            while raw::try_ask(&socket, "show info").await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, answers).await.expect("HAProxy serves");
        // The master begins anew when its worker runs, and refuses connections for a moment.
        let master = self.path("master.sock");
        let answers = async {
            while self.is_master && raw::try_ask_master(&master, "show proc").await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, answers).await.expect("the master serves");
    }

    /// Kills it as a crash would: its socket stays on disk.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it ran");
        process.wait().expect("it ends");
    }

    /// Sends a signal to the process that was started: `STOP`, `CONT`, `USR2`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.as_ref().expect("it runs").id();
        assert!(send(pid, name), "kill -{name} {pid}");
    }

    /// The stats socket that permits everything.
    pub(crate) fn admin(&self) -> PathBuf {
        self.path("admin.sock")
    }

    /// The stats socket that permits reading.
    pub(crate) fn operator(&self) -> PathBuf {
        self.path("operator.sock")
    }

    /// The stats socket that permits reading what is not sensitive.
    pub(crate) fn user(&self) -> PathBuf {
        self.path("user.sock")
    }

    /// A file in its directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // A frozen one is thawed, and a master takes its workers along: both only when asked.
        send(process.id(), "CONT");
        send(process.id(), "TERM");
        let began = Instant::now();
        while began.elapsed() < FAREWELL && matches!(process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Ended already or not: after this it is.
        let _: std::io::Result<()> = process.kill();
        let _: std::io::Result<_> = process.wait();
    }
}

fn installed() -> Option<PathBuf> {
    let program = PathBuf::from(PROGRAM);
    if !program.exists() {
        eprintln!("SKIPPED: {PROGRAM} is missing, and this test needs a real HAProxy");
        return None;
    }
    Some(program)
}

/// The program of a branch: one that `scripts/haproxy-versions.sh` unpacked, or the installed one where it is of it.
fn of_branch(branch: &str) -> Option<PathBuf> {
    let unpacked = tools().and_then(|tools| std::fs::read_dir(tools.join("haproxy")).ok()).into_iter().flatten();
    let is_of_branch =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{branch}.")));
    let unpacked = unpacked.flatten().map(|entry| entry.path()).find(is_of_branch).map(|path| path.join("haproxy"));
    let is_installed = || {
        let said = Command::new(PROGRAM).arg("-v").output().map(|out| out.stdout).unwrap_or_default();
        String::from_utf8_lossy(&said).contains(&format!(" version {branch}."))
    };
    let program = unpacked.or_else(|| is_installed().then(|| PathBuf::from(PROGRAM)));
    if program.is_none() {
        eprintln!("SKIPPED: HAProxy {branch} is missing; scripts/haproxy-versions.sh gets it where it can be had");
    }
    program
}

/// The tools folder, as the scripts find it.
fn tools() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("SLUICE_TOOLS").or_else(|| {
        let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
        Some(cache.join("sluice/tools"))
    })
}

fn send(pid: u32, signal: &str) -> bool {
    Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().is_ok_and(|s| s.success())
}
