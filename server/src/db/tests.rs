//! A file with tables of this test's own, or none but what a test makes.

use std::{fs, ops::Deref, os::unix::fs::MetadataExt as _, sync::mpsc};

use tokio::time::timeout;

use super::{file::FILE_NAME, worker::CHANGE_INTERVAL, *};

type Opens = fn(&Path) -> Box<dyn Deref<Target = Connection>>;

/// The tables of a program.
const FIRST: &[Migration] = &[Migration { version: 1, sql: &["CREATE TABLE IF NOT EXISTS t (n INTEGER)"] }];

/// Those of its next release.
const SECOND: &[Migration] =
    &[FIRST[0], Migration { version: 2, sql: &["ALTER TABLE t ADD COLUMN word TEXT NOT NULL DEFAULT 'old'"] }];

#[tokio::test]
async fn jobs_are_done_in_order_and_changes_of_other_processes_are_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let database = Database::open(&data, FIRST).expect("opens");
    for n in 0..3 {
        database.run(move |c| c.execute("INSERT INTO t VALUES (?1)", [n])).await.expect("a row");
    }
    let count = || database.run(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
    assert_eq!(count().await.expect("a count"), 3);
    let mut changes = database.changes();
    tokio::time::sleep(2 * CHANGE_INTERVAL).await;
    changes.mark_unchanged();
    connect(&data, FIRST).expect("opens").execute("DELETE FROM t", []).expect("deletes");
    timeout(Duration::from_secs(30), changes.changed()).await.expect("told of the change").expect("the thread runs");
    assert_eq!(count().await.expect("a count"), 0);
    assert!(matches!(database.run(|c| c.execute("no SQL", [])).await, Err(DatabaseError::Job(_))));
}

#[tokio::test]
async fn a_job_that_panics_undoes_what_it_did_and_takes_nobody_along() {
    let database = Database::in_memory(FIRST).expect("memory");
    let failed = database.run(|c| -> Result<(), rusqlite::Error> {
        let transaction = c.transaction()?;
        transaction.execute("INSERT INTO t VALUES (1)", [])?;
        panic!("as asked");
    });
    assert!(matches!(failed.await, Err(DatabaseError::Closed)));
    let count = database.run(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
    assert_eq!(count.await.expect("a count"), 0);
}

#[tokio::test]
async fn what_does_not_begin_in_time_is_told_so_and_never_done() {
    let database = Database::in_memory(FIRST).expect("memory");
    let start_timeout = Duration::from_millis(50);
    let hurried = database.writer.clone().with_start_timeout(start_timeout);
    let hangs = database.run(move |_| {
        std::thread::sleep(4 * start_timeout);
        Ok(())
    });
    let waits = hurried.run(|c| c.execute("INSERT INTO t VALUES (1)", []));
    let (hangs, waits) = tokio::join!(hangs, waits);
    assert!(hangs.is_ok() && matches!(waits, Err(DatabaseError::Slow)), "{waits:?}");
    let count = database.run(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
    assert_eq!(count.await.expect("a count"), 0);
}

#[tokio::test]
async fn nobody_else_can_read_what_is_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("a/b");
    let _database = Database::open(&data, FIRST).expect("opens");
    let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join(FILE_NAME))), (0o700, 0o600));
    assert!(matches!(Database::open(&data.join(FILE_NAME), FIRST), Err(DatabaseError::Folder { .. })));
}

#[tokio::test]
async fn whoever_reads_and_whoever_writes_do_not_wait_for_each_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let database = Database::open(dir.path(), FIRST).expect("opens");
    let count = |c: &Connection| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));

    // A read that ends only after a write was done does not see it; the next one does.
    let (written, is_written) = mpsc::channel();
    let reads = database.read(move |c| {
        let transaction = c.unchecked_transaction()?;
        let before = count(&transaction)?;
        is_written.recv().expect("the write is done meanwhile");
        Ok((before, count(&transaction)?))
    });
    let writes = async {
        database.run(|c| c.execute("INSERT INTO t VALUES (1)", [])).await.expect("written");
        written.send(()).expect("the read goes on");
    };
    let (read, ()) = tokio::join!(reads, writes);
    assert_eq!(read.expect("read"), (0, 0));
    assert_eq!(database.read(count).await.expect("read"), 1);

    // The other way round.
    let (read, is_read) = mpsc::channel();
    let writes = database.run(move |c| {
        let transaction = c.transaction()?;
        transaction.execute("INSERT INTO t VALUES (2)", [])?;
        is_read.recv().expect("the read is done meanwhile");
        transaction.commit()
    });
    let reads = async {
        assert_eq!(database.read(count).await.expect("read"), 1);
        read.send(()).expect("the write goes on");
    };
    let (written, ()) = tokio::join!(writes, reads);
    written.expect("written");
    assert_eq!(database.read(count).await.expect("read"), 2);
}

