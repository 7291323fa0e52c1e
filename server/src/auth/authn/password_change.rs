//! Another password for one's own account. The present one is verified first, as slowly as at a log-in.

use std::net::IpAddr;

use super::{devices, login::PasswordCheck, session_issue::SessionIssue, sessions};
use crate::{
    audit::Kind,
    auth::{
        AccountOrigin, Auth, AuthMethod, ChangeError, LogInError, NewSession, Password, PasswordError, PasswordHash,
        Principal, Secret, Session, UserError, UserName, authz::policy::Permission, password_update, users,
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
    /// The browser's cookie from an earlier log-in.
    pub device: Option<Secret>,
    /// Whether the account's API tokens last.
    pub keeps_tokens: bool,
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
        let PasswordChange { present, new, device, keeps_tokens, address, agent } = change;
        new.check(name.as_str())?;
        self.confirm_own_password(name, principal, present, device, "user.passwd").await?;
        let policy = self.inner().policy.clone();
        let hash = self.hash_password(new, principal).await?;
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
        let (secret, account) = (issue.secret, name.clone());
        let changed = self.change(principal, Permission::OwnAccount, move |transaction, by| {
            if keeps_tokens {
                password_update::set_password_only(transaction, &account, &hash, by, now())?;
            } else {
                password_update::set_password(transaction, &account, &hash, by, now())?;
            }
            Ok(issue.issue(transaction, &policy)?)
        });
        let changed: Result<_, UserError> = changed.await?;
        match changed.map_err(|error| LogInError::Failed(error.to_string()))? {
            Some((session, _)) => Ok((secret, session)),
            None => Err(LogInError::Failed("the account is gone".to_owned()).into()),
        }
    }

    /// Verifies the password of somebody who is logged in already, as slowly as at a log-in: what they ask for lasts beyond
    /// their session, and a session may be stolen. `device` is the browser's cookie from an earlier log-in.
    ///
    /// # Errors
    /// When it is not the password, or was not verified; it is written to the audit log under `action`.
    pub async fn confirm_own_password(
        &self,
        name: &UserName,
        principal: &Principal,
        password: Password,
        device: Option<Secret>,
        action: &str,
    ) -> Result<(), LogInError> {
        let account = name.clone();
        let found = self.inner().database.read(move |connection| {
            let device = device.map(|device| device.hash());
            let is_own = device.map(|device| devices::is_known_to(connection, &account, device, now())).transpose()?;
            Ok((users::find(connection, &account)?, device.filter(|_| is_own == Some(true))))
        });
        let (found, device) = found.await?;
        let hash = found.map(|(_, hash)| hash);
        let check = PasswordCheck { account: name.as_str(), address: principal.address, device, password, hash };
        let confirmed = self.confirm(check, principal.entry(Kind::Denial, action)).await?;
        self.inner().throttle().succeeded(confirmed.admitted);
        Ok(())
    }

    /// Hashes a new password of somebody who is logged in.
    ///
    /// # Errors
    /// When too many wait for that, or it went wrong.
    pub async fn hash_password(&self, new: Password, by: &Principal) -> Result<PasswordHash, LogInError> {
        Ok(self.inner().verifier.hash(new, &by.name).await?)
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
