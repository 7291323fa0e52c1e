//! Sluice's server: polls HAProxy, streams what changed, carries out actions.

pub mod access;
pub mod cli;
pub mod clock;
pub mod collector;
pub mod config;
pub mod demo;
#[cfg(test)]
mod fuzzing;
pub mod haproxy;
pub mod http;
pub mod hub;
pub mod logging;
pub mod metrics;
pub mod operations;
pub mod program;
pub mod record;
pub mod seal;
pub mod supervisor;
pub mod tls;
pub mod vault;
