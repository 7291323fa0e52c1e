//! Who may do what: callers, accounts, sessions, tokens, rules.

mod caller;

pub use caller::{Caller, Means};

/// This room's tables.
pub(crate) const SCHEMA: &str = "";
