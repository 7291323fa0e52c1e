//! A log-in with name and password, from the attempt to the session.

use std::{net::IpAddr, time::Duration};

use super::{
    devices,
    session_issue::SessionIssue,
    throttle::Admitted,
    verifier::{Verdict, VerifierError},
};
use crate::{
    audit::{Entry, Kind},
    auth::{
        AccountOrigin, Auth, NewSession, Password, PasswordHash, Principal, RandomError, Secret, SecretHash, Session,
        User, UserName, users,
    },
    clock::now,
    db::DatabaseError,
    fair_queue::Applicant,
};

/// What the audit log calls a name that no account has. The name itself is not written down: people type passwords into
/// the wrong field.
const UNKNOWN: &str = "unknown account";

/// Somebody who tries to log in.
#[derive(Clone, Debug)]
pub struct LogInAttempt {
    /// The name as it was typed.
    pub user: String,
    /// The password as it was typed.
    pub password: Password,
    /// The cookie that the browser got at an earlier log-in.
    pub device: Option<Secret>,
    /// The session that came with the request, which ends.
    pub session: Option<Secret>,
    /// The client's address.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

/// Somebody who has logged in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// What opens the session; for the browser alone.
    pub session_secret: Secret,
    /// What the browser is known by from now on.
    pub device: Secret,
    /// Who it is.
    pub principal: Principal,
    /// The session.
    pub session: Session,
}

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// No such account, or not its password: nobody is told which.
    #[error("name or password is wrong")]
    Wrong,
    /// Too many failures; the next attempt may come after this time.
    #[error("too many attempts: wait {} s", retry_after(*.0))]
    Wait(Duration),
    /// Too many log-ins at once; the next attempt may come after this time.
    #[error("too many log-ins at once: try again in {} s", retry_after(*.0))]
    Busy(Duration),
    /// The password could not be verified.
    #[error("a password could not be looked at: {0}")]
    Failed(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<VerifierError> for LogInError {
    fn from(error: VerifierError) -> Self {
        match error {
            VerifierError::Busy(wait) => Self::Busy(wait),
            VerifierError::Failed(why) => Self::Failed(why),
        }
    }
}

/// A password to be verified.
pub(in crate::auth) struct PasswordCheck<'a> {
    /// The account's name, by which failures are counted.
    pub(in crate::auth) account: &'a str,
    /// The client's address.
    pub(in crate::auth) address: IpAddr,
    /// The browser, where this account logged in from it before.
    pub(in crate::auth) device: Option<SecretHash>,
    /// As it was typed.
    pub(in crate::auth) password: Password,
    /// The account's hash; nothing where there is no such account.
    pub(in crate::auth) hash: Option<PasswordHash>,
}

/// A password that was the account's.
pub(in crate::auth) struct ConfirmedPassword {
    /// For the throttle, once what the password was typed for is done.
    pub(in crate::auth) admitted: Admitted,
    /// Its hash at today's cost, where the stored one has another.
    rehashed: Option<PasswordHash>,
}

/// What the database says of a name and a browser before the password is verified.
#[derive(Debug, Default)]
struct KnownAccount {
    account: Option<(User, PasswordHash)>,
    /// Whether the account logged in from this browser before.
    is_own_device: bool,
    /// Whether any account did.
    is_known_device: bool,
}

impl Auth {
    /// Tries to log in.
    ///
    /// # Errors
    /// With what to tell whoever tries. The message, and the time that it takes, are the same for a wrong password and an
    /// unknown account.
    pub async fn log_in(&self, attempt: LogInAttempt) -> Result<LoggedIn, LogInError> {
        let inner = self.inner();
        let LogInAttempt { user, password, device, session, address, agent } = attempt;
        let name: Option<UserName> = user.parse().ok();
        let KnownAccount { account, is_own_device, is_known_device } = self.find_account(name.clone(), device).await?;
        let (account, hash) = account.unzip();
        let check = PasswordCheck {
            account: name.as_ref().map_or("", UserName::as_str),
            address,
            device: device.filter(|_| is_own_device).map(|device| device.hash()),
            password,
            hash: hash.clone(),
        };
        let who = account.as_ref().map_or(UNKNOWN, |account: &User| account.name.as_str());
        let entry = Principal::anonymous(who, address).entry(Kind::Login, "log-in");
        let ConfirmedPassword { admitted, rehashed } = self.confirm(check, entry.clone()).await?;
        let (Some(User { name, role, groups, .. }), Some(hash)) = (account, hash) else {
            return Err(LogInError::Wrong);
        };
        let new = NewSession { user: name.to_string(), origin: AccountOrigin::Local, role, groups, address, agent };
        let issue = SessionIssue::new(new, session, "password")?;
        let device = device.filter(|_| is_known_device).map_or_else(Secret::random, Ok)?;
        let logged_in = self.issue_unless_changed(name, hash, rehashed, device, issue).await;
        // This fails where the account was changed in the meantime.
        let logged_in = self.audit_failure(logged_in, entry, &user).await?;
        inner.throttle().logged_in(admitted, inner.throttle_clock());
        Ok(logged_in)
    }

