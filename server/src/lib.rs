//! Sluice's server: polls HAProxy, streams what changed, carries out actions.

pub mod audit;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod collector;
pub mod config;
pub mod db;
mod fair_queue;
pub mod hub;
pub mod logging;
pub mod metrics;
mod network;
pub mod opaque_id;
pub mod operations;
pub mod program;
mod rate_limit;
pub mod schema;
pub mod supervisor;
pub mod systemd;
pub mod tls;
pub mod web;
