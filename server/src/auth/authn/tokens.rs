//! API tokens: what a script sends in place of a log-in.
//!
//! A token belongs to a local account, and ends with it. It never does more than the account may at that moment; with the
//! scope `read` it only looks. Its hash is stored here, and what a list of tokens shows.

use std::{fmt, str::FromStr};

use model::rights::Role;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::{
    auth::{
        Principal, RandomError, Secret, UserName,
        changes::{audit_change, one_line, purge_expired, quotable_id},
        columns, new_id,
    },
    clock::day,
};

/// What a token begins with, so that one that leaked is recognised, by people and by secret scanners.
pub const PREFIX: &str = "slt_";

/// Tokens of one account; whoever needs more has forgotten some.
const MOST: i64 = 50;

/// How often the last use is written: more often would write to the disk for every request.
const TOUCH: i64 = 60_000;

/// The longest note, in characters.
const LONGEST_NOTE: usize = 80;

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// To look, whatever its account may do.
    Read,
    /// For all that its account may do, but to change accounts.
    Act,
}

/// A word that names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {0:?}: it is read or act")]
pub struct ScopeError(String);

/// A token as lists show it; nothing in it opens anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Its account.
    pub user: UserName,
    /// What it may be used for.
    pub scope: Scope,
    /// What it is for, in its owner's words.
    pub note: String,
    /// When it was made, Unix milliseconds.
    pub created: i64,
    /// When it ends, Unix milliseconds.
    pub expires: i64,
    /// When it was used last, to the minute, Unix milliseconds; nothing where it never was.
    pub used: Option<i64>,
}

/// A token that is valid at this moment, with what its account may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidToken {
    /// The token.
    pub token: Token,
    /// Its account's role.
    pub role: Role,
    /// Its account's groups.
    pub groups: Vec<String>,
}

/// A token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its account.
    pub user: UserName,
    /// What it may be used for.
    pub scope: Scope,
    /// What it is for.
    pub note: String,
    /// When it ends, Unix milliseconds.
    pub expires: i64,
}

/// Why a token was not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is no such account.
    #[error("there is no account `{0}`: tokens are for local accounts, which `sluice user list` shows")]
    NoUser(UserName),
    /// There are enough.
    #[error("`{0}` has {MOST} tokens already: end those that nobody uses")]
    TooMany(UserName),
    /// There is no such token.
    #[error("there is no token {0:?}")]
    Missing(String),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The database failed.
    #[error("the database said: {0}")]
    Database(#[from] rusqlite::Error),
}

