//! Wall links: an address that shows the wall of some clusters, and nothing else, on a display that nobody logs in at.

use model::rights::{Grant, Pattern, Rights, Role};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::{
    auth::{
        Principal, RandomError, Secret,
        changes::{audit_change, one_line, purge_expired, quotable_id},
        columns, new_id,
    },
    clock::day,
};

/// What a link's secret begins with.
pub const PREFIX: &str = "slw_";

/// Wall links at once; a control room has a dozen displays.
const MOST: i64 = 200;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// The most clusters of one link.
const MOST_CLUSTERS: usize = 50;

/// A wall link as lists show it; nothing in it opens anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallLink {
    /// Its id.
    pub id: String,
    /// Which display it is for.
    pub name: String,
    /// The clusters that it shows, by name or pattern; at least one.
    pub clusters: Vec<String>,
    /// Who made it.
    pub by: String,
    /// When it was made, Unix milliseconds.
    pub created: i64,
    /// When it ends, Unix milliseconds.
    pub expires: i64,
    /// When a display opened it last, Unix milliseconds.
    pub opened: Option<i64>,
}

/// What a look-up of a wall link finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WallLinkLookup {
    /// One that is valid.
    Valid(WallLink),
    /// One that expired at this moment, Unix milliseconds.
    Expired(i64),
    /// None, or none any more.
    Unknown,
}

/// A link to make.
#[derive(Clone, Debug)]
pub struct NewWallLink {
    /// Which display it is for.
    pub name: String,
    /// The clusters that it shows.
    pub clusters: Vec<String>,
    /// When it ends, Unix milliseconds.
    pub expires: i64,
}

/// Why a link was not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum WallLinkError {
    /// No name.
    #[error("a wall link needs a name, which says where the display is")]
    NoName,
    /// No cluster.
    #[error("a wall link needs a cluster to show, {MOST_CLUSTERS} at most; `*` is all of them")]
    NoCluster,
    /// There are enough.
    #[error("there are {MOST} wall links already: end those that no display shows")]
    TooMany,
    /// There is no such link.
    #[error("there is no wall link {0:?}")]
    Missing(String),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The database failed.
    #[error("the database said: {0}")]
    Database(#[from] rusqlite::Error),
}

impl WallLink {
    /// What its display may see.
    #[must_use]
    pub fn rights(&self) -> Rights {
        let clusters = self.clusters.iter().cloned().map(Pattern).collect();
        Rights { role: Role::Viewer, grants: Some(vec![Grant { clusters, backends: Vec::new(), actions: Vec::new() }]) }
    }
}

/// Makes a link. The path of its address, which holds its secret, is returned this once.
///
/// # Errors
/// When it has no name or cluster, there are too many, or the database fails.
pub fn add(
    transaction: &Transaction<'_>,
    new: &NewWallLink,
    by: &Principal,
    now: i64,
) -> Result<(WallLink, String), WallLinkError> {
    let name = one_line(&new.name, LONGEST_NAME);
    if name.is_empty() {
        return Err(WallLinkError::NoName);
    }
    let clusters: Vec<String> = new.clusters.iter().map(|c| one_line(c, 200)).filter(|c| !c.is_empty()).collect();
    // A grant without clusters would be one for all of them.
    if clusters.is_empty() || clusters.len() > MOST_CLUSTERS {
        return Err(WallLinkError::NoCluster);
    }
    let secret = Secret::random()?;
    let link = WallLink {
        id: new_id()?,
        name,
        clusters,
        by: by.name.clone(),
        created: now,
        expires: new.expires,
        opened: None,
    };
    purge_expired(transaction, "walls", now)?;
    let count = "SELECT count(*) FROM walls WHERE expires > ?1";
    if transaction.query_row(count, [now], |row| row.get::<_, i64>(0))? >= MOST {
        return Err(WallLinkError::TooMany);
    }
    transaction.execute(
        "INSERT INTO walls (id, hash, name, clusters, by, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            link.id,
            secret.hash().as_bytes(),
            link.name,
            columns::list(&link.clusters),
            link.by,
            now,
            link.expires
        ],
    )?;
    let detail = format!("wall link {}, clusters {}, until {}", link.id, link.clusters.join(", "), day(link.expires));
    audit_change(transaction, by, "wall.add", &link.name, detail)?;
    Ok((link, format!("/w/{PREFIX}{}", secret.reveal())))
}

/// Ends a link.
///
/// # Errors
/// When there is none of that id, or the database fails.
pub fn remove(transaction: &Transaction<'_>, id: &str, by: &Principal) -> Result<WallLink, WallLinkError> {
    let sql = format!("SELECT {COLUMNS} FROM walls WHERE id = ?1");
    let found = transaction.query_row(&sql, [id], wall_link).optional()?;
    let link = found.ok_or_else(|| WallLinkError::Missing(quotable_id(id)))?;
    transaction.execute("DELETE FROM walls WHERE id = ?1", [&link.id])?;
    audit_change(transaction, by, "wall.remove", &link.name, format!("wall link {}", link.id))?;
    Ok(link)
}

/// Every link; those that were made last first.
///
/// # Errors
/// When the database fails.
pub fn list(connection: &Connection) -> Result<Vec<WallLink>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM walls ORDER BY created DESC, id");
    connection.prepare(&sql)?.query_map([], wall_link)?.collect()
}

/// The link of a secret, `slw_...` as it is in the address and in the cookie.
///
/// # Errors
/// When the database fails.
pub fn find(connection: &Connection, text: &str, now: i64) -> Result<WallLinkLookup, rusqlite::Error> {
    match text.strip_prefix(PREFIX).and_then(Secret::parse) {
        Some(secret) => one(connection, "hash = ?1", &secret.hash().as_bytes(), now),
        None => Ok(WallLinkLookup::Unknown),
    }
}

/// The link of that id.
///
/// # Errors
/// When the database fails.
pub fn by_id(connection: &Connection, id: &str, now: i64) -> Result<WallLinkLookup, rusqlite::Error> {
    one(connection, "id = ?1", &id, now)
}

/// Writes that a display opened a link.
///
/// # Errors
/// When the database fails.
pub fn note_opened(connection: &Connection, link: &WallLink, now: i64) -> Result<(), rusqlite::Error> {
    connection.execute("UPDATE walls SET opened = ?2 WHERE id = ?1", params![link.id, now]).map(|_| ())
}

const COLUMNS: &str = "id, name, clusters, by, created, expires, opened";

fn one(
    connection: &Connection,
    condition: &str,
    value: &dyn rusqlite::ToSql,
    now: i64,
) -> Result<WallLinkLookup, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM walls WHERE {condition}");
    Ok(match connection.prepare(&sql)?.query_row([value], wall_link).optional()? {
        Some(link) if link.expires > now => WallLinkLookup::Valid(link),
        Some(link) => WallLinkLookup::Expired(link.expires),
        None => WallLinkLookup::Unknown,
    })
}

fn wall_link(row: &Row<'_>) -> Result<WallLink, rusqlite::Error> {
    Ok(WallLink {
        id: row.get(0)?,
        name: row.get(1)?,
        clusters: columns::listed(row, 2)?,
        by: row.get(3)?,
        created: row.get(4)?,
        expires: row.get(5)?,
        opened: row.get(6)?,
    })
}

#[cfg(test)]
mod tests;
