//! Another password for one's own account. The present one is verified first, as slowly as at a log-in.

use std::net::IpAddr;

use super::{login::PasswordCheck, session_issue::SessionIssue, sessions};
use crate::{
    audit::Kind,
    auth::{
        AccountOrigin, Auth, AuthMethod, ChangeError, LogInError, NewSession, Password, PasswordError, PasswordHash,
        Principal, Secret, Session, UserError, UserName, authz::policy::Permission, users,
    },
    clock::now,
    db::DatabaseError,
};

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordChangeError {
    /// The present one can't be verified, or is wrong.
    #[error(transparent)]
    Present(#[from] LogInError),
    /// The new one can't be used.
    #[error(transparent)]
    New(#[from] PasswordError),
    /// It was not tried.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The present password.
    pub present: Password,
    /// The new one.
    pub new: Password,
    /// The client's address.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

impl Auth {
    /// Gives a local account another password. All its sessions end, and a new one begins for whoever asked.
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
        let found = inner.database.run(move |connection| users::find(connection, &account)).await;
        let hash = found.map_err(LogInError::from)?.map(|(_, hash)| hash);
        let check = PasswordCheck { account: name.as_str(), address, device: None, password: present, hash };
        let confirmed = self.confirm(check, principal.entry(Kind::Denial, "user.passwd")).await?;
        inner.throttle().succeeded(confirmed.admitted);
        let hash = self.hash_password(new).await?;
        // The groups of a local account's session are read from the account itself, so that none are given here.
        let new = NewSession {
            user: name.to_string(),
            origin: AccountOrigin::Local,
            role: principal.rights.role,
            groups: Vec::new(),
            address,
            agent,
        };
        let issue = SessionIssue::new(new, None, "password changed").map_err(LogInError::from)?;
        let (secret, account, policy) = (issue.secret, name.clone(), inner.policy.clone());
        let changed = self.change(principal, Permission::OwnAccount, move |transaction, by| {
            users::set_password(transaction, &account, &hash, by, now())?;
            Ok(issue.issue(transaction, &policy)?)
        });
        let changed: Result<_, UserError> = changed.await?;
        match changed.map_err(|error| LogInError::Failed(error.to_string()))? {
            Some((session, _)) => Ok((secret, session)),
            None => Err(LogInError::Failed("the account is gone".to_owned()).into()),
        }
    }

    /// Hashes a new password of somebody who is logged in.
    ///
    /// # Errors
    /// When too many wait for that, or it went wrong.
    pub async fn hash_password(&self, new: Password) -> Result<PasswordHash, LogInError> {
        Ok(self.inner().verifier.hash(new).await?)
    }

    /// The session that somebody was authenticated by, where it was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_of(&self, principal: &Principal) -> Result<Option<Session>, DatabaseError> {
        let AuthMethod::Session(id) = principal.method.clone() else { return Ok(None) };
        let limits = self.session_limits();
        self.inner().database.run(move |connection| sessions::by_id(connection, &id, limits, now())).await
    }
}