impl Scope {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let scope = [Self::Read, Self::Act].into_iter().find(|scope| scope.word() == text);
        scope.ok_or_else(|| ScopeError(text.chars().take(20).collect()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Makes a token. Its secret, the whole text that a script sends, is returned this once.
///
/// # Errors
/// When there is no such account, it has too many, or the database fails.
pub fn add(
    transaction: &Transaction<'_>,
    new: &NewToken,
    by: &Principal,
    now: i64,
) -> Result<(Token, String), TokenError> {
    let secret = Secret::random()?;
    let token = Token {
        id: new_id()?,
        user: new.user.clone(),
        scope: new.scope,
        note: one_line(&new.note, LONGEST_NOTE),
        created: now,
        expires: new.expires,
        used: None,
    };
    purge_expired(transaction, "tokens", now)?;
    let user = token.user.as_str();
    if !transaction.query_row("SELECT EXISTS (SELECT 1 FROM users WHERE name = ?1)", [user], |row| row.get(0))? {
        return Err(TokenError::NoUser(token.user));
    }
    let sql = "SELECT count(*) FROM tokens WHERE user = ?1 AND expires > ?2";
    if transaction.query_row(sql, params![user, now], |row| row.get::<_, i64>(0))? >= MOST {
        return Err(TokenError::TooMany(token.user));
    }
    transaction.execute(
        "INSERT INTO tokens (id, hash, user, scope, note, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![token.id, secret.hash().as_bytes(), user, token.scope.word(), token.note, now, token.expires],
    )?;
    let note = if token.note.is_empty() { String::new() } else { format!(", for {:?}", token.note) };
    let detail = format!("token {}, scope {}{note}, until {}", token.id, token.scope, day(token.expires));
    audit_change(transaction, by, "token.add", token.user.as_str(), detail)?;
    Ok((token, format!("{PREFIX}{}", secret.reveal())))
}

/// Ends a token. With `of` only where it is that account's.
///
/// # Errors
/// When there is no such token, or the database fails.
pub fn remove(
    transaction: &Transaction<'_>,
    id: &str,
    of: Option<&UserName>,
    by: &Principal,
) -> Result<Token, TokenError> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE id = ?1 AND (?2 IS NULL OR user = ?2)");
    let found = transaction.query_row(&sql, params![id, of.map(UserName::as_str)], token).optional()?;
    let token = found.ok_or_else(|| TokenError::Missing(quotable_id(id)))?;
    transaction.execute("DELETE FROM tokens WHERE id = ?1", [&token.id])?;
    audit_change(transaction, by, "token.remove", token.user.as_str(), format!("token {}", token.id))?;
    Ok(token)
}

/// The tokens of everybody, or of one account; those that were made last first.
///
/// # Errors
/// When the database fails.
pub fn list(connection: &Connection, of: Option<&UserName>) -> Result<Vec<Token>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE ?1 IS NULL OR user = ?1 ORDER BY created DESC, id");
    connection.prepare(&sql)?.query_map([of.map(UserName::as_str)], token)?.collect()
}

/// The token of a secret, where it is valid now; writes that it was used.
///
/// # Errors
/// When the database fails.
pub fn find(connection: &Connection, text: &str, now: i64) -> Result<Option<ValidToken>, rusqlite::Error> {
    let Some(secret) = text.strip_prefix(PREFIX).and_then(Secret::parse) else { return Ok(None) };
    let valid = one(connection, "hash = ?2", &secret.hash().as_bytes(), now)?;
    if let Some(ValidToken { token, .. }) = &valid
        && token.used.is_none_or(|used| now - used >= TOUCH)
        && let Err(error) = connection.execute("UPDATE tokens SET used = ?2 WHERE id = ?1", params![token.id, now])
    {
        // Scripts go on while the disk is full.
        tracing::debug!(%error, "cannot note that a token was used");
    }
    Ok(valid)
}

/// The token of that id, where it is valid now.
///
/// # Errors
/// When the database fails.
pub fn by_id(connection: &Connection, id: &str, now: i64) -> Result<Option<ValidToken>, rusqlite::Error> {
    one(connection, "id = ?2", &id, now)
}

/// Every token that is valid now.
///
/// # Errors
/// When the database fails.
pub fn list_valid(connection: &Connection, now: i64) -> Result<Vec<ValidToken>, rusqlite::Error> {
    connection.prepare(&select_valid())?.query_map([now], valid_token)?.collect()
}

const COLUMNS: &str = "tokens.id, tokens.user, tokens.scope, tokens.note, tokens.created, tokens.expires, tokens.used";

fn one(
    connection: &Connection,
    condition: &str,
    value: &dyn rusqlite::ToSql,
    now: i64,
) -> Result<Option<ValidToken>, rusqlite::Error> {
    let sql = format!("{} AND tokens.{condition}", select_valid());
    connection.prepare(&sql)?.query_row(params![now, value], valid_token).optional()
}

fn select_valid() -> String {
    format!(
        "SELECT {COLUMNS}, users.role, users.groups FROM tokens JOIN users ON users.name = tokens.user
         WHERE tokens.expires > ?1"
    )
}

fn valid_token(row: &Row<'_>) -> Result<ValidToken, rusqlite::Error> {
    let token = token(row)?;
    Ok(ValidToken { token, role: columns::parsed(row, 7)?, groups: columns::listed(row, 8)? })
}

fn token(row: &Row<'_>) -> Result<Token, rusqlite::Error> {
    Ok(Token {
        id: row.get(0)?,
        user: columns::parsed(row, 1)?,
        scope: columns::parsed(row, 2)?,
        note: row.get(3)?,
        created: row.get(4)?,
        expires: row.get(5)?,
        used: row.get(6)?,
    })
}

#[cfg(test)]
mod tests;
