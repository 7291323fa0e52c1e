//! Local accounts, as they are stored in the database.
//!
//! Each change writes its audit entry in the same transaction, and ends the sessions that must end with it.

use std::{fmt, str::FromStr};

use model::rights::Role;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::{
    AccountOrigin, PasswordHash, Principal,
    authn::{
        external_identity::{LONGEST, is_readable},
        sessions,
    },
    changes::audit_change,
    columns,
};

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

/// The name of an account: `[A-Za-z0-9_.@-]+`, at most 64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// Why a text can't be the name of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a group is text of {LONGEST} characters at most, without commas and characters that can't be seen")]
pub struct GroupError;

/// Why a text can't be the name of an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this can't be a name: take letters, digits, `_`, `.`, `@` and `-` alone, at most {LONGEST_NAME}")]
pub struct UserNameError;

/// A local account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: UserName,
    /// What it may do at most.
    pub role: Role,
    /// Its groups, for the rules of the configuration.
    pub groups: Vec<String>,
    /// When it was made, Unix milliseconds.
    pub created: i64,
    /// When its password, role or groups were changed last, Unix milliseconds.
    pub changed: i64,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// There is one of that name already.
    #[error("there is an account `{0}` already: `sluice user passwd` and `sluice user role` change it")]
    Exists(UserName),
    /// There is none of that name.
    #[error("there is no account `{0}`: `sluice user list` shows all")]
    Missing(UserName),
    /// The database failed.
    #[error("the database said: {0}")]
    Database(#[from] rusqlite::Error),
}

impl UserName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | '-');
        let is_name = !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(fits);
        if is_name { Ok(Self(text.to_owned())) } else { Err(UserNameError) }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the name of a group. It has no comma, which separates names where several are written in a line.
///
/// # Errors
/// When it can't be one.
pub fn group(text: &str) -> Result<String, GroupError> {
    let text = text.trim();
    if is_readable(text) && !text.contains(',') { Ok(text.to_owned()) } else { Err(GroupError) }
}

/// Makes an account.
///
/// # Errors
/// When there is one of that name, or the database fails.
pub fn add(
    transaction: &Transaction<'_>,
    user: &User,
    password: &PasswordHash,
    by: &Principal,
) -> Result<(), UserError> {
    change(transaction, &user.name, by, |transaction| {
        let added = transaction.execute(
            "INSERT INTO users (name, role, groups, password, created, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
            params![
                user.name.as_str(),
                user.role.word(),
                columns::list(&user.groups),
                password.as_str(),
                user.created,
                user.changed
            ],
        )?;
        if added == 0 {
            return Err(UserError::Exists(user.name.clone()));
        }
        let groups =
            if user.groups.is_empty() { String::new() } else { format!(", groups {}", user.groups.join(", ")) };
        Ok(("user.add", format!("role {}{groups}", user.role)))
    })
}

/// Stores the same password hashed at another cost. That is no change to audit.
///
/// # Errors
/// When the database fails.
pub fn rehash(connection: &Connection, name: &UserName, password: &PasswordHash) -> Result<(), rusqlite::Error> {
    let sql = "UPDATE users SET password = ?2 WHERE name = ?1";
    connection.execute(sql, params![name.as_str(), password.as_str()]).map(|_| ())
}

/// Gives an account another role. Its sessions have it from their next request on; its streams end.
///
/// # Errors
/// When there is none of that name, or the database fails.
pub fn set_role(
    transaction: &Transaction<'_>,
    name: &UserName,
    role: Role,
    by: &Principal,
    now: i64,
) -> Result<(), UserError> {
    change(transaction, name, by, |transaction| {
        let before = find(transaction, name)?.ok_or_else(|| UserError::Missing(name.clone()))?.0.role;
        let sql = "UPDATE users SET role = ?2, changed = ?3 WHERE name = ?1";
        transaction.execute(sql, params![name.as_str(), role.word(), now])?;
        Ok(("user.role", format!("{before} to {role}")))
    })
}

/// Puts an account into these groups, and no others. Its sessions are in them from their next request on; its streams
/// end where that changes what it may see or do.
///
/// # Errors
/// When there is none of that name, or the database fails.
pub fn set_groups(
    transaction: &Transaction<'_>,
    name: &UserName,
    groups: &[String],
    by: &Principal,
    now: i64,
) -> Result<(), UserError> {
    change(transaction, name, by, |transaction| {
        let before = find(transaction, name)?.ok_or_else(|| UserError::Missing(name.clone()))?.0.groups;
        let sql = "UPDATE users SET groups = ?2, changed = ?3 WHERE name = ?1";
        transaction.execute(sql, params![name.as_str(), columns::list(groups), now])?;
        let listed = |groups: &[String]| if groups.is_empty() { "none".to_owned() } else { groups.join(", ") };
        Ok(("user.groups", format!("from {} to {}", listed(&before), listed(groups))))
    })
}

/// Removes an account, and ends its sessions.
///
/// # Errors
/// When there is none of that name, or the database fails.
pub fn remove(transaction: &Transaction<'_>, name: &UserName, by: &Principal) -> Result<(), UserError> {
    change(transaction, name, by, |transaction| {
        require_row(transaction.execute("DELETE FROM users WHERE name = ?1", [name.as_str()])?, name)?;
        let ended = end_all(transaction, name)?;
        Ok(("user.remove", format!("sessions ended: {ended}")))
    })
}

/// Every account, by name.
///
/// # Errors
/// When the database fails.
pub fn list(connection: &Connection) -> Result<Vec<User>, rusqlite::Error> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM users ORDER BY name"))?;
    statement.query_map([], user)?.collect()
}

/// One account and the hash of its password.
///
/// # Errors
/// When the database fails.
pub fn find(connection: &Connection, name: &UserName) -> Result<Option<(User, PasswordHash)>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS}, password FROM users WHERE name = ?1");
    connection.query_row(&sql, [name.as_str()], |row| Ok((user(row)?, columns::parsed(row, 5)?))).optional()
}

/// Whether there is any account.
///
/// # Errors
/// When the database fails.
pub fn has_any(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM users)", [], |row| row.get(0))
}

const COLUMNS: &str = "name, role, groups, created, changed";

fn user(row: &Row<'_>) -> Result<User, rusqlite::Error> {
    Ok(User {
        name: columns::parsed(row, 0)?,
        role: columns::parsed(row, 1)?,
        groups: columns::listed(row, 2)?,
        created: row.get(3)?,
        changed: row.get(4)?,
    })
}

/// Changes an account, and audits that with the action and the detail that `work` returns; where `work` fails nothing is
/// changed.
fn change(
    transaction: &Transaction<'_>,
    name: &UserName,
    by: &Principal,
    work: impl FnOnce(&Transaction<'_>) -> Result<(&'static str, String), UserError>,
) -> Result<(), UserError> {
    let (action, detail) = work(transaction)?;
    Ok(audit_change(transaction, by, action, name.as_str(), detail)?)
}

fn require_row(rows: usize, name: &UserName) -> Result<(), UserError> {
    if rows == 0 { Err(UserError::Missing(name.clone())) } else { Ok(()) }
}

/// Ends every session of an account, and forgets its known browsers.
fn end_all(transaction: &Transaction<'_>, name: &UserName) -> Result<usize, rusqlite::Error> {
    transaction.execute("DELETE FROM devices WHERE user = ?1", [name.as_str()])?;
    sessions::end_all_of(transaction, AccountOrigin::Local, name.as_str())
}

#[cfg(test)]
mod tests;
