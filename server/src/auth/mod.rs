//! Authentication and authorization: who is asking, and what they may see and do.
//!
//! [`authn`] finds out who sends a request, [`authz`] says what that takes and what they may. [`Principal`] carries both
//! answers through the program, and [`Auth`] is the handle that everything else goes through.

mod active_principals;
mod auth_policy;
pub mod authn;
mod authority;
pub mod authz;
mod changes;
pub(crate) mod columns;
pub mod password_update;
mod peer;
mod principal;
mod revocation;
mod schema;
mod service;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod users;
mod withdrawals;

pub use auth_policy::ActivePrincipal;
pub use authn::{
    account_origin::AccountOrigin,
    external_identity::{ExternalIdentity, ExternalIdentityError, ProviderKind},
    header::{HeaderError, HeaderIdentity, TrustedHeader},
    identity_providers::{IdentityConfig, IdentityProviders},
    login::{LogInAttempt, LogInError, LoggedIn, retry_after},
    password::{Cost, HashMemory, LONGEST as LONGEST_PASSWORD, Password, PasswordError, PasswordHash},
    password_change::{PasswordChange, PasswordChangeError},
    secret::{RandomError, Secret, SecretHash, new_id},
    sessions::{NewSession, Session, SessionLimits},
};
pub use authority::{ChangeError, Revoked};
pub use authz::{
    roles::RoleMapping,
    rules::{Rule, Rules},
};
pub use peer::Peer;
pub use principal::{AuthMethod, Principal};
pub use service::{Auth, AuthConfig, AuthError};
pub use users::{User, UserError, UserName, UserNameError};
pub use withdrawals::{MayBeDatabase, TakenAway, Withdrawal};

pub(crate) use schema::SCHEMA;
