//! [`Auth`]: the handle that everything else authenticates and authorizes through.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::{sync::watch, time::Instant};

use super::{
    ChangeError, Cost, IdentityProviders, NewSession, PasswordError, Principal, RandomError, Rules, Secret, Session,
    SessionLimits, TakenAway, User, Withdrawal,
    active_principals::{self, ActivePrincipals, Reading},
    auth_policy::AuthPolicy,
    authn::{session_issue::SessionIssue, sessions, throttle::Throttle, verifier::Verifier},
    authz::policy::Permission,
    users,
};
use crate::{
    audit::{self, AuditLog, Entry, Kind},
    clock::now,
    db::{Database, DatabaseError},
};

/// What [`Auth`] goes by.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// The rules of the configuration.
    pub rules: Rules,
    /// How long sessions last.
    pub sessions: SessionLimits,
    /// Whether everybody may do everything while there are no accounts: where only this machine reaches the address, and
    /// no other system vouches for people.
    pub may_be_open: bool,
    /// What verifying a password costs.
    pub cost: Cost,
}

/// Why a session could not begin or end.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Says who is asking, and what they may. A clone is cheap and is the same handle.
#[derive(Clone, Debug)]
pub struct Auth {
    inner: Arc<AuthParts>,
}

#[derive(Debug)]
pub(super) struct AuthParts {
    pub(super) database: Database,
    pub(super) policy: AuthPolicy,
    pub(super) verifier: Verifier,
    /// The newest reading of who is let in.
    pub(super) active: watch::Receiver<ActivePrincipals>,
    throttle: Mutex<Throttle>,
    pub(super) audit: AuditLog,
    started: Instant,
}

impl Auth {
    /// Starts the task that reads who is let in; it ends with the last handle. Needs tokio's runtime.
    ///
    /// # Errors
    /// When nothing can be hashed at the cost asked for.
    pub fn start(database: Database, config: AuthConfig) -> Result<Self, PasswordError> {
        Self::start_with_providers(AuditLog::new(database), config, IdentityProviders::default())
    }

