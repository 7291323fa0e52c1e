//! The program's log, on standard error: for people by default, as JSON for programs.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::LogFormat;

/// The variable of the environment that asks for more or less: `SLUICE_LOG=debug`, `SLUICE_LOG=server::haproxy=trace`.
const VARIABLE: &str = "SLUICE_LOG";

/// What is logged unless it says otherwise.
const DEFAULT: &str = "info";

/// Starts the log. Call it once.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let lines = fmt::layer().with_writer(stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Human => registry.with(lines.with_ansi(stderr().is_terminal())).init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
}
