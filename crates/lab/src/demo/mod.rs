//! The demo: two HAProxy processes with web servers, an agent and traffic to look at.
//!
//! Everything listens on loopback and ends with the lab.

mod agent;
mod client;
mod database;
mod lab;
mod layout;
mod node;
mod traffic;

use std::{path::PathBuf, time::Duration};

pub use lab::Lab;
pub use layout::PORTS;

/// What one may choose about the lab.
#[derive(Clone, Debug, clap::Args)]
pub struct LabArgs {
    /// Folder for sockets, configurations and logs [default: a fresh temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// First of the nineteen consecutive loopback ports that the lab takes; lb1's web frontend listens on it
    #[arg(long, value_name = "BASE", default_value_t = 18_080)]
    pub port: u16,
    /// How long there is traffic
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = humantime::parse_duration)]
    pub traffic_for: Duration,
    /// The HAProxy program [default: the one on PATH or in /usr/sbin]
    #[arg(long, value_name = "PATH")]
    pub haproxy: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
