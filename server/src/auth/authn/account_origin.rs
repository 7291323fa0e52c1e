//! Where the account of a session comes from, as it is stored with the session.

use std::{fmt, str::FromStr};

/// Where an account comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountOrigin {
    /// Sluice itself: name, role and groups are in the table of users.
    Local,
    /// A provider of OpenID Connect: role and groups stay with the session.
    Oidc,
}

/// A word that names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no origin {0:?}")]
pub struct AccountOriginError(String);

impl AccountOrigin {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Oidc => "oidc",
        }
    }
}

impl FromStr for AccountOrigin {
    type Err = AccountOriginError;

    fn from_str(text: &str) -> Result<Self, AccountOriginError> {
        [Self::Local, Self::Oidc]
            .into_iter()
            .find(|o| o.word() == text)
            .ok_or_else(|| AccountOriginError(text.to_owned()))
    }
}

impl fmt::Display for AccountOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
