//! Enough open files for a thousand servers' connections.

use std::{env, fs, os::unix::process::CommandExt as _, process::Command};

/// A connection of each of 1,000 servers, 100 clients and 100 viewers, and checks that come and go; doubled.
const WANTED: u64 = 4_096;

/// Says that it was tried: once is enough.
const TRIED: &str = "SLUICE_BENCH_FILES";

/// Starts this program again in a shell with a higher limit, where it is too low: many systems begin with 1,024.
pub(crate) fn raise_limit() {
    let enough = soft_limit().is_none_or(|limit| limit >= WANTED);
    if enough || env::var_os(TRIED).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let error = Command::new("/bin/sh")
        .args(["-c", &format!("ulimit -S -n {WANTED}; exec \"$0\" \"$@\"")])
        .arg(program)
        .args(env::args_os().skip(1))
        .env(TRIED, "1")
        .exec();
    crate::report::say(&format!("the limit of open files stays low: {error}"));
}

fn soft_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
