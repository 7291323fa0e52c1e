//! HAProxy processes: started, waited for, ended.
//!
//! Each runs as master and worker in the foreground, so that SIGUSR2 to the master reloads it. The worker ends with its
//! master, even when that is killed outright (seen on 2.6).

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Where Debian and most others put it, which is not on every user's PATH.
const USUAL_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"];
/// Until the stats socket answers. HAProxy needs a few hundredths of a second; a busy machine may need more.
const START_DEADLINE: Duration = Duration::from_secs(10);
const START_RETRY: Duration = Duration::from_millis(20);
/// From SIGTERM to SIGKILL. HAProxy drops its connections at once, so it needs next to nothing.
const END_DEADLINE: Duration = Duration::from_secs(2);
/// Ctrl-C reaches HAProxy as soon as us: an end within this time of it is no surprise.
const SURPRISE_AFTER: Duration = Duration::from_millis(200);
/// Bytes of a failed HAProxy's log that go into the error.
const LOG_TAIL: usize = 1_500;

/// One HAProxy, and where its files are.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) socket: PathBuf,
    pub(super) log: PathBuf,
    /// A shell script that becomes HAProxy; tests start a node again with it.
    pub(super) command: PathBuf,
}

/// The program to run: the one asked for, or else the first on PATH or in the usual folders.
pub(super) fn find_haproxy(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = asked {
        if path.is_file() {
            return Ok(path.to_owned());
        }
        bail!("there is no HAProxy at {}; --haproxy wants the program's path", path.display());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(USUAL_FOLDERS.into_iter().map(PathBuf::from))
        .map(|folder| folder.join("haproxy"))
        .find(|file| file.is_file())
        .context("HAProxy isn't installed; on Debian: apt-get install haproxy; elsewhere say where it is with --haproxy PATH")
}

/// The script that becomes HAProxy. `exec` keeps the pid, so that whoever starts it can signal it.
pub(super) fn start_script(haproxy: &Path, dir: &Path, name: &str) -> String {
    let quote = |text: String| format!("'{}'", text.replace('\'', r"'\''"));
    let file = |extension: &str| quote(format!("{}/{name}.{extension}", dir.display()));
    format!(
        "exec {} -W -L {name} -S {} -p {} -f {} >>{} 2>&1\n",
        quote(haproxy.display().to_string()),
        file("master"),
        file("pid"),
        file("cfg"),
        file("log"),
    )
}

/// Starts a node and waits until its stats socket takes connections.
pub(super) async fn start(node: &Node) -> anyhow::Result<Child> {
    let mut child = Command::new("/bin/sh")
        .arg(&node.command)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{}: /bin/sh can't be started", node.name))?;
    let deadline = Instant::now() + START_DEADLINE;
    while UnixStream::connect(&node.socket).await.is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("{}: HAProxy ended at once ({status}); it said:\n{}", node.name, log_tail(&node.log));
        }
        if Instant::now() > deadline {
            end(&mut child).await;
            bail!(
                "{}: HAProxy's stats socket {} did not answer in {START_DEADLINE:?}; it said:\n{}",
                node.name,
                node.socket.display(),
                log_tail(&node.log)
            );
        }
        sleep(START_RETRY).await;
    }
    Ok(child)
}

/// Owns a started HAProxy until it ends or is to end. Tests kill and start nodes themselves, so its end is only told.
pub(super) async fn watch(node: Node, mut child: Child, shutdown: CancellationToken) {
    tokio::select! {
        status = child.wait() => {
            if timeout(SURPRISE_AFTER, shutdown.cancelled()).await.is_err() {
                let status = status.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
                tracing::warn!(node = node.name, status, "the demo's HAProxy has ended");
            }
        }
        () = shutdown.cancelled() => end(&mut child).await,
    }
}

/// Ends a process that is not ours to wait for: a node that a test has started again.
pub(super) async fn end_by_pid_file(file: &Path) {
    let Some(pid) = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<u32>().ok()) else {
        return;
    };
    // Empty once a process has ended, even while its parent hasn't taken note of that.
    let command = PathBuf::from(format!("/proc/{pid}/cmdline"));
    let runs = || std::fs::read_to_string(&command).is_ok_and(|line| line.contains("haproxy"));
    if !runs() {
        return;
    }
    terminate(pid).await;
    let deadline = Instant::now() + END_DEADLINE;
    while runs() && Instant::now() < deadline {
        sleep(START_RETRY).await;
    }
}

async fn end(child: &mut Child) {
    if let Some(pid) = child.id() {
        terminate(pid).await;
    }
    if timeout(END_DEADLINE, child.wait()).await.is_err() {
        // The worker sees its master's end and follows.
        let _gone = child.kill().await;
    }
}

/// The standard library sends SIGKILL alone, and the shell's own `kill` is everywhere.
async fn terminate(pid: u32) {
    let sent = Command::new("/bin/sh").args(["-c", "kill -TERM \"$1\"", "sh"]).arg(pid.to_string()).status().await;
    if !sent.is_ok_and(|status| status.success()) {
        tracing::debug!(pid, "SIGTERM did not reach the demo's HAProxy; it has probably ended");
    }
}

fn log_tail(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap_or_default();
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LOG_TAIL)..]).into_owned()
}
