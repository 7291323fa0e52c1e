//! Everybody who is let in at this moment, kept in memory so that open streams end with what let them in.
//!
//! One task reads all of it again whenever any process changes the database. A stream compares itself with the newest
//! reading, and asks the database only where it is missing there.

use std::{collections::HashMap, sync::Arc, time::Duration};

use model::rights::Rights;
use rusqlite::Connection;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    AuthMethod, Principal,
    auth_policy::{ActivePrincipal, AuthPolicy},
    authn::{
        sessions, tokens,
        wall_links::{self, WallLinkLookup},
    },
};
use crate::{clock::now, db::Database};

/// The shortest time between two readings, so that many changes in a row cost one.
const PAUSE: Duration = Duration::from_millis(50);

/// How often expired sessions are deleted.
const PURGE: Duration = Duration::from_secs(10 * 60);

/// How soon a reading that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How far the database was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reading {
    /// Not yet; until then nobody is let in.
    #[default]
    Pending,
    /// The first reading failed, and none succeeded since.
    Failed,
    /// As the rest of it says.
    Done,
}

/// Everybody who is let in, by one reading of the database.
#[derive(Debug, Default)]
pub(super) struct ActivePrincipals {
    /// Whether the rest of this was read.
    pub(super) reading: Reading,
    /// Whether there are no accounts, and everybody may do everything.
    pub(super) is_open: bool,
    by_method: HashMap<AuthMethod, Arc<Rights>>,
}

impl ActivePrincipals {
    /// Everybody who is let in by the database.
    fn read(policy: &AuthPolicy, connection: &Connection, now: i64) -> Result<Self, rusqlite::Error> {
        let sessions = sessions::list(connection, None, policy.limits, now)?.into_iter();
        let mut by_method: HashMap<_, _> = sessions
            .filter_map(|session| Some((AuthMethod::Session(session.id.clone()), policy.of_session(&session)?.rights)))
            .collect();
        by_method.extend(tokens::list_valid(connection, now)?.into_iter().filter_map(|valid| {
            let rights = policy.of_token(&valid)?.rights;
            Some((AuthMethod::Token(valid.token.id), rights))
        }));
        by_method.extend(wall_links::list(connection)?.into_iter().filter(|link| link.expires > now).filter_map(
            |link| {
                let rights = policy.of_wall_link(&link)?.rights;
                Some((AuthMethod::WallLink(link.id), rights))
            },
        ));
        Ok(Self { reading: Reading::Done, is_open: policy.is_open(connection)?, by_method })
    }

    /// Whether somebody is still let in with the rights that they came with.
    pub(super) fn contains(&self, principal: &Principal) -> bool {
        match &principal.method {
            AuthMethod::Open => self.is_open,
            // Nothing is stored of these: the header or the command is looked at anew with each request, and a stream
            // that began with a header ends by its own timer.
            AuthMethod::Header | AuthMethod::CommandLine => true,
            method => self.by_method.get(method) == Some(&principal.rights),
        }
    }
}

/// What somebody may do by the database now; nothing where they are not let in any more.
pub(super) fn look_up(
    policy: &AuthPolicy,
    connection: &Connection,
    principal: &Principal,
    now: i64,
) -> Result<Option<ActivePrincipal>, rusqlite::Error> {
    let unchanged = || ActivePrincipal { user: principal.name.clone(), rights: principal.rights.clone(), until: None };
    Ok(match &principal.method {
        AuthMethod::Open => policy.is_open(connection)?.then(unchanged),
        AuthMethod::Header | AuthMethod::CommandLine => Some(unchanged()),
        AuthMethod::Session(id) => {
            sessions::by_id(connection, id, policy.limits, now)?.and_then(|session| policy.of_session(&session))
        }
        AuthMethod::Token(id) => tokens::by_id(connection, id, now)?.and_then(|valid| policy.of_token(&valid)),
        AuthMethod::WallLink(id) => match wall_links::by_id(connection, id, now)? {
            WallLinkLookup::Valid(link) => policy.of_wall_link(&link),
            WallLinkLookup::Expired(_) | WallLinkLookup::Unknown => None,
        },
        AuthMethod::Anonymous => None,
    })
}

/// Publishes a new reading whenever the database changes, until nobody listens any more.
pub(super) async fn follow(database: Database, policy: AuthPolicy, readings: watch::Sender<ActivePrincipals>) {
    let (mut changes, withdrawals) = (database.changes(), policy.withdrawals.clone());
    let mut purged: Option<Instant> = None;
    loop {
        changes.mark_unchanged();
        let (policy, is_purge_due) = (policy.clone(), purged.is_none_or(|at| at.elapsed() >= PURGE));
        let read = database.run(move |connection| {
            let now = now();
            // Whoever is logged in may look on while the disk is full or the file can't be written.
            if is_purge_due && let Err(error) = sessions::purge(connection, policy.limits, now) {
                tracing::warn!(%error, "cannot remove sessions that are over");
            }
            ActivePrincipals::read(&policy, connection, now)
        });
        let is_read = match read.await {
            Ok(reading) => {
                purged = if is_purge_due { Some(Instant::now()) } else { purged };
                readings.send_replace(reading);
                true
            }
            Err(error) => {
                tracing::error!(%error, "cannot read who is logged in; open streams go on meanwhile");
                // Nobody waits for what may never come.
                readings.send_if_modified(|known| {
                    let was_pending = known.reading == Reading::Pending;
                    if was_pending {
                        known.reading = Reading::Failed;
                    }
                    was_pending
                });
                false
            }
        };
        tokio::select! {
            () = readings.closed() => return,
            () = sleep(if is_read { PAUSE } else { RETRY }) => {}
        }
        if !is_read {
            continue;
        }
        tokio::select! {
            () = readings.closed() => return,
            () = withdrawals.changed() => {}
            // Without a change, expired sessions are due to be deleted.
            changed = timeout(PURGE, changes.changed()) => if let Ok(Err(_)) = changed { return },
        }
    }
}