#[tokio::test]
async fn whoever_reads_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    for database in [Database::open(dir.path(), FIRST), Database::in_memory(FIRST)] {
        let database = database.expect("opens");
        let write = |c: &Connection| c.execute("INSERT INTO t VALUES (1)", []);
        for _ in 0..2 {
            assert!(matches!(database.read(write).await, Err(DatabaseError::Job(_))));
            let panics = database.read(|_| -> Result<(), rusqlite::Error> { panic!("as asked") });
            assert!(matches!(panics.await, Err(DatabaseError::Closed)));
            database.run(move |c| write(c)).await.expect("written");
        }
        let count = database.read(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)));
        assert_eq!(count.await.expect("a count"), 2);
    }
}

#[test]
fn an_older_file_is_migrated_and_keeps_what_it_holds() {
    let dir = tempfile::tempdir().expect("a folder");
    let connection = connect(dir.path(), FIRST).expect("made");
    connection.execute("INSERT INTO t VALUES (7)", []).expect("written");
    drop(connection);
    let read = open_read_only(dir.path(), SECOND).expect("an older file can be looked at");
    read.query_row("SELECT n FROM t", [], |row| row.get::<_, i64>(0)).expect("a row");
    drop(read);
    let connection = connect(dir.path(), SECOND).expect("migrated");
    assert_eq!(migrations::version(&connection), Ok(2));
    let row = connection.query_row("SELECT n, word FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(row, Ok((7, "old".to_owned())));
    // Once migrated it is opened as often as anybody likes.
    connect(dir.path(), SECOND).expect("opens");
}

#[test]
fn a_file_from_before_versions_were_counted_is_one_of_the_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let connection = Connection::open(dir.path().join(FILE_NAME)).expect("made");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)")
        .expect("SQL");
    drop(connection);
    let connection = connect(dir.path(), SECOND).expect("migrated");
    assert_eq!(migrations::version(&connection), Ok(2));
    assert_eq!(connection.query_row("SELECT n FROM t", [], |row| row.get(0)), Ok(7));
}

#[test]
fn a_file_that_somebody_has_open_is_not_migrated() {
    let dir = tempfile::tempdir().expect("a folder");
    // One connection that writes, and one that looks.
    let writes = |dir: &Path| -> Box<dyn Deref<Target = Connection>> { Box::new(connect(dir, FIRST).expect("opens")) };
    let looks = |dir: &Path| -> Box<dyn Deref<Target = Connection>> {
        Box::new(Box::new(open_read_only(dir, FIRST).expect("opens")))
    };
    for open in [writes as Opens, looks] {
        let other = open(dir.path());
        let error = connect(dir.path(), SECOND).expect_err("in use");
        assert!(matches!(error, DatabaseError::InUse { found: 1, needed: 2, .. }), "{error:?}");
        let words = error.to_string();
        assert!(words.contains("version 1") && words.contains("needs version 2"), "{words}");
        assert!(words.contains("most likely an older Sluice"), "{words}");
        assert_eq!(migrations::version(&other), Ok(1));
        // It serves on.
        other.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).expect("a count");
    }
    connect(dir.path(), SECOND).expect("migrated once nobody has it open");
}

#[test]
fn a_migration_waits_for_who_is_about_to_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let other = connect(dir.path(), FIRST).expect("made");
    let (begun, is_begun) = mpsc::channel();
    std::thread::scope(|scope| {
        let migrates = scope.spawn(|| {
            begun.send(()).expect("told");
            connect(dir.path(), SECOND).map(|connection| migrations::version(&connection))
        });
        is_begun.recv().expect("it runs");
        drop(other);
        assert_eq!(migrates.join().expect("no panic").expect("migrated"), Ok(2));
    });
}

#[test]
fn a_file_that_is_newer_than_the_program_is_refused_as_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(connect(dir.path(), SECOND).expect("made"));
    let errors = [connect(dir.path(), FIRST).map(drop), open_read_only(dir.path(), FIRST).map(drop)];
    for error in errors.map(|opened| opened.expect_err("newer")) {
        assert!(matches!(error, DatabaseError::TooNew { found: 2, needed: 1, .. }), "{error:?}");
        let words = error.to_string();
        assert!(words.contains("to version 2") && words.contains("up to version 1"), "{words}");
        assert!(words.contains("use the newer Sluice"), "{words}");
    }
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(connect(dir.path(), FIRST).expect("made"));
    let broken = [FIRST[0], Migration { version: 2, sql: &["CREATE TABLE u (n INTEGER)", "no SQL"] }];
    assert!(matches!(connect(dir.path(), &broken), Err(DatabaseError::File { .. })));
    let connection = connect(dir.path(), FIRST).expect("opens");
    assert_eq!(migrations::version(&connection), Ok(1));
    assert!(connection.prepare("SELECT * FROM u").is_err(), "nothing of it is there");
}
