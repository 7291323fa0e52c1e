//! Who may do what: callers, accounts, sessions, tokens, rules.

mod caller;
pub(crate) mod columns;

pub mod credentials;
pub mod devices;
pub mod expiry;
mod header;
mod keys;
mod login;
pub mod oidc;
mod opening;
mod outside;
mod outsider;
mod own;
mod password;
mod peer;
mod rules;
mod secret;
mod service;
pub mod sessions;
mod standing;
#[cfg(test)]
pub(crate) mod testing;
mod throttle;
pub mod tokens;
pub mod users;
mod verifier;
pub mod walls;

pub use caller::{Caller, Means};
pub use header::{HeaderError, Said, TrustedHeader};
pub use login::{Attempt, LogInError, LoggedIn, seconds};
pub use outside::{Identity, Outside};
pub use outsider::{Outsider, OutsiderError, Roles, Voucher};
pub use own::{Change, ChangeError};
pub use password::{Cost, LONGEST as LONGEST_PASSWORD, Memory, Password, PasswordError, PasswordHash};
pub use peer::Peer;
pub use rules::{Rule, Rules};
pub use secret::{RandomError, Secret, SecretHash, new_id};
pub use service::{Access, AccessError, Setup};
pub use sessions::{NewSession, Origin, Session, SessionLimits};
pub use standing::Standing;
pub use users::{User, UserError, UserName, UserNameError};

/// This room's tables.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    groups TEXT NOT NULL,
    password TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    user TEXT NOT NULL,
    origin TEXT NOT NULL,
    role TEXT NOT NULL,
    groups TEXT NOT NULL,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (origin, user);
CREATE TABLE IF NOT EXISTS devices (
    user TEXT NOT NULL,
    hash BLOB NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (user, hash)
) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    note TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS tokens_of_user ON tokens (user);
CREATE TABLE IF NOT EXISTS walls (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    clusters TEXT NOT NULL,
    by TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    opened INTEGER
) STRICT;
";
