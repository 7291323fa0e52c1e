//! What somebody who may write the file could do to it, with the triggers out of the way; and what they still can.

use super::*;

pub(super) fn drop_triggers(connection: &Connection) {
    let names: Vec<String> = {
        let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").expect("SQL");
        statement.query_map([], |row| row.get(0)).expect("names").collect::<Result<_, _>>().expect("names")
    };
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).expect("dropped");
    }
}

/// Every attack is on a fresh audit log of six, and has to be told in these words.
#[test]
fn whatever_was_done_to_the_rows_is_found_and_told() {
    for (attack, words) in [
        ("UPDATE record SET reason = 'another' WHERE id = 3", "entry 3 of 1970-01-01T00:00:03.000Z was changed"),
        ("UPDATE record SET at = at + 1 WHERE id = 6", "entry 6 of 1970-01-01T00:00:06.001Z was changed"),
        ("UPDATE record SET who = 'a' || who WHERE id = 1", "entry 1 "),
        ("UPDATE record SET hash = zeroblob(32) WHERE id = 4", "entry 4 "),
        ("DELETE FROM record WHERE id = 3", "entry 3 is missing"),
        ("DELETE FROM record WHERE id IN (3, 4)", "entries 3 to 4 are missing"),
        ("DELETE FROM record WHERE id = 1", "entry 1 is missing"),
        ("DELETE FROM record WHERE id = 6", "the newest entry 6 is missing"),
        ("DELETE FROM record WHERE id > 4", "the newest entries 5 to 6 are missing"),
        ("DELETE FROM record", "the newest entries 1 to 6 are missing"),
        // Two rows exchanged, and a row with all its neighbours moved up.
        ("UPDATE record SET id = -2 WHERE id = 2; UPDATE record SET id = 2 WHERE id = 5; UPDATE record SET id = 5 WHERE id = -2", "entry 2 "),
        ("DELETE FROM record WHERE id = 2; UPDATE record SET id = id - 1 WHERE id > 2; UPDATE record_head SET id = 5", "entry 2 "),
        // A row put in between, and one put at the end.
        (
            "UPDATE record SET id = -id - 1 WHERE id > 3; UPDATE record SET id = -id WHERE id < 0; UPDATE record_head SET id = 7;
             INSERT INTO record SELECT 4, at, kind, who, role, means, address, action, operation, targets, reason, outcome, detail, hash FROM record WHERE id = 3",
            "entry 4 ",
        ),
        (
            "INSERT INTO record SELECT 7, at, kind, who, role, means, address, action, operation, targets, reason, outcome, detail, hash FROM record WHERE id = 6",
            "entry 7 ",
        ),
        ("UPDATE record_head SET hash = zeroblob(32)", "another newest entry than the one that is there, 6"),
        ("UPDATE record_head SET id = 5", "entry 6 was added beside Sluice"),
        // The beginning cut off as retention would, without its entry.
        (
            "UPDATE record_anchor SET (id, hash) = (SELECT id, hash FROM record WHERE id = 3); DELETE FROM record WHERE id <= 3",
            "the entries up to 3 were taken away, and not by Sluice",
        ),
        ("UPDATE record_anchor SET (id, hash) = (SELECT id, hash FROM record WHERE id = 3)", "entry 1 is there, and was dropped once"),
        ("DELETE FROM record_anchor", "the audit log can't be read"),
        ("DROP TABLE record", "the audit log can't be read: no such table"),
    ] {
        let (_dir, connection) = log_of(6);
        drop_triggers(&connection);
        connection.execute_batch(attack).expect(attack);
        let verdict_words = verdict(&connection, None);
        assert!(verdict_words.contains(words), "{attack}\n{verdict_words}");
    }
}

