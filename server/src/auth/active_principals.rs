//! Who may go on: what open streams look at, so that they end with what let them in.
//!
//! One task reads all that stands whenever the file changes, in any process; a stream looks for itself there, and asks
//! the database only when it seems to be gone.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use model::rights::{Rights, Role};
use rusqlite::Connection;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    AuthMethod, IdentityProviders, Origin, Principal, Rules, Session, SessionLimits,
    authn::{sessions, tokens, wall_links},
    users,
};
use crate::{clock::now, db::Database};

/// The shortest time between two readings: many changes are one.
const PAUSE: Duration = Duration::from_millis(50);

/// How often old sessions are forgotten.
const TIDY: Duration = Duration::from_secs(10 * 60);

/// How soon a reading that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What lets somebody in, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivePrincipal {
    /// The account's name.
    pub user: String,
    /// What they may see and do.
    pub rights: Arc<Rights>,
    /// When it ends unless it is used, Unix milliseconds.
    pub until: Option<i64>,
}

impl ActivePrincipal {
    /// Whoever shows the session of that id, from that address.
    pub(super) fn principal(&self, session: &str, address: IpAddr) -> Principal {
        let means = AuthMethod::Session(session.to_owned());
        Principal { name: self.user.clone(), means, rights: self.rights.clone(), address }
    }
}

/// Everybody that stands.
#[derive(Debug, Default)]
pub(super) struct ActivePrincipals {
    /// Whether the file was read yet; until then nobody stands.
    pub(super) is_read: bool,
    /// Whether there are no accounts, and need not be.
    pub(super) is_open: bool,
    by_means: HashMap<AuthMethod, Arc<Rights>>,
}

impl ActivePrincipals {
    /// Whether a caller stands as they did.
    pub(super) fn agrees(&self, principal: &Principal) -> bool {
        match &principal.means {
            AuthMethod::Open => self.is_open,
            // Nothing is kept of these: who sent the header or ran the command is asked again with each request, and a
            // stream of theirs has an end of its own.
            AuthMethod::Header | AuthMethod::CommandLine => true,
            means => self.by_means.get(means) == Some(&principal.rights),
        }
    }
}

/// What the task and the look-ups go by.
#[derive(Clone, Debug)]
pub(super) struct AuthPolicy {
    pub(super) rules: Arc<Rules>,
    pub(super) limits: SessionLimits,
    /// Whether there need be no accounts.
    pub(super) may_be_open: bool,
    /// Who else vouches for people.
    pub(super) outside: Arc<IdentityProviders>,
}

impl AuthPolicy {
    /// Everybody that stands, out of the file.
    fn read(&self, connection: &Connection, now: i64) -> Result<ActivePrincipals, rusqlite::Error> {
        let sessions = sessions::list(connection, None, self.limits, now)?.into_iter();
        let mut by_means: HashMap<_, _> =
            sessions.map(|s| (AuthMethod::Session(s.id.clone()), self.of(&s).rights)).collect();
        by_means.extend(tokens::good(connection, now)?.into_iter().map(|good| {
            let rights = self.of_token(&good).rights;
            (AuthMethod::Token(good.token.id), rights)
        }));
        by_means.extend(wall_links::list(connection)?.into_iter().filter(|wall| wall.expires > now).map(|wall| {
            let rights = Arc::new(wall.rights());
            (AuthMethod::Wall(wall.id), rights)
        }));
        Ok(ActivePrincipals { is_read: true, is_open: self.is_open(connection)?, by_means })
    }

