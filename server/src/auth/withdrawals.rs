//! What was taken away while the database could not be written: a full disk must not keep anybody logged in.
//!
//! It holds in memory at once, and is tried again until it is written with its entry. Until then a restart of Sluice would
//! bring it back, which whoever took it away is told.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use model::rights::Role;
use rusqlite::{Connection, Transaction};
use tokio::{sync::Notify, time::sleep};

use super::{
    AccountOrigin, Auth, AuthMethod, ChangeError, Principal, Session, UserError, UserName,
    authn::{tokens::TokenError, wall_links::WallLinkError},
    authz::policy::Permission,
};
use crate::clock::now;

/// How soon it is tried again to write it.
const RETRY: Duration = Duration::from_secs(1);

/// Something that is taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// One session, token or wall link.
    Method(AuthMethod),
    /// Every session of an account that has begun so far.
    Sessions(AccountOrigin, String),
    /// A local account, with all that it is logged in with.
    Account(UserName),
    /// What a local account may do beyond a role.
    Role(UserName, Role),
    /// What a local account may do by other groups than these.
    Groups(UserName, Vec<String>),
}

/// How far something was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenAway<T> {
    /// It is in the database, with its entry.
    Written(T),
    /// It holds, and could not be written yet.
    Remembered,
}

/// An error of which it is known whether the database is at fault.
pub trait MayBeDatabase {
    /// Whether the database failed, and nothing else was wrong.
    fn is_database(&self) -> bool;
}

/// What holds in memory alone.
#[derive(Debug, Default)]
pub(super) struct Withdrawals {
    /// Each with when it was taken away, Unix milliseconds, and a number of its own.
    all: Mutex<Vec<(u64, i64, Withdrawal)>>,
    /// How many there have been: a number is never given again.
    count: AtomicU64,
    changed: Notify,
}

impl Withdrawals {
    /// Whether somebody is let in no more by that, which began then.
    pub(super) fn has_method(&self, method: &AuthMethod, user: &str) -> bool {
        self.all().iter().any(|(_, _, withdrawal)| match withdrawal {
            Withdrawal::Method(taken) => taken == method,
            Withdrawal::Account(name) => name.as_str() == user,
            Withdrawal::Sessions(..) | Withdrawal::Role(..) | Withdrawal::Groups(..) => false,
        })
    }

    /// The same for a session.
    pub(super) fn has_session(&self, session: &Session) -> bool {
        self.all().iter().any(|(_, at, withdrawal)| match withdrawal {
            Withdrawal::Method(method) => *method == AuthMethod::Session(session.id.clone()),
            Withdrawal::Sessions(origin, user) => {
                *origin == session.origin && *user == session.user && session.created <= *at
            }
            Withdrawal::Account(name) => session.origin == AccountOrigin::Local && session.user == name.as_str(),
            Withdrawal::Role(..) | Withdrawal::Groups(..) => false,
        })
    }

    /// Whether a local account is gone.
    pub(super) fn has_account(&self, account: &UserName) -> bool {
        self.all().iter().any(|(.., withdrawal)| matches!(withdrawal, Withdrawal::Account(name) if name == account))
    }

    /// What is left of the role and the groups of a local account.
    pub(super) fn left_of(&self, user: &str, mut role: Role, groups: &[String]) -> (Role, Vec<String>) {
        let mut groups = groups.to_vec();
        for (_, _, withdrawal) in self.all().iter() {
            match withdrawal {
                Withdrawal::Role(name, most) if name.as_str() == user => role = role.min(*most),
                Withdrawal::Groups(name, kept) if name.as_str() == user => groups.retain(|group| kept.contains(group)),
                _ => {}
            }
        }
        (role, groups)
    }

    /// Forgets what was taken away in the same place as `written`, which was written after it.
    pub(super) fn supersede(&self, written: &Withdrawal) {
        self.all().retain(|(_, _, known)| match (known, written) {
            (Withdrawal::Role(one, _), Withdrawal::Role(other, _))
            | (Withdrawal::Groups(one, _), Withdrawal::Groups(other, _)) => one != other,
            _ => true,
        });
        self.changed.notify_one();
    }

