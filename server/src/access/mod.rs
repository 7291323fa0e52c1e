//! Who may do what: callers, accounts, sessions, tokens, rules.

mod caller;
mod rules;

pub use caller::{Caller, Means};
pub use rules::{Rule, Rules};

/// This room's tables.
pub(crate) const SCHEMA: &str = "";