/// Who writes the whole file anew, hashes and all, is found by a head that was kept elsewhere, and by nothing else.
#[test]
fn a_log_that_was_written_anew_is_found_by_a_head_kept_elsewhere() {
    let (_dir, connection) = log_of(6);
    let kept = [4, 6].map(|id| {
        let hash =
            connection.query_row("SELECT hash FROM record WHERE id = ?1", [id], |row| row.get(0)).expect("a row");
        Head { id, hash }
    });
    let (_other, forged) = log_of(2);
    append(&forged, &Entry { reason: "nothing happened".into(), ..entry(3) }).expect("written");
    for at in 4..=6 {
        append(&forged, &entry(at)).expect("written");
    }
    assert_eq!(verdict(&forged, None), "6 entries");
    for head in &kept {
        assert_eq!(verdict(&connection, Some(head)), "6 entries");
        assert!(
            verdict(&forged, Some(head)).contains("the audit log was rewritten"),
            "{}",
            verdict(&forged, Some(head))
        );
    }
    let (_short, short) = log_of(5);
    let verdict_words = verdict(&short, Some(&kept[1]));
    assert!(verdict_words.contains("the audit log ends at entry 5, before entry 6 that you kept"), "{verdict_words}");
}

/// Sluice does not go on upon an audit log whose end was cut off: the entry after the gap is linked to what is missing.
#[test]
fn a_gap_stays_to_be_seen_when_entries_follow_it() {
    let (_dir, connection) = log_of(6);
    drop_triggers(&connection);
    connection.execute_batch("DELETE FROM record WHERE id > 4").expect("deleted");
    connection.execute_batch(SCHEMA).expect("as at the next start");
    append(&connection, &entry(7)).expect("written");
    assert_eq!(verdict(&connection, None), "entries 5 to 6 are missing");
}

/// Changes how a table or an index is described without changing what it holds.
fn describe_anew(dir: &TempDir, name: &str, from: &str, to: &str) {
    let connection = Connection::open(dir.path().join("sluice.db")).expect("opens");
    connection.pragma_update(None, "writable_schema", true).expect("set");
    let sql = "UPDATE sqlite_schema SET sql = replace(sql, ?1, ?2) WHERE name = ?3";
    assert_eq!(connection.execute(sql, [from, to, name]).expect("changed"), 1);
    let version: i64 = connection.pragma_query_value(None, "schema_version", |row| row.get(0)).expect("a number");
    connection.pragma_update(None, "schema_version", version + 1).expect("set");
}

#[test]
fn a_text_that_is_stored_as_something_else_is_found() {
    let (dir, connection) = log_of(3);
    drop_triggers(&connection);
    drop(connection);
    describe_anew(&dir, "record", ") STRICT", ")");
    let open = || Connection::open(dir.path().join("sluice.db")).expect("opens");
    open()
        .execute("UPDATE record SET who = CAST(who AS BLOB), hash = CAST(hash AS TEXT) WHERE id = 2", [])
        .expect("changed");
    // Whoever follows the log reads it all the same, and goes on.
    let read = query::oldest(&open(), &Filter::default(), 1, 3).expect("read");
    assert_eq!((read.entries.len(), read.entries[1].entry.who.as_str()), (3, "sluice"));
    assert_eq!(
        verdict(&open(), None),
        "entry 2 of 1970-01-01T00:00:02.000Z was changed, or the entries before it were: its hash does not fit"
    );
}

#[test]
fn an_index_that_leaves_entries_out_is_found() {
    let (dir, connection) = log_of(3);
    drop(connection);
    describe_anew(&dir, "record_configuration", "'configuration'", "'nothing'");
    let open = || Connection::open(dir.path().join("sluice.db")).expect("opens");
    append(&open(), &Entry { at: 4_000, ..by_sluice(Kind::Configuration, "start") }).expect("written");
    describe_anew(&dir, "record_configuration", "'nothing'", "'configuration'");
    let told = verdict(&open(), None);
    assert!(told.starts_with("the file is damaged") && told.contains("record_configuration"), "{told}");
}
