//! Who is asking: passwords, sessions, tokens, wall links, OpenID Connect, a trusted header.

pub(super) mod bearer_secrets;
pub mod credentials;
pub mod devices;
pub mod expiry;
pub mod external_identity;
pub mod header;
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
