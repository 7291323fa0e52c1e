//! What somebody may do at the moment that they do it.
//!
//! Who asks is found out from a request's head, and much can happen before what they ask for is done: its body comes, a
//! password is hashed, the database is busy. So authority is looked at again where it counts: after the body, inside the
//! transaction of each change, and before each command that takes servers out of service.

use std::sync::Arc;

use model::rights::Rights;
use rusqlite::Transaction;

use super::{
    Auth, AuthMethod, Principal, UserName, active_principals, auth_policy::AuthPolicy, authz::policy::Permission, users,
};
use crate::{clock::now, db::DatabaseError};

/// Somebody may not do any more what they asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what you asked for was not done: {}", self.reason())]
pub struct Revoked {
    /// What it needs.
    pub permission: Permission,
    /// Who they are now; nothing where nothing lets them in any more.
    pub now: Option<Principal>,
}

/// Why a change was not tried.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Whoever asked may not do it any more.
    #[error(transparent)]
    Revoked(#[from] Revoked),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl Revoked {
    /// Why, for a person to read.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match &self.now {
            Some(principal) => self.permission.denial_reason(principal),
            None => "you are not logged in any more: your session or token has ended",
        }
    }
}

impl Auth {
    /// Who somebody is now, if what let them in still does and they have the permission.
    ///
    /// # Errors
    /// When they may not do it any more, or the database fails.
    pub async fn check_authority(&self, by: &Principal, permission: Permission) -> Result<Principal, ChangeError> {
        let (policy, by) = (self.inner().policy.clone(), by.clone());
        let found = self.inner().database.read(move |connection| {
            Ok(authority(active_principals::look_up(&policy, connection, &by, now())?, &by, permission))
        });
        Ok(found.await??)
    }

    /// Changes something on behalf of somebody, in one transaction with its audit entry: all of it, or nothing where `job`
    /// fails or they may not do it any more. `job` gets them as they are in the transaction.
    ///
    /// # Errors
    /// When it was not tried; what `job` failed with is inside.
    pub async fn change<T: Send + 'static, E: Send + 'static>(
        &self,
        by: &Principal,
        permission: Permission,
        job: impl FnOnce(&Transaction<'_>, &Principal) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, ChangeError> {
        let (policy, by) = (self.inner().policy.clone(), by.clone());
        let done = self.inner().audit.transact(move |transaction| {
            let active = active_principals::look_up(&policy, transaction, &by, now())
                .map_err(|error| NotDone::Change(DatabaseError::from(error).into()))?;
            let by = authority(active, &by, permission).map_err(|revoked| NotDone::Change(revoked.into()))?;
            job(transaction, &by).map_err(NotDone::Job)
        });
        match done.await? {
            Ok(done) => Ok(Ok(done)),
            Err(NotDone::Job(error)) => Ok(Err(error)),
            Err(NotDone::Change(error)) => Err(error),
        }
    }

    /// What the account of somebody may do now, whatever became of the session or token that they asked with: who logs out
    /// ends nothing that goes on. Nothing where there is no such account any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_rights(&self, principal: &Principal) -> Result<Option<Arc<Rights>>, DatabaseError> {
        let (policy, principal) = (self.inner().policy.clone(), principal.clone());
        self.inner().database.read(move |connection| account_rights(&policy, connection, &principal)).await
    }
}

/// Why nothing was changed.
enum NotDone<E> {
    Change(ChangeError),
    Job(E),
}

/// Who somebody is by what is found of them now, if they have the permission.
fn authority(
    active: Option<super::ActivePrincipal>,
    by: &Principal,
    permission: Permission,
) -> Result<Principal, Revoked> {
    let now = active.map(|active| Principal { rights: active.rights, ..by.clone() });
    match now {
        Some(principal) if permission.is_granted_to(Some(&principal)) => Ok(principal),
        now => Err(Revoked { permission, now }),
    }
}

fn account_rights(
    policy: &AuthPolicy,
    connection: &rusqlite::Connection,
    principal: &Principal,
) -> Result<Option<Arc<Rights>>, rusqlite::Error> {
    let unchanged = || Some(principal.rights.clone());
    match (&principal.method, principal.name.parse::<UserName>()) {
        (AuthMethod::Open, _) => Ok(policy.is_open(connection)?.then(|| principal.rights.clone())),
        // The name of somebody whom another system vouches for has a colon. Nothing is stored of them but what came with
        // their log-in, and the configuration is that of the start.
        (AuthMethod::Session(_) | AuthMethod::Token(_), Ok(name)) => {
            Ok(users::find(connection, &name)?.and_then(|(user, _)| policy.of_account(&user)))
        }
        (AuthMethod::Session(_) | AuthMethod::Token(_) | AuthMethod::Header | AuthMethod::CommandLine, _) => {
            Ok(unchanged())
        }
        (AuthMethod::WallLink(_) | AuthMethod::Anonymous, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
