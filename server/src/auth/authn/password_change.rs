//! What people do with their own account: look which it is, and give it another password. The present one is asked for,
//! as slowly as at a log-in.

use std::net::IpAddr;

use super::{login::Look, sessions};
use crate::{
    audit::Kind,
    auth::{
        Access, AuthMethod, LogInError, NewSession, Origin, Password, PasswordError, PasswordHash, Principal, Secret,
        Session, UserName, users,
    },
    clock::now,
    db::DatabaseError,
};

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordChangeError {
    /// The present one can't be looked at, or is wrong.
    #[error(transparent)]
    Present(#[from] LogInError),
    /// The new one can't be taken.
    #[error(transparent)]
    New(#[from] PasswordError),
}

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The present password.
    pub present: Password,
    /// The new one.
    pub new: Password,
    /// Where from.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

impl Access {
    /// Gives a local account another password. Every session of it ends, and a new one begins for who asked.
    ///
    /// # Errors
    /// When nothing was changed, with what to tell whoever asked.
    pub async fn change_password(
        &self,
        name: &UserName,
        principal: &Principal,
        change: PasswordChange,
    ) -> Result<(Secret, Session), PasswordChangeError> {
        let PasswordChange { present, new, address, agent } = change;
        new.check(name.as_str())?;
        let inner = self.inner();
        let account = name.clone();
        let kept =
            inner.database.call(move |connection| users::find(connection, &account)).await.map_err(LogInError::from)?;
        let kept = kept.map(|(_, kept)| kept);
        let look = Look { account: name.as_str(), address, device: None, password: present, kept };
        let confirmed = self.confirm(look, principal.entry(Kind::Refusal, "user.passwd")).await?;
        inner.throttle().succeeded(confirmed.admitted);
        let hash = self.hash(new).await?;
        let (account, by) = (name.clone(), principal.clone());
        let changed = inner.database.call(move |connection| {
            Ok(users::set_password(connection, &account, &hash, &by, now()).map_err(|error| error.to_string()))
        });
        changed.await.map_err(LogInError::from)?.map_err(LogInError::Failed)?;
        // Role and groups of a local account are read from the account itself.
        let role = principal.rights.role;
        let new =
            NewSession { user: name.to_string(), origin: Origin::Local, role, groups: Vec::new(), address, agent };
        self.begin(new, None, "password changed").await.map_err(|error| LogInError::Failed(error.to_string()).into())
    }

    /// Hashes a new password of somebody who is logged in.
    ///
    /// # Errors
    /// When too many wait for that, or it went wrong.
    pub async fn hash(&self, new: Password) -> Result<PasswordHash, LogInError> {
        Ok(self.inner().verifier.hash(new).await?)
    }

    /// The session that a caller shows; others have none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_of(&self, principal: &Principal) -> Result<Option<Session>, DatabaseError> {
        let AuthMethod::Session(id) = principal.means.clone() else { return Ok(None) };
        let limits = self.limits();
        self.inner().database.call(move |connection| sessions::by_id(connection, &id, limits, now())).await
    }
}
