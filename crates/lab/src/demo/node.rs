//! One of the demo's two nodes: started by a script, waited for, ended.
//!
//! Each runs as master and worker in the foreground, so that SIGUSR2 to the master reloads it. The worker ends with its
//! master, even when that is killed outright (seen on 2.6).

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::process::{self, END_DEADLINE, RETRY};

/// Ctrl-C reaches HAProxy as soon as us: an end within this time of it is no surprise.
const SURPRISE_AFTER: Duration = Duration::from_millis(200);

/// One HAProxy, and where its files are.
#[derive(Clone, Debug)]
pub(super) struct LabNode {
    pub(super) name: &'static str,
    pub(super) socket: PathBuf,
    pub(super) log: PathBuf,
    /// A shell script that becomes HAProxy; tests start a node again with it.
    pub(super) command: PathBuf,
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

/// Starts a node and waits until its stats socket answers.
pub(super) async fn start(node: &LabNode) -> anyhow::Result<Child> {
    let mut command = Command::new("/bin/sh");
    process::start(command.arg(&node.command), &node.socket, &node.log).await.with_context(|| node.name)
}

/// Owns a started HAProxy until it ends or is to end. Tests kill and start nodes themselves, so its end is only told.
pub(super) async fn watch(node: LabNode, mut child: Child, shutdown: CancellationToken) {
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
    process::signal(pid, "TERM");
    let deadline = Instant::now() + END_DEADLINE;
    while runs() && Instant::now() < deadline {
        sleep(RETRY).await;
    }
}

/// As [`process::end`], without blocking: both nodes end at once.
async fn end(child: &mut Child) {
    if let Some(pid) = child.id() {
        process::signal(pid, "TERM");
    }
    if timeout(END_DEADLINE, child.wait()).await.is_err() {
        // The worker sees its master's end and follows.
        let _gone = child.kill().await;
    }
}
