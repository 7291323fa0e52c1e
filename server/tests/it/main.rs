//! The server's core against a real HAProxy, and against a scripted one where a real one would not misbehave on request.
//!
//! What HAProxy says is looked up here over a socket of the test's own, never through the client under test.

mod harness {
    pub(crate) mod certificates;
    pub(crate) mod fake;
    pub(crate) mod listener;
    pub(crate) mod raw;
    pub(crate) mod servers;
    pub(crate) mod sluice;
}

mod accounts;
mod actions;
mod audit_log;
mod bad_day;
mod cut_short;
mod demo;
mod faults;
mod hostile;
mod http_injection;
mod injection;
mod links;
mod listener;
mod lost;
mod refusals;
mod reload;
mod restart;
mod revoked;
mod rules;
mod sessions;
mod slow;
mod traps;
mod unreachable;
mod versions;
mod ways;

use std::time::Duration;

/// Longer than anything here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);
