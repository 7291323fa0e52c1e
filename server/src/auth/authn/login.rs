//! A log-in with name and password, from the attempt to the session.

use std::{net::IpAddr, time::Duration};

use rusqlite::TransactionBehavior;

use super::{
    devices,
    session_issue::SessionIssue,
    throttle::Admitted,
    verifier::{Verdict, VerifierError},
};
use crate::{
    audit::{Entry, Kind},
    auth::{
        Access, NewSession, Origin, Password, PasswordHash, Principal, RandomError, Secret, SecretHash, Session, User,
        UserName, users,
    },
    clock::now,
    db::DatabaseError,
};

/// What stands in the record for a name that no account has: people type passwords into the wrong field.
const UNKNOWN: &str = "unknown account";

/// Somebody who tries.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The name as it was typed.
    pub user: String,
    /// The password as it was typed.
    pub password: Password,
    /// What the browser has from a log-in before.
    pub device: Option<Secret>,
    /// The session that came with the request, which ends.
    pub session: Option<Secret>,
    /// Where from.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

/// Somebody who is in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// What opens the session; for the browser alone.
    pub token: Secret,
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
    #[error("too many attempts failed: wait {} s", seconds(*.0))]
    Wait(Duration),
    /// Too many log-ins at once; come again after this time.
    #[error("too many log-ins at once: try again in {} s", seconds(*.0))]
    Busy(Duration),
    /// The password could not be looked at.
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

/// A password to be looked at.
pub(in crate::auth) struct Look<'a> {
    /// The account's name, by which failures are counted.
    pub(in crate::auth) account: &'a str,
    /// Where it comes from.
    pub(in crate::auth) address: IpAddr,
    /// The browser, where this account logged in from it before.
    pub(in crate::auth) device: Option<SecretHash>,
    /// As it was typed.
    pub(in crate::auth) password: Password,
    /// What is kept of the account's; nothing where there is no such account.
    pub(in crate::auth) kept: Option<PasswordHash>,
}

/// A password that was the account's.
pub(in crate::auth) struct Confirmed {
    /// For the throttle, once what the password was typed for is done.
    pub(in crate::auth) admitted: Admitted,
    /// Its hash at the cost of today, where it was kept at another.
    rehashed: Option<PasswordHash>,
}

/// What is known before the password is looked at.
#[derive(Debug, Default)]
struct Found {
    account: Option<(User, PasswordHash)>,
    /// Whether the account logged in from this browser before.
    is_known: bool,
    /// Whether any account did.
    is_anybodys: bool,
}

impl Access {
    /// Tries to log in.
    ///
    /// # Errors
    /// With what to tell whoever tries. What is told, and how long it takes, is the same for a wrong password and an
    /// unknown account.
    pub async fn log_in(&self, attempt: Attempt) -> Result<LoggedIn, LogInError> {
        let inner = self.inner();
        let Attempt { user, password, device, session, address, agent } = attempt;
        let name: Option<UserName> = user.parse().ok();
        let Found { account: found, is_known, is_anybodys } = self.look_up(name.clone(), device).await?;
        let (account, kept) = found.unzip();
        let look = Look {
            account: name.as_ref().map_or("", UserName::as_str),
            address,
            device: device.filter(|_| is_known).map(|device| device.hash()),
            password,
            kept: kept.clone(),
        };
        let who = account.as_ref().map_or(UNKNOWN, |account: &User| account.name.as_str());
        let asked = Principal::nobody(who, address).entry(Kind::Login, "log-in");
        let Confirmed { admitted, rehashed } = self.confirm(look, asked.clone()).await?;
        let (Some(User { name, role, groups, .. }), Some(kept)) = (account, kept) else {
            return Err(LogInError::Wrong);
        };
        let new = NewSession { user: name.to_string(), origin: Origin::Local, role, groups, address, agent };
        let opening = SessionIssue::new(new, session, "password")?;
        let device = device.filter(|_| is_anybodys).map_or_else(Secret::random, Ok)?;
        let began = self.enter(name, kept, rehashed, device, opening).await;
        // An account that changed under way lets nobody in.
        let began = self.told(began, asked).await?;
        inner.throttle().succeeded(admitted);
        Ok(began)
    }

    /// Looks at a password, as slowly as the failures before it want. Whoever is turned away is told to the record, as
    /// `asked`.
    ///
    /// # Errors
    /// When it is not the password, or was not looked at.
    pub(in crate::auth) async fn confirm(&self, look: Look<'_>, asked: Entry) -> Result<Confirmed, LogInError> {
        self.told(self.look(look).await, asked).await
    }

    /// What became of it; whoever is turned away is told to the record.
    async fn told<T>(&self, outcome: Result<T, LogInError>, asked: Entry) -> Result<T, LogInError> {
        if let Err(error @ (LogInError::Wrong | LogInError::Wait(_) | LogInError::Busy(_))) = &outcome {
            let refused = Entry { outcome: "refused".to_owned(), detail: error.to_string(), ..asked };
            self.tell_refusal(refused).await;
        }
        outcome
    }

    async fn look(&self, look: Look<'_>) -> Result<Confirmed, LogInError> {
        let (inner, Look { account, address, device, password, kept }) = (self.inner(), look);
        let is_known = device.is_some();
        let admitted = inner.throttle().admit(account, address, device, inner.clock()).map_err(LogInError::Wait)?;
        // Who leaves early stays a failure: that is no way to guess.
        match inner.verifier.look(password, kept, is_known).await {
            Ok(Verdict::Right(rehashed)) => Ok(Confirmed { admitted, rehashed }),
            Ok(Verdict::Wrong) => Err(LogInError::Wrong),
            Err(error) => {
                if matches!(error, VerifierError::Busy(_)) {
                    inner.throttle().untried(admitted);
                }
                Err(error.into())
            }
        }
    }

    /// The account of that name, and how the browser is known.
    async fn look_up(&self, name: Option<UserName>, device: Option<Secret>) -> Result<Found, DatabaseError> {
        let Some(name) = name else { return Ok(Found::default()) };
        let looked = self.inner().database.call(move |connection| {
            let mut found = Found { account: users::find(connection, &name)?, ..Found::default() };
            if let Some(device) = device {
                found.is_known = devices::is_known(connection, &name, device.hash(), now())?;
                found.is_anybodys = devices::is_known_to_anybody(connection, device.hash(), now())?;
            }
            Ok(found)
        });
        looked.await
    }

    /// Begins the session, unless the account changed since it was looked at.
    async fn enter(
        &self,
        name: UserName,
        kept: PasswordHash,
        rehashed: Option<PasswordHash>,
        device: Secret,
        opening: SessionIssue,
    ) -> Result<LoggedIn, LogInError> {
        let basis = self.inner().basis.clone();
        let (token, address) = (opening.secret, opening.new.address);
        let began = self.inner().database.call(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if users::find(&transaction, &name)?.is_none_or(|(_, now)| now != kept) {
                return Ok(None);
            }
            if let Some(hash) = rehashed {
                users::rehash(&transaction, &name, &hash)?;
            }
            devices::keep(&transaction, &name, &device, now())?;
            let began = opening.begin(&transaction, &basis)?;
            transaction.commit()?;
            Ok(began)
        });
        let (session, standing) = began.await?.ok_or(LogInError::Wrong)?;
        Ok(LoggedIn { token, device, principal: standing.principal(&session.id, address), session })
    }
}

/// Whole seconds, never fewer than the time: for `Retry-After`.
#[must_use]
pub fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