    /// Verifies a password, as slowly as the failures before it require. Whoever is turned away is written to the audit
    /// log, as `entry`.
    ///
    /// # Errors
    /// When it is not the password, or was not verified.
    pub(in crate::auth) async fn confirm(
        &self,
        check: PasswordCheck<'_>,
        entry: Entry,
    ) -> Result<ConfirmedPassword, LogInError> {
        let account = check.account;
        self.audit_failure(self.verify(check).await, entry, account).await
    }

    /// Passes a result on; whoever is turned away by it is written to the audit log. `account` is the name that was typed.
    async fn audit_failure<T>(
        &self,
        result: Result<T, LogInError>,
        entry: Entry,
        account: &str,
    ) -> Result<T, LogInError> {
        if let Err(error @ (LogInError::Wrong | LogInError::Wait(_) | LogInError::Busy(_))) = &result {
            let entry = Entry { outcome: "refused".to_owned(), detail: error.to_string(), ..entry };
            self.audit_denial_of(entry, account).await;
        }
        result
    }

    async fn verify(&self, check: PasswordCheck<'_>) -> Result<ConfirmedPassword, LogInError> {
        let (inner, PasswordCheck { account, address, device, password, hash }) = (self.inner(), check);
        let applicant = match device {
            Some(_) => Applicant::Account(account.to_owned()),
            None => Applicant::Stranger(address),
        };
        let now = inner.throttle_clock();
        let admitted = inner.throttle().admit(account, address, device, now).map_err(LogInError::Wait)?;
        // A client that disconnects early stays counted as a failure: otherwise it could guess without being slowed down.
        match inner.verifier.verify(password, hash, applicant).await {
            Ok(Verdict::Right(rehashed)) => Ok(ConfirmedPassword { admitted, rehashed }),
            Ok(Verdict::Wrong) => Err(LogInError::Wrong),
            Err(error) => {
                if matches!(error, VerifierError::Busy(_)) {
                    inner.throttle().untried(admitted);
                }
                Err(error.into())
            }
        }
    }

    /// The account of that name, and whether the browser is known.
    async fn find_account(
        &self,
        name: Option<UserName>,
        device: Option<Secret>,
    ) -> Result<KnownAccount, DatabaseError> {
        let Some(name) = name else { return Ok(KnownAccount::default()) };
        let found = self.inner().database.run(move |connection| {
            let mut found = KnownAccount { account: users::find(connection, &name)?, ..KnownAccount::default() };
            if let Some(device) = device {
                found.is_own_device = devices::is_known_to(connection, &name, device.hash(), now())?;
                found.is_known_device = devices::is_known(connection, device.hash(), now())?;
            }
            Ok(found)
        });
        found.await
    }

    /// Issues the session, unless the account's password changed since `verified` was read.
    async fn issue_unless_changed(
        &self,
        name: UserName,
        verified: PasswordHash,
        rehashed: Option<PasswordHash>,
        device: Secret,
        issue: SessionIssue,
    ) -> Result<LoggedIn, LogInError> {
        let policy = self.inner().policy.clone();
        let (session_secret, address) = (issue.secret, issue.new.address);
        let issued = self.inner().audit.transact(move |transaction| {
            if users::find(transaction, &name)?.is_none_or(|(_, stored)| stored != verified) {
                return Ok(None);
            }
            if let Some(hash) = rehashed {
                users::rehash(transaction, &name, &hash)?;
            }
            devices::remember(transaction, &name, &device, now())?;
            issue.issue(transaction, &policy)
        });
        let issued: Result<_, rusqlite::Error> = issued.await?;
        let (session, active) = issued.map_err(DatabaseError::from)?.ok_or(LogInError::Wrong)?;
        Ok(LoggedIn { session_secret, device, principal: active.principal(&session.id, address), session })
    }
}

/// A time to wait in whole seconds, rounded up, as `Retry-After` has it.
#[must_use]
pub fn retry_after(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
