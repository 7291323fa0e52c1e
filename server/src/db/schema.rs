//! Whether the tables of a file are those that the migrations make: triggers keep the audit log append-only, so that what
//! was changed about them from outside has to be told.

use rusqlite::Connection;

use super::migrations::{Migration, migrate, version};

/// Everything that a file declares: kind, name, table, and the text that declared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schema(Vec<[String; 4]>);

impl Schema {
    /// What a file has. SQLite's own indexes are among it: their names would hide others.
    pub(super) fn of(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let sql = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name";
        let mut statement = connection.prepare(sql)?;
        let object = |row: &rusqlite::Row<'_>| {
            let sql: String = row.get(3)?;
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, sql.split_whitespace().collect::<Vec<_>>().join(" ")])
        };
        Ok(Self(statement.query_map([], object)?.collect::<Result<_, _>>()?))
    }

    /// What the migrations up to a version make. A file from before versions were counted has what the first one makes.
    pub(super) fn expected(migrations: &[Migration], version: i64) -> Result<Self, rusqlite::Error> {
        let made: Vec<Migration> = migrations.iter().filter(|m| m.version <= version.max(1)).copied().collect();
        let mut memory = Connection::open_in_memory()?;
        migrate(&mut memory, &made)?;
        Self::of(&memory)
    }

    /// What `found` has otherwise than this, in a few words; nothing where they are the same.
    pub(super) fn difference(&self, found: &Self) -> Option<String> {
        let named = |all: &Self, [kind, name, ..]: &[String; 4]| {
            all.0.iter().find(|[other_kind, other_name, ..]| other_kind == kind && other_name == name).cloned()
        };
        let expected = self.0.iter().find_map(|object| {
            let [kind, name, ..] = object;
            match named(found, object) {
                None => Some(format!("the {kind} {name} is missing")),
                Some(other) if other != *object => Some(format!("the {kind} {name} is another one")),
                Some(_) => None,
            }
        });
        let added = found.0.iter().find(|object| named(self, object).is_none());
        expected.or_else(|| added.map(|[kind, name, table, _]| format!("the {kind} {name} on {table} is not Sluice's")))
    }
}

/// What the tables of a file have otherwise than the migrations up to its version make; nothing where they are as they
/// should be.
///
/// # Errors
/// What SQLite said.
pub fn schema_difference(connection: &Connection, migrations: &[Migration]) -> Result<Option<String>, rusqlite::Error> {
    let expected = Schema::expected(migrations, version(connection)?)?;
    Ok(expected.difference(&Schema::of(connection)?))
}