    /// Waits until something is added or written.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn add(&self, withdrawal: Withdrawal) -> u64 {
        let id = self.count.fetch_add(1, Ordering::Relaxed);
        self.all().push((id, now(), withdrawal));
        self.changed.notify_one();
        id
    }

    /// Whether it still is to be written.
    fn is_pending(&self, id: u64) -> bool {
        self.all().iter().any(|(known, ..)| *known == id)
    }

    fn remove(&self, id: u64) {
        self.all().retain(|(known, ..)| *known != id);
        self.changed.notify_one();
    }

    /// Nothing is ever half changed, and nobody waits while it is locked.
    fn all(&self) -> MutexGuard<'_, Vec<(u64, i64, Withdrawal)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Auth {
    /// Takes something away on behalf of somebody, with its entry, as [`Self::change`] does. Where the database can't be
    /// written it holds in memory at once, if `exists` finds what is taken away, and is written as soon as that works.
    ///
    /// # Errors
    /// As [`Self::change`]; what `job` failed with is inside.
    pub async fn take_away<T: Send + 'static, E: MayBeDatabase + Send + 'static>(
        &self,
        by: &Principal,
        permission: Permission,
        withdrawal: Withdrawal,
        exists: impl FnOnce(&Connection) -> Result<bool, rusqlite::Error> + Send + 'static,
        job: impl Fn(&Transaction<'_>, &Principal) -> Result<T, E> + Clone + Send + Sync + 'static,
    ) -> Result<Result<TakenAway<T>, E>, ChangeError> {
        let failed: Result<Result<TakenAway<T>, E>, ChangeError> = match self.change(by, permission, job.clone()).await
        {
            Ok(Err(error)) if error.is_database() => Ok(Err(error)),
            Err(error @ ChangeError::Database(_)) => Err(error),
            done => {
                if let Ok(Ok(_)) = done {
                    self.inner().policy.withdrawals.supersede(&withdrawal);
                }
                return done.map(|done| done.map(TakenAway::Written));
            }
        };
        // Reading works while the disk is full.
        let by = self.check_authority(by, permission).await?;
        if !self.inner().database.read(exists).await? {
            return failed;
        }
        tracing::error!(by = by.name, ?withdrawal, "taken away in memory alone until the database can be written");
        let id = self.inner().policy.withdrawals.add(withdrawal);
        let (database, withdrawals) = (self.inner().database.clone(), self.inner().policy.withdrawals.clone());
        tokio::spawn(async move {
            loop {
                sleep(RETRY).await;
                if !withdrawals.is_pending(id) {
                    return;
                }
                let (job, by) = (job.clone(), by.clone());
                match database.transact(move |transaction| job(transaction, &by)).await {
                    Ok(Err(error)) if error.is_database() => {}
                    Err(_) => {}
                    // What is gone meanwhile needs no entry of ours.
                    Ok(Ok(_) | Err(_)) => return withdrawals.remove(id),
                }
            }
        });
        Ok(Ok(TakenAway::Remembered))
    }
}

impl MayBeDatabase for rusqlite::Error {
    fn is_database(&self) -> bool {
        true
    }
}

impl MayBeDatabase for TokenError {
    fn is_database(&self) -> bool {
        matches!(self, Self::Database(_))
    }
}

impl MayBeDatabase for WallLinkError {
    fn is_database(&self) -> bool {
        matches!(self, Self::Database(_))
    }
}

impl MayBeDatabase for UserError {
    fn is_database(&self) -> bool {
        matches!(self, Self::Database(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_and_groups_are_taken_from_one_account_until_something_newer_is_written() {
        let anna: UserName = "anna".parse().expect("a name");
        let groups = ["dba".to_owned(), "on-call".to_owned()];
        let withdrawals = Withdrawals::default();
        let left = |user: &str| {
            let (role, groups) = withdrawals.left_of(user, Role::Operator, &groups);
            format!("{role} {}", groups.join(" "))
        };
        withdrawals.add(Withdrawal::Role(anna.clone(), Role::Viewer));
        let id = withdrawals.add(Withdrawal::Groups(anna.clone(), vec!["dba".to_owned(), "new".to_owned()]));
        assert_eq!((left("anna").as_str(), left("ben").as_str()), ("viewer dba", "operator dba on-call"));
        // A role that is higher gives nothing.
        withdrawals.add(Withdrawal::Role(anna.clone(), Role::Admin));
        assert_eq!(left("anna"), "viewer dba");
        withdrawals.supersede(&Withdrawal::Role(anna.clone(), Role::Operator));
        assert_eq!((left("anna").as_str(), withdrawals.is_pending(id)), ("operator dba", true));
        withdrawals.supersede(&Withdrawal::Groups(anna.clone(), Vec::new()));
        assert_eq!((left("anna").as_str(), withdrawals.is_pending(id)), ("operator dba on-call", false));
        // What gave up is not taken for something newer.
        withdrawals.add(Withdrawal::Account(anna));
        assert!(!withdrawals.is_pending(id));
    }
}