    /// How a caller stands by the file; nothing where they do not any more.
    pub(super) fn look_up(
        &self,
        connection: &Connection,
        principal: &Principal,
        now: i64,
    ) -> Result<Option<ActivePrincipal>, rusqlite::Error> {
        let as_ever =
            || ActivePrincipal { user: principal.name.clone(), rights: principal.rights.clone(), until: None };
        Ok(match &principal.means {
            AuthMethod::Open => self.is_open(connection)?.then(as_ever),
            AuthMethod::Header | AuthMethod::CommandLine => Some(as_ever()),
            AuthMethod::Session(id) => {
                sessions::by_id(connection, id, self.limits, now)?.map(|session| self.of(&session))
            }
            AuthMethod::Token(id) => tokens::by_id(connection, id, now)?.map(|good| self.of_token(&good)),
            AuthMethod::Wall(id) => match wall_links::by_id(connection, id, now)? {
                wall_links::Found::Good(wall) => {
                    let rights = Arc::new(wall.rights());
                    Some(ActivePrincipal { user: principal.name.clone(), rights, until: Some(wall.expires) })
                }
                wall_links::Found::Expired(_) | wall_links::Found::Unknown => None,
            },
            AuthMethod::Nothing => None,
        })
    }

    fn is_open(&self, connection: &Connection) -> Result<bool, rusqlite::Error> {
        Ok(self.may_be_open && !users::is_there_any(connection)?)
    }

    /// How the account of a session stands.
    pub(super) fn of(&self, session: &Session) -> ActivePrincipal {
        let Session { user, groups, role, origin, .. } = session;
        // What the provider's groups may do, the configuration of now says, not that of the log-in.
        let role = if *origin == Origin::Oidc { self.outside.roles.role(groups) } else { Some(*role) };
        let nothing = || Arc::new(Rights { role: Role::Viewer, grants: Some(Vec::new()) });
        let rights = role.map_or_else(nothing, |role| self.rights(user, groups, role));
        ActivePrincipal { user: user.clone(), rights, until: Some(self.limits.end(session)) }
    }

    /// How the account of a token stands, as far as the token goes.
    pub(super) fn of_token(&self, good: &tokens::Good) -> ActivePrincipal {
        let tokens::Good { token, role, groups } = good;
        let user = token.user.to_string();
        let mut rights = self.rights(&user, groups, *role);
        if token.scope == tokens::Scope::Read {
            // An admin is bound by no rules, and as a viewer who only looks is still one.
            rights = Arc::new(Rights { role: Role::Viewer, ..Rights::clone(&rights) });
        }
        ActivePrincipal { user, rights, until: Some(token.expires) }
    }

    /// What an account with that role and these groups may see and do.
    pub(super) fn rights(&self, user: &str, groups: &[String], role: Role) -> Arc<Rights> {
        Arc::new(self.rules.rights(user, groups, role))
    }
}

/// Reads who stands whenever the file changes, until nobody asks any more.
pub(super) async fn follow(database: Database, basis: AuthPolicy, told: watch::Sender<ActivePrincipals>) {
    let mut changes = database.changes();
    let mut tidied: Option<tokio::time::Instant> = None;
    loop {
        changes.mark_unchanged();
        let (look, tidy) = (basis.clone(), tidied.is_none_or(|at| at.elapsed() >= TIDY));
        let read = database.call(move |connection| {
            let now = now();
            // A disk that is full, or a file that can't be written, keeps nobody from looking.
            if tidy && let Err(error) = sessions::purge(connection, look.limits, now) {
                tracing::warn!(%error, "cannot remove sessions that are over");
            }
            look.read(connection, now)
        });
        let is_read = match read.await {
            Ok(standings) => {
                tidied = if tidy { Some(tokio::time::Instant::now()) } else { tidied };
                told.send_replace(standings);
                true
            }
            Err(error) => {
                tracing::error!(%error, "cannot read who is logged in; open streams go on meanwhile");
                false
            }
        };
        tokio::select! {
            () = told.closed() => return,
            () = sleep(if is_read { PAUSE } else { AGAIN }) => {}
        }
        if !is_read {
            continue;
        }
        tokio::select! {
            () = told.closed() => return,
            // A pause without a change is time to tidy.
            changed = timeout(TIDY, changes.changed()) => if let Ok(Err(_)) = changed { return },
        }
    }
}
