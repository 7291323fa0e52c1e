//! The way to accounts and sessions, for whatever serves requests.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use rusqlite::TransactionBehavior;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    ActivePrincipal, AuthMethod, Cost, ExternalIdentity, HeaderIdentity, IdentityProviders, NewSession, PasswordError,
    Peer, Principal, RandomError, Rules, Secret, Session, SessionLimits,
    active_principals::{self, ActivePrincipals, AuthPolicy},
    authn::{
        credentials::{self, Bearer, SESSION_COOKIE, WALL_COOKIE},
        session_issue::SessionIssue,
        sessions,
        throttle::Throttle,
        tokens,
        verifier::Verifier,
        wall_links,
    },
    users,
};
use crate::{
    audit::{self, AuditLog, Entry, Kind},
    clock::now,
    db::{Database, DatabaseError},
};

/// How soon a caller that is not in what was read last is looked for again: what was read may be older than they are.
const RECHECK: Duration = Duration::from_millis(250);

/// What access goes by.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The rules of the configuration.
    pub rules: Rules,
    /// How long sessions last.
    pub sessions: SessionLimits,
    /// Whether everybody may do everything while there are no accounts: where nobody but this machine's users reaches
    /// the address, and nobody else's accounts are configured.
    pub may_be_open: bool,
    /// What looking at a password costs.
    pub cost: Cost,
}

/// Why a session could not be begun or ended.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Who may do what. A clone is cheap and reaches the same.
#[derive(Clone, Debug)]
pub struct Access {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) database: Database,
    pub(super) basis: AuthPolicy,
    pub(super) verifier: Verifier,
    throttle: Mutex<Throttle>,
    record: AuditLog,
    standings: watch::Receiver<ActivePrincipals>,
    began: Instant,
}

impl Access {
    /// Starts reading who stands; that ends with the last handle. Needs tokio's runtime.
    ///
    /// # Errors
    /// When nothing can be hashed at the cost asked for.
    pub fn start(database: Database, setup: Setup) -> Result<Self, PasswordError> {
        Self::start_with(AuditLog::new(database), setup, IdentityProviders::default())
    }

