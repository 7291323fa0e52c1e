//! What somebody does to the database who can write it: no operation is carried out that would not be kept, and the answer
//! says why.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use model::rights::Role;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::{
    db::{self, DatabaseError},
    schema::MIGRATIONS,
    web::middleware::authorize::tests::{ask, shown},
};

const DRAIN: &str = r#"{"action":"drain","targets":[{"backend":"be_http","server":"s1"}]}"#;

async fn with_file() -> (TempDir, AppState) {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(dir.path(), MIGRATIONS).expect("opens");
    for role in Role::ALL {
        testing::add(&database, role.word(), role).await;
    }
    let state = state_of(database, testing::setup()).await;
    (dir, state)
}

fn path(dir: &TempDir) -> std::path::PathBuf {
    dir.path().join("sluice.db")
}

/// The status of an operation, and what is said.
async fn act(state: &AppState, cookie: &Option<(axum::http::HeaderName, String)>) -> (StatusCode, String) {
    let response = ask(state, "POST /api/v1/actions", DRAIN, cookie.clone()).await;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// How often an operation was begun.
fn begun(dir: &TempDir) -> i64 {
    let connection = Connection::open(path(dir)).expect("opens");
    let count = connection.query_row("SELECT count(*) FROM record WHERE kind = 'operation'", [], |row| row.get(0));
    count.unwrap_or(0)
}

#[tokio::test]
async fn tables_that_something_else_changed_take_no_entry() {
    for (sql, told) in [
        ("ALTER TABLE record RENAME COLUMN reason TO why", "the table record is another one"),
        (
            "DROP TRIGGER record_is_not_changed; DROP TRIGGER record_keeps_what_is_new; DROP TRIGGER record_is_in_order;
             DROP TRIGGER record_head_follows; DROP TRIGGER record_head_is_the_newest; DROP TRIGGER record_anchor_goes_on;
             DROP INDEX record_configuration;
             ALTER TABLE record RENAME TO hidden; CREATE VIEW record AS SELECT * FROM hidden",
            "is missing",
        ),
        (
            "CREATE TRIGGER quiet BEFORE INSERT ON record BEGIN SELECT RAISE(IGNORE); END",
            "the trigger quiet on record is not Sluice's",
        ),
        ("DROP TRIGGER record_is_not_changed", "the trigger record_is_not_changed is missing"),
        // A name that SQLite gives nobody else.
        (
            "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_quiet', 'record', 0,
             'CREATE TRIGGER sqlite_quiet AFTER INSERT ON record BEGIN DELETE FROM tokens; END')",
            "the trigger sqlite_quiet on record is not Sluice's",
        ),
    ] {
        let (dir, state) = with_file().await;
        let operator = shown(&state, "operator").await;
        assert_eq!(act(&state, &operator).await.0, StatusCode::OK);
        Connection::open(path(&dir)).expect("opens").execute_batch(sql).expect(sql);
        let (status, text) = act(&state, &operator).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{sql}");
        assert!(text.contains(told) && text.contains("sluice audit verify"), "{text}");
        // The form says it too, and looking goes on.
        let form = ask(&state, "POST /stats", "do=ready&s=lb1/be_http/s1", operator.clone()).await;
        let page = to_bytes(form.into_body(), usize::MAX).await.expect("a page");
        assert!(String::from_utf8_lossy(&page).contains(told), "{sql}");
        assert_eq!(ask(&state, "GET /stats", "", operator).await.status(), StatusCode::OK);
        // Neither is it opened again like that.
        let error = db::connect(dir.path(), MIGRATIONS).expect_err("altered").to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn head_and_anchor_can_not_be_replaced() {
    let (dir, state) = with_file().await;
    let operator = shown(&state, "operator").await;
    for table in ["record_head", "record_anchor"] {
        let sql = format!("REPLACE INTO {table} VALUES (1, 0, x'')");
        Connection::open(path(&dir)).expect("opens").execute_batch(&sql).expect_err("append-only");
    }
    assert_eq!(act(&state, &operator).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_was_undone_is_used_again() {
    let (dir, state) = with_file().await;
    let operator = shown(&state, "operator").await;
    let execute = |sql: &str| Connection::open(path(&dir)).expect("opens").execute_batch(sql).expect("done");
    execute("CREATE INDEX mine ON record (who)");
    assert_eq!(act(&state, &operator).await.0, StatusCode::SERVICE_UNAVAILABLE);
    execute("DROP INDEX mine");
    assert_eq!(act(&state, &operator).await.0, StatusCode::OK);
    execute("PRAGMA user_version = 1");
    let (status, text) = act(&state, &operator).await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && text.contains("not marked as version"), "{text}");
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().expect("some");
    execute(&format!("PRAGMA user_version = {newest}"));
    assert_eq!(act(&state, &operator).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_file_that_is_removed_or_exchanged_takes_no_entry() {
    let remove = |path: &Path| fs::remove_file(path).expect("removed");
    let exchange = |path: &Path| {
        let copy = path.with_extension("copy");
        fs::copy(path, &copy).expect("copied");
        fs::rename(copy, path).expect("exchanged");
    };
    let beside = |path: &Path, ending| path.with_file_name(format!("sluice.db-{ending}"));
    let remove_log = |path: &Path| remove(&beside(path, "wal"));
    let remove_index = |path: &Path| remove(&beside(path, "shm"));
    for change in [&remove as &dyn Fn(&Path), &exchange, &remove_log, &remove_index] {
        let (dir, state) = with_file().await;
        let operator = shown(&state, "operator").await;
        assert_eq!(act(&state, &operator).await.0, StatusCode::OK);
        let before = begun(&dir);
        change(&path(&dir));
        let (status, text) = act(&state, &operator).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
        assert!(text.contains("removed or exchanged") && text.contains("start Sluice again"), "{text}");
        assert!(begun(&dir) <= before);
    }
}

#[tokio::test]
async fn loose_files_are_mended_or_refused_with_what_mends_them() {
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    let (dir, state) = with_file().await;
    drop(state);
    mode(dir.path(), 0o777);
    let error = db::connect(dir.path(), MIGRATIONS).expect_err("loose");
    assert!(matches!(error, DatabaseError::Loose { .. }), "{error:?}");
    assert!(error.to_string().contains("chmod 700"), "{error}");
    mode(dir.path(), 0o700);
    // While it runs, too.
    let (open, state) = with_file().await;
    let operator = shown(&state, "operator").await;
    mode(open.path(), 0o777);
    let (status, text) = act(&state, &operator).await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && text.contains("chmod 700"), "{text}");
    mode(open.path(), 0o700);
    mode(&path(&open), 0o666);
    assert_eq!(act(&state, &operator).await.0, StatusCode::OK);
    assert_eq!(fs::metadata(path(&open)).expect("there").permissions().mode() & 0o777, 0o600);
    mode(&path(&dir), 0o666);
    drop(db::connect(dir.path(), MIGRATIONS).expect("mended"));
    assert_eq!(fs::metadata(path(&dir)).expect("there").permissions().mode() & 0o777, 0o600);
    let elsewhere = tempfile::tempdir().expect("a folder");
    symlink(path(&dir), elsewhere.path().join("sluice.db")).expect("a link");
    let error = db::connect(elsewhere.path(), MIGRATIONS).expect_err("a link");
    assert!(error.to_string().contains("is a symbolic link"), "{error}");
    // systemd makes the folder a link of its own.
    let link = elsewhere.path().join("folder");
    symlink(dir.path(), &link).expect("a link");
    drop(db::connect(&link, MIGRATIONS).expect("opens"));
}

#[tokio::test]
async fn with_no_room_left_operations_wait_and_what_mends_it_does_not() {
    let (_dir, mut state) = with_file().await;
    let (operator, admin) = (shown(&state, "operator").await, shown(&state, "admin").await);
    state.operations = state.operations.clone().with_max_size(1_000);
    let (status, text) = act(&state, &operator).await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{text}");
    assert!(text.contains("max_size") && text.contains("keep"), "{text}");
    let changed = ask(&state, "POST /admin/users/role", "user=operator&role=viewer", admin).await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    shown(&state, "viewer").await.expect("a log-in");
}
