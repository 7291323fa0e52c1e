//! The words that browser and server share: rows, status, frames, actions.
//!
//! Plain data and plain functions only: no Leptos, no input or output, no clock.

pub mod action;
#[cfg(test)]
pub(crate) mod arbitrary;
pub mod audit;
pub mod availability;
pub mod cause;
pub mod change;
pub mod col;
pub mod event;
pub mod fleet;
pub mod format;
pub mod frame;
pub mod impact;
pub mod jitter;
pub mod lost;
pub mod merge;
pub mod outcome;
pub mod problem;
pub mod rights;
pub mod row;
pub mod state_rows;
pub mod status;
pub mod text;
pub mod topic;
pub mod verify;
