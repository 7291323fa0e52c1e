//! What Linux tells about a process, and how one is ended.

use std::{fs, path::Path, process::Stdio, time::Duration};

use anyhow::Context as _;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// How long a process may take to end by itself.
const END_DEADLINE: Duration = Duration::from_secs(10);

/// CPU time that the threads of a process have used: the sum of user and system time, in nanoseconds where
/// `/proc/PID/stat` counts in hundredths of a second.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid} has ended"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat")).context("the kernel counts no CPU time")?;
        nanos += text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanos))
}

/// A line of `/proc/PID/status` in kB, as bytes: `VmRSS` (memory in use) or `VmHWM` (the most that it was).
pub(crate) fn memory(pid: u32, field: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).context("no such line")?;
    Ok(kib * 1_024)
}

/// Ends a child with SIGTERM, and kills it where that takes too long.
pub(crate) async fn end(mut child: Child) {
    if let Some(pid) = child.id() {
        // The standard library sends SIGKILL alone.
        let command = ["-c", "kill -TERM \"$1\"", "sh", &pid.to_string()];
        let _sent = Command::new("/bin/sh").args(command).stderr(Stdio::null()).status().await;
    }
    if timeout(END_DEADLINE, child.wait()).await.is_err() {
        let _gone = child.kill().await;
    }
}

/// What the figures are measured on, in a few lines.
pub(crate) fn machine(program: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, Into::into);
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map(|(_, name)| name);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "machine: {cores} cores,{}; load average at the start {}\nprogram: {}",
        model.unwrap_or(" unknown"),
        load.split(' ').next().unwrap_or_default(),
        program.display()
    )
}
