//! Another password for an account, whoever gives it. What was opened with the old one ends.

use rusqlite::{Transaction, params};

use super::{
    AccountOrigin, PasswordHash, Principal, UserError, UserName,
    authn::{
        sessions,
        tokens::{self, Token},
    },
    changes::audit_change,
};

/// Gives an account another password, ends its sessions and tokens, and forgets its known browsers: whoever had the old
/// one may have made a token of their own. The tokens that ended are returned.
///
/// # Errors
/// When there is none of that name, or the database fails.
pub fn set_password(
    transaction: &Transaction<'_>,
    name: &UserName,
    password: &PasswordHash,
    by: &Principal,
    now: i64,
) -> Result<Vec<Token>, UserError> {
    let tokens = tokens::list(transaction, Some(name))?;
    transaction.execute("DELETE FROM tokens WHERE user = ?1", [name.as_str()])?;
    update(transaction, name, password, by, now, &tokens)?;
    Ok(tokens)
}

/// The same, with its tokens kept.
///
/// # Errors
/// When there is none of that name, or the database fails.
pub fn set_password_only(
    transaction: &Transaction<'_>,
    name: &UserName,
    password: &PasswordHash,
    by: &Principal,
    now: i64,
) -> Result<(), UserError> {
    update(transaction, name, password, by, now, &[])
}

fn update(
    transaction: &Transaction<'_>,
    name: &UserName,
    password: &PasswordHash,
    by: &Principal,
    now: i64,
    ended: &[Token],
) -> Result<(), UserError> {
    let sql = "UPDATE users SET password = ?2, changed = ?3 WHERE name = ?1";
    if transaction.execute(sql, params![name.as_str(), password.as_str(), now])? == 0 {
        return Err(UserError::Missing(name.clone()));
    }
    transaction.execute("DELETE FROM devices WHERE user = ?1", [name.as_str()])?;
    let sessions = sessions::end_all_of(transaction, AccountOrigin::Local, name.as_str())?;
    let mut detail = format!("sessions ended: {sessions}");
    if !ended.is_empty() {
        detail += &format!("; tokens ended: {}", listed(ended));
    }
    Ok(audit_change(transaction, by, "user.passwd", name.as_str(), detail)?)
}

/// Tokens as a person knows them: `nightly report (3f2a…), deploys (77b0…)`.
#[must_use]
pub fn listed(tokens: &[Token]) -> String {
    let one = |token: &Token| match token.note.as_str() {
        "" => token.id.clone(),
        note => format!("{note} ({})", token.id),
    };
    tokens.iter().map(one).collect::<Vec<_>>().join(", ")
}