    /// The same where other systems vouch for people too; what is denied goes into `audit`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_providers(
        audit: AuditLog,
        config: AuthConfig,
        providers: IdentityProviders,
    ) -> Result<Self, PasswordError> {
        let database = audit.database().clone();
        let AuthConfig { rules, sessions: limits, may_be_open, cost } = config;
        let policy = AuthPolicy {
            rules: Arc::new(rules),
            limits,
            may_be_open,
            providers: Arc::new(providers),
            withdrawals: Arc::default(),
        };
        let (readings, active) = watch::channel(ActivePrincipals::default());
        tokio::spawn(active_principals::follow(database.clone(), policy.clone(), readings));
        let verifier = Verifier::new(cost)?;
        let (throttle, started) = (Mutex::default(), Instant::now());
        Ok(Self { inner: Arc::new(AuthParts { database, policy, verifier, active, throttle, audit, started }) })
    }

    /// Whether there are no accounts, and whoever reaches the address may do everything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let active = self.inner.active.borrow();
        // Until the database was read, what is stricter about the host name that a request may use.
        if active.reading == Reading::Done { active.is_open } else { self.inner.policy.may_be_open }
    }

    /// How long sessions last.
    #[must_use]
    pub fn session_limits(&self) -> SessionLimits {
        self.inner.policy.limits
    }

    /// How many passwords were verified so far, right or wrong.
    #[must_use]
    pub fn verified_passwords(&self) -> u64 {
        self.inner.verifier.verified()
    }

    /// Other systems that vouch for people.
    #[must_use]
    pub fn identity_providers(&self) -> &IdentityProviders {
        &self.inner.policy.providers
    }

    /// The local accounts that are admins' now, also where what was taken away is not in the database yet.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn admins(&self, connection: &Connection) -> Result<Vec<User>, rusqlite::Error> {
        Ok(users::list(connection)?.into_iter().filter(|user| self.inner.policy.is_admin(user)).collect())
    }

    /// Whether there are local accounts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_accounts(&self) -> Result<bool, DatabaseError> {
        self.inner.database.run(|connection| users::has_any(connection)).await
    }

    /// Begins a session for somebody whom a password or a provider vouched for, and ends the session that came with the
    /// request: a cookie that somebody else put into the browser must not open the new session.
    ///
    /// # Errors
    /// When the database fails, or there is no randomness: then nobody is logged in.
    pub async fn begin_session(
        &self,
        new: NewSession,
        old: Option<Secret>,
        detail: &str,
    ) -> Result<(Secret, Session), AuthError> {
        let (issue, policy) = (SessionIssue::new(new, old, detail)?, self.inner.policy.clone());
        let secret = issue.secret;
        let issued = self.inner.audit.transact(move |transaction| {
            let (session, _) = issue.issue(transaction, &policy)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok(session)
        });
        let issued: Result<Session, rusqlite::Error> = issued.await?;
        Ok((secret, issued.map_err(DatabaseError::from)?))
    }

    /// Ends somebody's session, or every session of their account; returns how many ended. Whoever was authenticated in
    /// another way has none to end.
    ///
    /// # Errors
    /// When the database can't be read: then it is not known whether there is a session.
    pub async fn log_out(&self, principal: &Principal, everywhere: bool) -> Result<usize, ChangeError> {
        let Some(session) = self.session_of(principal).await? else { return Ok(0) };
        let limits = self.session_limits();
        let of_account = (session.origin, session.user.clone());
        let listed = self
            .inner
            .database
            .read(move |connection| sessions::list(connection, Some((of_account.0, &of_account.1)), limits, now()));
        let count = if everywhere { listed.await?.len() } else { 1 };
        let withdrawal = match everywhere {
            true => Withdrawal::Sessions(session.origin, session.user.clone()),
            false => Withdrawal::Method(principal.method.clone()),
        };
        let ended = self.take_away(
            principal,
            Permission::Public,
            withdrawal,
            |_| Ok(true),
            move |transaction, by| {
                let ended = match everywhere {
                    true => sessions::end_all_of(transaction, session.origin, &session.user)?,
                    false => usize::from(sessions::end(transaction, &session.id, None)?),
                };
                let detail = if everywhere { format!("everywhere: sessions ended: {ended}") } else { String::new() };
                let entry = by.entry(Kind::Login, "log-out");
                audit::append(transaction, &Entry { outcome: "done".to_owned(), detail, ..entry })?;
                Ok(ended)
            },
        );
        let ended: Result<_, rusqlite::Error> = match ended.await {
            // It has ended meanwhile.
            Err(ChangeError::Revoked(_)) => return Ok(0),
            ended => ended?,
        };
        Ok(match ended.map_err(DatabaseError::from)? {
            TakenAway::Written(ended) => ended,
            TakenAway::Remembered => count,
        })
    }

    /// The audit log, where every change has its entry.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.inner.audit
    }

    /// Writes to the audit log that something was asked for and not done; a flood of such entries is summed up. Where that
    /// fails it is not done all the same, and the program's log says both.
    pub async fn audit_denial(&self, entry: Entry) {
        let who = entry.who.clone();
        self.audit_denial_of(entry, &who).await;
    }

    /// The same where the entry does not say for which account it was tried.
    pub(super) async fn audit_denial_of(&self, entry: Entry, whose: &str) {
        let _: Result<_, DatabaseError> = self.inner.audit.append_limited(entry, whose).await;
    }

    pub(super) fn inner(&self) -> &AuthParts {
        &self.inner
    }
}

impl AuthParts {
    /// The counts of failed log-ins. No lock is held across an await.
    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The throttle's clock, milliseconds: one that nobody can set back.
    pub(super) fn throttle_clock(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
