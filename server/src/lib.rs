//! Sluice's server: polls HAProxy, streams what changed, carries out actions.

pub mod cli;
pub mod collector;
pub mod config;
pub mod demo;
pub mod haproxy;
pub mod http;
pub mod hub;
pub mod logging;
pub mod metrics;
pub mod operations;
pub mod program;
