//! What was done, by whom, and what was denied: append-only, each entry chained to the one before it.
//!
//! Whoever does something writes it here first, and does not do it when that fails. What an entry holds is one list, in
//! [`model::audit`].

mod account_events;
mod chain;
pub mod configuration;
mod dedup;
mod entry;
mod export;
mod log;
mod maintenance;
pub mod query;
mod retention;
mod schema;
mod syslog;
#[cfg(test)]
mod tests;
pub mod time;
mod verify;
mod view;

pub use model::audit::{Entry, Kind, StoredEntry, TargetNote};

pub use chain::{Head, HeadError, append, head};
pub use entry::by_sluice;
pub use export::{ExportFormat, ExportFormatError};
pub use log::{AuditLog, Written};
pub use maintenance::Settings;
pub use query::Filter;
pub use retention::{Keep, used_bytes};
pub use syslog::{SyslogAddress, SyslogAddressError};
pub use verify::{Broken, Verified, verify};
pub use view::EntryView;

pub(crate) use account_events::in_words;
pub(crate) use schema::{ONE_HEAD, SCHEMA};
