//! A HAProxy process: started, waited for, signalled, ended.

use std::{
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use crate::socket;

/// Until the stats socket answers. HAProxy needs a few hundredths of a second; a busy machine may need more.
const START_DEADLINE: Duration = Duration::from_secs(30);
pub(crate) const RETRY: Duration = Duration::from_millis(10);
/// From SIGTERM to SIGKILL. HAProxy drops its connections at once, so it needs next to nothing.
pub(crate) const END_DEADLINE: Duration = Duration::from_secs(3);
/// Bytes of a failed HAProxy's log that go into the error.
const LOG_TAIL: usize = 1_500;

/// Runs `command`, which becomes HAProxy and writes to `log`, and waits until its stats socket answers.
///
/// The first answer comes from the event loop, thus after HAProxy has opened every socket. A socket that merely takes
/// connections proves nothing of the next one.
pub(crate) async fn start(command: &mut Command, stats: &Path, log: &Path) -> anyhow::Result<Child> {
    let mut child = command.stdin(Stdio::null()).kill_on_drop(true).spawn().context("HAProxy can't be run")?;
    let deadline = Instant::now() + START_DEADLINE;
    while socket::ask(stats, "show info").await.is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("HAProxy ended at once ({status}); it said:\n{}", tail(log));
        }
        if Instant::now() > deadline {
            end(&mut child);
            bail!(
                "HAProxy's stats socket {} did not answer in {START_DEADLINE:?}; it said:\n{}",
                stats.display(),
                tail(log)
            );
        }
        sleep(RETRY).await;
    }
    Ok(child)
}

/// Sends a signal by its name (`TERM`), and says whether it arrived. The standard library sends SIGKILL alone, and the
/// shell's own `kill` is everywhere.
pub(crate) fn signal(pid: u32, name: &str) -> bool {
    let kill = ["-c", "kill -\"$1\" \"$2\"", "sh", name, &pid.to_string()];
    std::process::Command::new("/bin/sh").args(kill).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Ends a process and waits for that: asked first, since a master takes its workers along, and killed where that takes
/// too long. It blocks, so that it can be called while something is dropped.
pub(crate) fn end(child: &mut Child) {
    // One that has ended already has no pid any more.
    let Some(pid) = child.id() else { return };
    // One that was stopped hears nothing until it goes on.
    signal(pid, "CONT");
    signal(pid, "TERM");
    if !has_ended(child, END_DEADLINE) {
        kill(child);
    }
}

/// Ends a process as a crash would, and waits for that.
pub(crate) fn kill(child: &mut Child) {
    // It has ended by itself where this fails.
    let _ended = child.start_kill();
    has_ended(child, END_DEADLINE);
}

fn has_ended(child: &mut Child, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(RETRY);
    }
    true
}

/// The end of a log, for an error.
fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LOG_TAIL)..]).into_owned()
}
