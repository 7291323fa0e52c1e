//! The migrations in order, and a database of before there were any: recorded from that Sluice, with what it exported of the
//! audit log. It was made on a real HAProxy by its commands and over HTTP.

use std::{fs, path::Path};

use futures::TryStreamExt as _;
use model::audit::COLUMNS;
use rusqlite::Connection;
use tempfile::TempDir;

use super::MIGRATIONS;
use crate::{
    audit::{AuditLog, Entry, EntryView, ExportFormat, Filter, Head, Kind, by_sluice, verify},
    auth::{
        authn::{tokens, wall_links},
        users,
    },
    db::{Database, connect, open_read_only},
};

const DATABASE: &[u8] = include_bytes!("testdata/version-0.db");
const CSV: &str = include_str!("testdata/version-0.csv");
const JSONL: &str = include_str!("testdata/version-0.jsonl");

/// What `sluice audit verify` said of it then.
const HEAD: &str = "23:5b82842bc9de2e0c4a3951c893080cc6a98162cdc85e5053a67d3ca49a201798";

fn recorded() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("sluice.db"), DATABASE).expect("written");
    dir
}

fn head() -> Head {
    HEAD.parse().expect("a head")
}

fn version(connection: &Connection) -> i64 {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version")
}

async fn export(audit: &AuditLog, format: ExportFormat) -> String {
    let parts: Vec<Vec<u8>> =
        audit.all(Filter::default()).map_ok(|some| format.lines(some)).try_collect().await.expect("read");
    String::from_utf8([vec![format.head()], parts].concat().concat()).expect("text")
}

/// The numbers of the entries that have this text, newest first.
async fn ids(audit: &AuditLog, name: &str, text: &str) -> Vec<i64> {
    let mut filter = Filter::default();
    assert!(filter.texts.set(name, text), "{name}");
    audit.page(&filter, None, 100).await.expect("read").entries.iter().map(|entry| entry.id).collect()
}

#[test]
fn migrations_are_numbered_without_a_gap_and_make_every_column() {
    assert!(MIGRATIONS.iter().map(|migration| migration.version).eq(1..=2));
    let dir = tempfile::tempdir().expect("a folder");
    let connection = connect(dir.path(), MIGRATIONS).expect("made");
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info('record')").expect("SQL");
    let names: Vec<String> =
        statement.query_map([], |row| row.get(0)).expect("names").map(|n| n.expect("a name")).collect();
    for name in ["id", "at", "hash"].into_iter().chain(COLUMNS.map(|column| column.name)) {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    assert_eq!(names.len(), COLUMNS.len() + 3);
}

#[tokio::test]
async fn a_database_of_before_versions_were_counted_opens_verifies_and_goes_on() {
    let dir = recorded();
    let database = Database::open(dir.path(), MIGRATIONS).expect("migrated");
    assert_eq!(database.read(|c| Ok(version(c))).await.expect("read"), 2);
    let verified = database.read(|c| Ok(verify(c, Some(&head())))).await.expect("read").expect("as it was written");
    assert_eq!((verified.entries, verified.head), (23, head()));

    // Every byte of an export is what it was, and every word finds what it found.
    let audit = AuditLog::new(database.clone());
    assert_eq!(export(&audit, ExportFormat::Csv).await, CSV);
    assert_eq!(export(&audit, ExportFormat::Jsonl).await, JSONL);
    for (name, text, expected) in [
        ("kind", "refusal", vec![23, 19, 16, 15]),
        ("kind", "configuration", vec![21, 7]),
        ("kind", "outcome", vec![18, 14, 12]),
        ("outcome", "done", vec![22, 20, 18, 14, 12, 10, 8, 6, 5, 4, 3, 2, 1]),
        ("outcome", "refused", vec![9]),
        ("action", "drain", vec![12, 11]),
        ("target", "LB1/web/s2", vec![23, 18, 17]),
        ("who", "vera", vec![19, 16, 10]),
        ("address", "127.0.0.1", (1..=23).rev().filter(|id| ![7, 21].contains(id)).collect()),
    ] {
        assert_eq!(ids(&audit, name, text).await, expected, "{name}={text}");
    }
    let outcome = audit.page(&Filter::default(), Some(13), 1).await.expect("read").entries.remove(0);
    let outcome = EntryView::from(outcome).outcomes.remove(0);
    assert_eq!((outcome.target.as_str(), outcome.after.as_str()), ("lb1/web/s1", "DRAIN"));

    // Accounts, tokens and links are there too.
    let listed = database.read(|c| Ok((users::list(c)?, tokens::list(c, None)?, wall_links::list(c)?)));
    let (users, tokens, walls) = listed.await.expect("read");
    let users: Vec<String> = users.iter().map(|user| format!("{} {}", user.name, user.role)).collect();
    assert_eq!(users, ["anna admin", "otto operator", "vera viewer"]);
    assert_eq!((tokens.len(), tokens[0].note.as_str()), (1, "deploy script"));
    assert_eq!((walls.len(), walls[0].name.as_str()), (1, "noc"));

    // The chain goes on.
    audit.append(Entry { reason: "after".into(), ..by_sluice(Kind::Denial, "test") }).await.expect("written");
    let verified = database.read(|c| Ok(verify(c, Some(&head())))).await.expect("read").expect("as it was written");
    assert_eq!(verified.entries, 24);
    assert_eq!(ids(&audit, "kind", "refusal").await, [24, 23, 19, 16, 15]);
}

/// A command that only reads says the same of it, and leaves it as it is.
#[test]
fn a_database_of_before_versions_were_counted_is_verified_without_being_migrated() {
    let dir = recorded();
    let connection = open_read_only(dir.path(), MIGRATIONS).expect("opens");
    assert_eq!(version(&connection), 0);
    assert_eq!(verify(&connection, Some(&head())).expect("as it was written").entries, 23);
    drop(connection);
    assert_eq!(fs::read(Path::join(dir.path(), "sluice.db")).expect("read"), DATABASE);
}

#[test]
fn a_command_migrates_it_unless_somebody_has_it_open() {
    let dir = recorded();
    // As the Sluice that made it would: it knows of no version.
    let running = Connection::open(dir.path().join("sluice.db")).expect("opens");
    running.query_row("SELECT count(*) FROM users", [], |row| row.get::<_, i64>(0)).expect("a count");
    let words = connect(dir.path(), MIGRATIONS).expect_err("in use").to_string();
    assert!(words.contains("another process has the file open"), "{words}");
    drop(running);
    assert_eq!(version(&connect(dir.path(), MIGRATIONS).expect("migrated")), 2);
}