    /// The same where others vouch for people too; what is refused goes into `record`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(record: AuditLog, setup: Setup, outside: IdentityProviders) -> Result<Self, PasswordError> {
        let database = record.database().clone();
        let Setup { rules, sessions, may_be_open, cost } = setup;
        let outside = Arc::new(outside);
        let basis = AuthPolicy { rules: Arc::new(rules), limits: sessions, may_be_open, outside };
        let (told, standings) = watch::channel(ActivePrincipals::default());
        tokio::spawn(active_principals::follow(database.clone(), basis.clone(), told));
        let verifier = Verifier::new(cost)?;
        let (throttle, began) = (Mutex::default(), Instant::now());
        Ok(Self { inner: Arc::new(Inner { database, record, basis, verifier, throttle, standings, began }) })
    }

    /// Whether there are no accounts, and whoever reaches the address may do everything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let standings = self.inner.standings.borrow();
        // Until the file was read: what is stricter for names that a request may come under.
        if standings.is_read { standings.is_open } else { self.inner.basis.may_be_open }
    }

    /// How long sessions last.
    #[must_use]
    pub fn limits(&self) -> SessionLimits {
        self.inner.basis.limits
    }

    /// How many passwords were looked at so far.
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.inner.verifier.looks()
    }

    /// Who sends a request; nobody where it shows nothing that stands.
    ///
    /// # Errors
    /// When the database fails: then it is not known who asks.
    pub async fn identify(&self, headers: &HeaderMap, peer: Peer) -> Result<Option<Principal>, DatabaseError> {
        match credentials::bearer(headers) {
            // A program that shows a token is that token's, or nobody's.
            Bearer::Token(token) => return self.token(token.to_owned(), peer.address).await,
            Bearer::Malformed => return Ok(None),
            Bearer::Absent => {}
        }
        if let Some(secret) = credentials::secret(headers, SESSION_COOKIE)
            && let Some((session, standing)) = self.session(secret).await?
        {
            return Ok(Some(standing.principal(&session.id, peer.address)));
        }
        match self.outside().said(headers, peer) {
            HeaderIdentity::Somebody(ExternalIdentity { name, groups, role }) => {
                let rights = self.inner.basis.rights(&name, &groups, role);
                return Ok(Some(Principal { name, means: AuthMethod::Header, rights, address: peer.address }));
            }
            // Somebody who may not come in is nobody: a display's cookie in their browser is not theirs.
            HeaderIdentity::Refused(why) => {
                tracing::warn!(%why, address = %peer.address, "the reverse proxy names somebody who can't come in");
                return Ok(None);
            }
            HeaderIdentity::Nothing | HeaderIdentity::Ignored => {}
        }
        let mut standings = self.inner.standings.clone();
        // Fails only when the task has ended, with which nobody stands.
        let is_open = standings.wait_for(|s| s.is_read).await.is_ok_and(|s| s.is_open);
        if is_open {
            return Ok(Some(Principal::open(peer.address)));
        }
        match credentials::cookie(headers, WALL_COOKIE) {
            Some(wall) => self.wall(wall.to_owned(), peer.address).await,
            None => Ok(None),
        }
    }

    /// Who else vouches for people.
    #[must_use]
    pub fn outside(&self) -> &IdentityProviders {
        &self.inner.basis.outside
    }

    /// How a caller stands now; nothing where they do not any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&self, principal: &Principal) -> Result<Option<ActivePrincipal>, DatabaseError> {
        let (basis, principal) = (self.inner.basis.clone(), principal.clone());
        self.inner.database.call(move |connection| basis.look_up(connection, &principal, now())).await
    }

    /// Comes back when a caller may not go on as they began: their session ended, or their rights are other ones.
    ///
    /// # Errors
    /// When the database fails: then it is not known, and they may not.
    pub async fn ended(&self, principal: &Principal) -> Result<(), DatabaseError> {
        let mut standings = self.inner.standings.clone();
        let mut until = None;
        let mut is_sure = false;
        loop {
            // Seen before the database is asked, so that no later change is missed.
            let agrees = standings.borrow_and_update().agrees(principal);
            if !agrees || !is_sure {
                match self.standing(principal).await? {
                    Some(standing) if standing.rights == principal.rights => until = standing.until,
                    _ => return Ok(()),
                }
            }
            is_sure = true;
            let soon = (!agrees).then(|| Instant::now() + RECHECK);
            let due = until.map(|until| {
                Instant::now() + Duration::from_millis(until.saturating_sub(now()).try_into().unwrap_or(0))
            });
            let look = soon.into_iter().chain(due).min();
            tokio::select! {
                changed = standings.changed() => if changed.is_err() { return Ok(()) },
                () = async { match look { Some(at) => sleep_until(at).await, None => std::future::pending().await } } => {
                    is_sure = false;
                }
            }
        }
    }

    /// Begins a session of somebody whom a password or a provider vouched for, and ends the one that came with the
    /// request: what somebody else put into the browser opens nothing of theirs.
    ///
    /// # Errors
    /// When the database fails, or there is no randomness: then nobody is logged in.
    pub async fn begin(
        &self,
        new: NewSession,
        old: Option<Secret>,
        detail: &str,
    ) -> Result<(Secret, Session), AccessError> {
        let (opening, basis) = (SessionIssue::new(new, old, detail)?, self.inner.basis.clone());
        let secret = opening.secret;
        let began = self.inner.database.call(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (session, _) = opening.begin(&transaction, &basis)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            transaction.commit()?;
            Ok(session)
        });
        Ok((secret, began.await?))
    }

    /// Ends a caller's session, or all of the account; how many there were. Callers without one have none to end.
    ///
    /// # Errors
    /// When the database fails: then it lasts.
    pub async fn end(&self, principal: &Principal, everywhere: bool) -> Result<usize, DatabaseError> {
        let AuthMethod::Session(id) = principal.means.clone() else { return Ok(0) };
        let (limits, principal) = (self.limits(), principal.clone());
        let ended = self.inner.database.call(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(session) = sessions::by_id(&transaction, &id, limits, now())? else { return Ok(0) };
            let ended = match everywhere {
                true => sessions::end_all_of(&transaction, session.origin, &session.user)?,
                false => usize::from(sessions::end(&transaction, &id, None)?),
            };
            let detail = if everywhere { format!("everywhere: sessions ended: {ended}") } else { String::new() };
            let entry = principal.entry(Kind::Login, "log-out");
            audit::append(&transaction, &Entry { outcome: "done".to_owned(), detail, ..entry })?;
            transaction.commit()?;
            Ok(ended)
        });
        ended.await
    }

    /// Whether there are local accounts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_accounts(&self) -> Result<bool, DatabaseError> {
        self.inner.database.call(|connection| users::is_there_any(connection)).await
    }

    /// Tells the record of something that was asked for and not done; a flood of them is summed. Where that fails it is
    /// not done all the same, and the log tells both.
    pub async fn tell_refusal(&self, entry: Entry) {
        let _: Result<_, DatabaseError> = self.inner.record.append_limited(entry).await;
    }

    /// The session that a secret opens, which is used with that.
    async fn session(&self, secret: Secret) -> Result<Option<(Session, ActivePrincipal)>, DatabaseError> {
        let basis = self.inner.basis.clone();
        let looked = self.inner.database.call(move |connection| {
            let now = now();
            let Some(session) = sessions::find(connection, &secret, basis.limits, now)? else { return Ok(None) };
            if let Err(error) = sessions::touch(connection, &session, now) {
                // As with a full disk: who is logged in may look on, until the session ends by what was written last.
                tracing::warn!(%error, "cannot write that a session is used");
            }
            let standing = basis.of(&session);
            Ok(Some((session, standing)))
        });
        looked.await
    }

    /// Whoever shows that API token.
    async fn token(&self, token: String, address: IpAddr) -> Result<Option<Principal>, DatabaseError> {
        let basis = self.inner.basis.clone();
        let looked = self.inner.database.call(move |connection| {
            let found = tokens::find(connection, &token, now())?;
            Ok(found.map(|good| {
                let ActivePrincipal { user, rights, .. } = basis.of_token(&good);
                Principal { name: user, means: AuthMethod::Token(good.token.id), rights, address }
            }))
        });
        looked.await
    }

    /// The display that shows that wall link.
    async fn wall(&self, wall: String, address: IpAddr) -> Result<Option<Principal>, DatabaseError> {
        let looked = self.inner.database.call(move |connection| {
            Ok(match wall_links::find(connection, &wall, now())? {
                wall_links::Found::Good(wall) => Some(Principal {
                    name: format!("wall {}", wall.name),
                    rights: Arc::new(wall.rights()),
                    means: AuthMethod::Wall(wall.id),
                    address,
                }),
                wall_links::Found::Expired(_) | wall_links::Found::Unknown => None,
            })
        });
        looked.await
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl Inner {
    /// The counts of failures. No lock is held across an await.
    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The throttle's clock, milliseconds: one that nobody sets back.
    pub(super) fn clock(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
