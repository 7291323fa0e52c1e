//! Authentication: who is asking.
//!
//! [`identify`] takes a request's credentials in their order: an API token, a session's cookie, the reverse proxy's
//! header, no accounts at all, a wall link. Log-ins begin in [`login`] (name and password) and [`oidc`].

pub mod account_origin;
pub mod credentials;
pub mod devices;
pub mod expiry;
pub mod external_identity;
pub mod header;
mod identify;
pub mod identity_providers;
pub mod login;
pub mod oidc;
pub mod password;
pub mod password_change;
pub mod secret;
pub(super) mod session_issue;
pub mod sessions;
pub(super) mod throttle;
pub mod tokens;
pub(super) mod verifier;
pub mod wall_links;
