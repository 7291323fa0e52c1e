//! Sessions: who is logged in, from where, and until when.
//!
//! A session is opened by a secret that only the browser has; its hash is stored here. The role and groups of a local
//! account are read from the account each time; those of an external one came with its log-in, and stay with the session.

use std::{net::IpAddr, time::Duration};

use model::rights::Role;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::account_origin::AccountOrigin;
use crate::auth::{
    Principal, Secret,
    changes::{audit_change, one_line},
    columns,
};

/// How often the last use is written: more often would write to the disk for every click.
const TOUCH: i64 = 60_000;

/// The longest name of a browser that is stored, in characters.
const LONGEST_AGENT: usize = 200;

/// Sessions of one account at once; with one more, the one that was not used for longest ends. Nobody has so many
/// browsers, and a script that logs in and never out can't fill the disk.
const MOST: u32 = 50;

/// How long sessions last. `[sessions]` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request; an open stream does not count as one.
    pub idle: Duration,
    /// In all.
    pub absolute: Duration,
}

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The account's name.
    pub user: String,
    /// Where it comes from.
    pub origin: AccountOrigin,
    /// What it may do at most; for a local account the table of users decides.
    pub role: Role,
    /// Its groups, likewise.
    pub groups: Vec<String>,
    /// Where it was opened from.
    pub address: IpAddr,
    /// What the browser calls itself.
    pub agent: String,
}

/// A session that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, which opens nothing.
    pub id: String,
    /// The account's name.
    pub user: String,
    /// Where it comes from.
    pub origin: AccountOrigin,
    /// What it may do at most, now.
    pub role: Role,
    /// Its groups, now.
    pub groups: Vec<String>,
    /// When it began, Unix milliseconds.
    pub created: i64,
    /// When it was used last, to the minute, Unix milliseconds.
    pub seen: i64,
    /// Where it was opened from.
    pub address: String,
    /// What the browser calls itself, in plain characters.
    pub agent: String,
}

impl Default for SessionLimits {
    /// A working day with its breaks, and a week: a display or a tablet has to log in again on a working day.
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self { idle: 12 * HOUR, absolute: 7 * 24 * HOUR }
    }
}

impl SessionLimits {
    /// When a session ends unless it is used again, Unix milliseconds.
    #[must_use]
    pub fn end(&self, session: &Session) -> i64 {
        let after =
            |from: i64, time: Duration| from.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        after(session.seen, self.idle).min(after(session.created, self.absolute))
    }

    /// The earliest times of last use and of beginning that a session may have.
    fn earliest(&self, now: i64) -> (i64, i64) {
        let before = |time: Duration| now.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        (before(self.idle), before(self.absolute))
    }
}

/// Begins a session, which `secret` opens.
///
/// # Errors
/// When the database fails.
pub fn create(
    connection: &Connection,
    new: &NewSession,
    id: &str,
    secret: &Secret,
    now: i64,
) -> Result<(), rusqlite::Error> {
    connection.execute(
        "INSERT INTO sessions (id, hash, user, origin, role, groups, created, seen, address, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)",
        params![
            id,
            secret.hash().as_bytes(),
            new.user,
            new.origin.word(),
            new.role.word(),
            columns::list(&new.groups),
            now,
            new.address.to_string(),
            one_line(&new.agent, LONGEST_AGENT)
        ],
    )?;
    connection.execute(
        "DELETE FROM sessions WHERE origin = ?1 AND user = ?2 AND id NOT IN
         (SELECT id FROM sessions WHERE origin = ?1 AND user = ?2 ORDER BY id = ?3 DESC, seen DESC LIMIT ?4)",
        params![new.origin.word(), new.user, id, MOST],
    )?;
    Ok(())
}

/// The session that a secret opens, unless it is over.
///
/// # Errors
/// When the database fails.
pub fn find(
    connection: &Connection,
    secret: &Secret,
    limits: SessionLimits,
    now: i64,
) -> Result<Option<Session>, rusqlite::Error> {
    one(connection, "hash = ?3", &secret.hash().as_bytes(), limits, now)
}

/// The session of that id, unless it is over.
///
/// # Errors
/// When the database fails.
pub fn by_id(
    connection: &Connection,
    id: &str,
    limits: SessionLimits,
    now: i64,
) -> Result<Option<Session>, rusqlite::Error> {
    one(connection, "id = ?3", &id, limits, now)
}

/// Writes that a session is used, where the last time is more than a minute ago.
///
/// # Errors
/// When the database fails.
pub fn touch(connection: &Connection, session: &Session, now: i64) -> Result<(), rusqlite::Error> {
    if now.saturating_sub(session.seen) < TOUCH {
        return Ok(());
    }
    connection.execute("UPDATE sessions SET seen = ?2 WHERE id = ?1", params![session.id, now]).map(|_| ())
}

