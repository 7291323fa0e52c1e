//! Who may do what: callers, accounts, sessions, tokens, rules.

mod caller;
pub(crate) mod columns;
pub mod expiry;
mod header;
pub mod oidc;
mod outsider;
mod rules;
mod secret;

pub use caller::{Caller, Means};
pub use header::{HeaderError, Said, TrustedHeader};
pub use outsider::{Outsider, OutsiderError, Roles, Voucher};
pub use rules::{Rule, Rules};
pub use secret::{RandomError, Secret, SecretHash, new_id};

/// This room's tables.
pub(crate) const SCHEMA: &str = "";
