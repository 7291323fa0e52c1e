//! Wall links: an address that shows the wall of some clusters, and nothing else, to a display that nobody logs in at.

use model::rights::{Grant, Pattern, Rights, Role};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::bearer_secrets;
use crate::{
    auth::{Principal, RandomError, Secret, columns, new_id},
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
pub struct Wall {
    /// Its public name.
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

/// What becomes of an address that somebody opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is good.
    Good(Wall),
    /// It was, until this moment, Unix milliseconds.
    Expired(i64),
    /// There is none, or not any more.
    Unknown,
}

/// What a link begins with.
#[derive(Clone, Debug)]
pub struct NewWall {
    /// Which display it is for.
    pub name: String,
    /// The clusters that it shows.
    pub clusters: Vec<String>,
    /// When it ends, Unix milliseconds.
    pub expires: i64,
}

/// Why a link was not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum WallError {
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

impl Wall {
    /// What its display may see.
    #[must_use]
    pub fn rights(&self) -> Rights {
        let clusters = self.clusters.iter().cloned().map(Pattern).collect();
        Rights { role: Role::Viewer, grants: Some(vec![Grant { clusters, backends: Vec::new(), actions: Vec::new() }]) }
    }
}

/// Makes a link. What opens it is given once: the path of its address.
///
/// # Errors
/// When it has no name or cluster, there are too many, or the database fails.
pub fn add(connection: &mut Connection, new: &NewWall, by: &Principal, now: i64) -> Result<(Wall, String), WallError> {
    let name = bearer_secrets::shown(&new.name, LONGEST_NAME);
    if name.is_empty() {
        return Err(WallError::NoName);
    }
    let clusters: Vec<String> =
        new.clusters.iter().map(|c| bearer_secrets::shown(c, 200)).filter(|c| !c.is_empty()).collect();
    // A grant without a cluster would be one for all of them.
    if clusters.is_empty() || clusters.len() > MOST_CLUSTERS {
        return Err(WallError::NoCluster);
    }
    let secret = Secret::random()?;
    let wall =
        Wall { id: new_id()?, name, clusters, by: by.name.clone(), created: now, expires: new.expires, opened: None };
    let transaction = bearer_secrets::begin(connection)?;
    bearer_secrets::forget(&transaction, "walls", now)?;
    let count = "SELECT count(*) FROM walls WHERE expires > ?1";
    if transaction.query_row(count, [now], |row| row.get::<_, i64>(0))? >= MOST {
        return Err(WallError::TooMany);
    }
    transaction.execute(
        "INSERT INTO walls (id, hash, name, clusters, by, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            wall.id,
            secret.hash().as_bytes(),
            wall.name,
            columns::list(&wall.clusters),
            wall.by,
            now,
            wall.expires
        ],
    )?;
    let detail = format!("wall link {}, clusters {}, until {}", wall.id, wall.clusters.join(", "), day(wall.expires));
    bearer_secrets::tell(&transaction, by, "wall.add", &wall.name, detail)?;
    transaction.commit()?;
    Ok((wall, format!("/w/{PREFIX}{}", secret.reveal())))
}

/// Ends a link.
///
/// # Errors
/// When there is none of that name, or the database fails.
pub fn remove(connection: &mut Connection, id: &str, by: &Principal) -> Result<Wall, WallError> {
    let transaction = bearer_secrets::begin(connection)?;
    let sql = format!("SELECT {COLUMNS} FROM walls WHERE id = ?1");
    let found = transaction.query_row(&sql, [id], wall).optional()?;
    let wall = found.ok_or_else(|| WallError::Missing(bearer_secrets::named(id)))?;
    transaction.execute("DELETE FROM walls WHERE id = ?1", [&wall.id])?;
    bearer_secrets::tell(&transaction, by, "wall.remove", &wall.name, format!("wall link {}", wall.id))?;
    transaction.commit()?;
    Ok(wall)
}

/// Every link; those that were made last first.
///
/// # Errors
/// When the database fails.
pub fn list(connection: &Connection) -> Result<Vec<Wall>, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM walls ORDER BY created DESC, id");
    connection.prepare(&sql)?.query_map([], wall)?.collect()
}

/// What a text opens, `slw_...` as it stands in the address and in the cookie.
///
/// # Errors
/// When the database fails.
pub fn find(connection: &Connection, text: &str, now: i64) -> Result<Found, rusqlite::Error> {
    match text.strip_prefix(PREFIX).and_then(Secret::parse) {
        Some(secret) => one(connection, "hash = ?1", &secret.hash().as_bytes(), now),
        None => Ok(Found::Unknown),
    }
}

/// The link of that public name.
///
/// # Errors
/// When the database fails.
pub fn by_id(connection: &Connection, id: &str, now: i64) -> Result<Found, rusqlite::Error> {
    one(connection, "id = ?1", &id, now)
}

/// Notes that a display opened it.
///
/// # Errors
/// When the database fails.
pub fn opened(connection: &Connection, wall: &Wall, now: i64) -> Result<(), rusqlite::Error> {
    connection.execute("UPDATE walls SET opened = ?2 WHERE id = ?1", params![wall.id, now]).map(|_| ())
}

const COLUMNS: &str = "id, name, clusters, by, created, expires, opened";

fn one(
    connection: &Connection,
    condition: &str,
    value: &dyn rusqlite::ToSql,
    now: i64,
) -> Result<Found, rusqlite::Error> {
    let sql = format!("SELECT {COLUMNS} FROM walls WHERE {condition}");
    Ok(match connection.prepare(&sql)?.query_row([value], wall).optional()? {
        Some(wall) if wall.expires > now => Found::Good(wall),
        Some(wall) => Found::Expired(wall.expires),
        None => Found::Unknown,
    })
}

fn wall(row: &Row<'_>) -> Result<Wall, rusqlite::Error> {
    Ok(Wall {
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
