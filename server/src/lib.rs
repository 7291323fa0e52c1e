//! Sluice's server: polls HAProxy, streams what changed, carries out actions.

pub mod collector;
pub mod haproxy;
pub mod hub;
pub mod metrics;
pub mod operations;
