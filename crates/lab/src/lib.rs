//! Real HAProxy processes on loopback: to look at, and to test and measure with.
//!
//! This is the only place that starts HAProxy. [`Haproxy`] is one process in a folder of its own, for tests and
//! benchmarks; [`demo::Lab`] is a pair with servers, an agent and traffic, which the program `sluice-lab` runs. Nothing
//! here knows of the dashboard: the demo hands over a configuration file, and Sluice reads it like any other.

pub mod demo;
mod folder;
mod haproxy;
mod process;
pub mod program;
pub mod socket;
pub mod web;

pub use haproxy::{Builder, Haproxy};