/// The sessions that last: of everybody, or of one account; the newest first.
///
/// # Errors
/// When the database fails.
pub fn list(
    connection: &Connection,
    of: Option<(AccountOrigin, &str)>,
    limits: SessionLimits,
    now: i64,
) -> Result<Vec<Session>, rusqlite::Error> {
    let (seen, created) = limits.earliest(now);
    let (origin, user) = of.map_or((None, None), |(origin, user)| (Some(origin.word()), Some(user)));
    let condition = "(?3 IS NULL OR s.origin = ?3) AND (?4 IS NULL OR s.user = ?4)";
    let mut statement = connection.prepare(&format!("{SELECT} AND {condition} ORDER BY s.created DESC, s.id"))?;
    statement.query_map(params![seen, created, origin, user], session)?.collect()
}

/// Ends a session; whether there was one. With `of` only where it is that account's.
///
/// # Errors
/// When the database fails.
pub fn end(connection: &Connection, id: &str, of: Option<(AccountOrigin, &str)>) -> Result<bool, rusqlite::Error> {
    let (origin, user) = of.map_or((None, None), |(origin, user)| (Some(origin.word()), Some(user)));
    let sql = "DELETE FROM sessions WHERE id = ?1 AND (?2 IS NULL OR origin = ?2) AND (?3 IS NULL OR user = ?3)";
    Ok(connection.execute(sql, params![id, origin, user])? > 0)
}

/// Ends a session on behalf of `by`, with an audit entry; whether there was one. With `of` only where it is that
/// account's.
///
/// # Errors
/// When the database fails.
pub fn revoke(
    transaction: &Transaction<'_>,
    id: &str,
    of: Option<(AccountOrigin, &str)>,
    by: &Principal,
    limits: SessionLimits,
    now: i64,
) -> Result<bool, rusqlite::Error> {
    let Some(session) = by_id(transaction, id, limits, now)? else { return Ok(false) };
    if !end(transaction, id, of)? {
        return Ok(false);
    }
    audit_change(transaction, by, "session.end", &session.user, format!("session {}", session.id))?;
    Ok(true)
}

/// Ends all sessions of a local account on behalf of `by`, with an audit entry; how many there were.
///
/// # Errors
/// When the database fails.
pub fn revoke_all_of(transaction: &Transaction<'_>, user: &str, by: &Principal) -> Result<usize, rusqlite::Error> {
    let ended = end_all_of(transaction, AccountOrigin::Local, user)?;
    audit_change(transaction, by, "session.end", user, format!("everywhere: sessions ended: {ended}"))?;
    Ok(ended)
}

/// Ends the session that a secret opens.
///
/// # Errors
/// When the database fails.
pub fn end_by_secret(connection: &Connection, secret: &Secret) -> Result<bool, rusqlite::Error> {
    Ok(connection.execute("DELETE FROM sessions WHERE hash = ?1", [secret.hash().as_bytes()])? > 0)
}

/// Ends all sessions of an account; how many there were.
///
/// # Errors
/// When the database fails.
pub fn end_all_of(connection: &Connection, origin: AccountOrigin, user: &str) -> Result<usize, rusqlite::Error> {
    connection.execute("DELETE FROM sessions WHERE origin = ?1 AND user = ?2", [origin.word(), user])
}

/// Deletes the sessions that expired; how many there were.
///
/// # Errors
/// When the database fails.
pub fn purge(connection: &Connection, limits: SessionLimits, now: i64) -> Result<usize, rusqlite::Error> {
    let (seen, created) = limits.earliest(now);
    connection.execute("DELETE FROM sessions WHERE seen <= ?1 OR created <= ?2", [seen, created])
}

/// The role and groups of a local account are its present ones; sessions of one that was removed are not selected.
const SELECT: &str = "
    SELECT s.id, s.user, s.origin, coalesce(u.role, s.role), coalesce(u.groups, s.groups), s.created, s.seen, s.address,
        s.agent
    FROM sessions s LEFT JOIN users u ON s.origin = 'local' AND u.name = s.user
    WHERE (s.origin <> 'local' OR u.name IS NOT NULL) AND s.seen > ?1 AND s.created > ?2";

fn one(
    connection: &Connection,
    condition: &str,
    value: &dyn rusqlite::ToSql,
    limits: SessionLimits,
    now: i64,
) -> Result<Option<Session>, rusqlite::Error> {
    let (seen, created) = limits.earliest(now);
    let mut statement = connection.prepare(&format!("{SELECT} AND s.{condition}"))?;
    statement.query_row(params![seen, created, value], session).optional()
}

fn session(row: &Row<'_>) -> Result<Session, rusqlite::Error> {
    Ok(Session {
        id: row.get(0)?,
        user: row.get(1)?,
        origin: columns::parsed(row, 2)?,
        role: columns::parsed(row, 3)?,
        groups: columns::listed(row, 4)?,
        created: row.get(5)?,
        seen: row.get(6)?,
        address: row.get(7)?,
        agent: row.get(8)?,
    })
}

#[cfg(test)]
mod tests;
