//! Browsers that an account logged in from before, known by a device cookie: failed log-ins of others behind the same
//! address don't delay them.
//!
//! The cookie holds random bytes, of which the hash is stored. It opens nothing: the password is asked for all the same.

use rusqlite::{Connection, params};

use crate::auth::{Secret, SecretHash, UserName};

/// How long a browser stays known after its last log-in, milliseconds: 400 days, the longest that browsers keep a cookie.
pub const LASTS: i64 = 400 * 24 * 60 * 60 * 1_000;

/// Known browsers of one account; with one more, the one that logged in longest ago is forgotten.
const MOST: u32 = 20;

/// Whether any account logged in from that browser before: then it keeps its cookie, which several people may share. A
/// cookie that no account is known by gets replaced: an attacker may have put it there to be known by it later.
///
/// # Errors
/// When the database fails.
pub fn is_known(connection: &Connection, device: SecretHash, now: i64) -> Result<bool, rusqlite::Error> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM devices WHERE hash = ?1 AND used > ?2)",
        params![device.as_bytes(), now - LASTS],
        |row| row.get(0),
    )
}

/// Whether this account logged in from that browser before.
///
/// # Errors
/// When the database fails.
pub fn is_known_to(
    connection: &Connection,
    name: &UserName,
    device: SecretHash,
    now: i64,
) -> Result<bool, rusqlite::Error> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM devices WHERE user = ?1 AND hash = ?2 AND used > ?3)",
        params![name.as_str(), device.as_bytes(), now - LASTS],
        |row| row.get(0),
    )
}

/// Remembers that an account logged in from that browser.
///
/// # Errors
/// When the database fails.
pub fn remember(connection: &Connection, name: &UserName, device: &Secret, now: i64) -> Result<(), rusqlite::Error> {
    connection.execute(
        "INSERT INTO devices (user, hash, used) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET used = excluded.used",
        params![name.as_str(), device.hash().as_bytes(), now],
    )?;
    connection.execute(
        "DELETE FROM devices WHERE user = ?1 AND (used <= ?2 OR hash NOT IN
         (SELECT hash FROM devices WHERE user = ?1 ORDER BY used DESC LIMIT ?3))",
        params![name.as_str(), now - LASTS, MOST],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_to_its_account_until_others_took_its_place() {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch(crate::auth::SCHEMA).expect("tables");
        let [anna, ben]: [UserName; 2] = ["anna", "ben"].map(|name| name.parse().expect("a name"));
        let secret = || Secret::random().expect("random bytes");
        let device = secret();
        let known = |name, now| is_known_to(&connection, name, device.hash(), now).expect("answered");
        assert!(!known(&anna, 0));
        remember(&connection, &anna, &device, 0).expect("remembered");
        assert!(known(&anna, LASTS - 1) && !known(&anna, LASTS) && !known(&ben, 1));
        for at in 1..MOST {
            remember(&connection, &anna, &secret(), i64::from(at)).expect("remembered");
        }
        assert!(known(&anna, 1_000));
        remember(&connection, &anna, &device, 1_000).expect("remembered again");
        remember(&connection, &anna, &secret(), 1_001).expect("remembered");
        assert!(known(&anna, 1_002), "used a moment ago");
        for at in 0..MOST {
            remember(&connection, &anna, &secret(), 2_000 + i64::from(at)).expect("remembered");
        }
        assert!(!known(&anna, 3_000));
    }
}
