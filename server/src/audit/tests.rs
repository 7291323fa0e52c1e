//! The audit log in a real file: what it refuses, what `verify` finds, and what two writers make of it.

use std::{thread, time::Duration};

use model::audit::COLUMNS;
use proptest::prelude::*;
use rusqlite::{Connection, TransactionBehavior};
use tempfile::TempDir;

use super::*;
use crate::{
    db::{self, Database, Handle},
    schema::MIGRATIONS,
};

mod attack;
mod maintaining;

/// An audit log of `n` entries, in a file.
fn log_of(n: i64) -> (TempDir, Handle) {
    let dir = tempfile::tempdir().expect("a folder");
    let connection = db::connect(dir.path(), MIGRATIONS).expect("opens");
    for at in 1..=n {
        append(&connection, &entry(at)).expect("written");
    }
    (dir, connection)
}

fn entry(at: i64) -> Entry {
    Entry {
        at: at * 1_000,
        targets: r#"["lb1/web/s1"]"#.to_owned(),
        reason: format!("reason {at}"),
        ..by_sluice(Kind::Operation, "drain")
    }
}

/// What `verify` says.
fn verdict(connection: &Connection, kept: Option<&Head>) -> String {
    match verify(connection, kept) {
        Ok(verified) => format!("{} entries", verified.entries),
        Err(broken) => broken.to_string(),
    }
}

#[test]
fn the_file_takes_the_next_entry_and_nothing_else() {
    let (_dir, connection) = log_of(3);
    for sql in [
        "UPDATE record SET reason = '' WHERE id = 2",
        "UPDATE record SET hash = x'00'",
        "DELETE FROM record WHERE id = 1",
        "DELETE FROM record WHERE id = 3",
        "DELETE FROM record",
        "INSERT INTO record SELECT 9, at, kind, who, role, means, address, action, operation, targets, reason, outcome, detail, hash FROM record WHERE id = 1",
        "INSERT OR REPLACE INTO record SELECT 2, at, kind, who, role, means, address, action, operation, targets, reason, outcome, detail, hash FROM record WHERE id = 1",
        "REPLACE INTO record SELECT * FROM record WHERE id = 2",
        "UPDATE record_head SET id = 2",
        "UPDATE record_head SET id = 4",
        "DELETE FROM record_head",
        "INSERT INTO record_head VALUES (2, 1, x'')",
        "UPDATE record_anchor SET id = 2",
        "UPDATE record_anchor SET id = 9, hash = x''",
        "DELETE FROM record_anchor",
    ] {
        connection.execute(sql, []).expect_err(sql);
    }
    assert_eq!(verdict(&connection, None), "3 entries");
}

#[test]
fn an_entry_is_kept_as_it_was_given_in_what_matters_and_never_harms_who_reads_it() {
    let (_dir, connection) = log_of(0);
    let nasty = "\"; DROP TABLE record; --\n<script>\u{1b}[31m\u{202e}'=1+1";
    let mut entry = Entry::new(7, Kind::Denial);
    for (_, text) in entry.texts_mut() {
        nasty.clone_into(text);
    }
    append(&connection, &entry).expect("written");
    let kept = query::newest(&connection, &Filter::default(), None, 9).expect("read").entries.remove(0);
    let safe = "\"; DROP TABLE record; -- <script>\u{fffd}[31m\u{fffd}'=1+1";
    assert_eq!(kept.entry.texts(), [["refusal"].as_slice(), &[safe; COLUMNS.len() - 1]].concat()[..]);
    assert_eq!(verdict(&connection, None), "1 entries");
}

#[test]
fn fifty_appends_at_once_from_two_connections_make_one_chain() {
    let (dir, _connection) = log_of(0);
    thread::scope(|scope| {
        for writer in 0..2 {
            let dir = dir.path();
            scope.spawn(move || {
                let mut connection = db::connect(dir, MIGRATIONS).expect("opens");
                for n in 0..25 {
                    let transaction = connection
                        .transaction_with_behavior(TransactionBehavior::Immediate)
                        .expect("waits for the other");
                    append(&transaction, &entry(writer * 100 + n)).expect("written");
                    transaction.commit().expect("committed");
                }
            });
        }
    });
    let connection = db::open_read_only(dir.path(), MIGRATIONS).expect("opens");
    assert_eq!(verdict(&connection, None), "50 entries");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_database_and_what_another_process_writes_is_one_chain_too() {
    let (dir, mut other) = log_of(0);
    let audit = AuditLog::new(Database::open(dir.path(), MIGRATIONS).expect("opens"));
    let appends: Vec<_> = (0..50)
        .map(|n| {
            let audit = audit.clone();
            tokio::spawn(async move { audit.append(entry(n)).await })
        })
        .collect();
    let beside = thread::spawn(move || {
        for n in 0..10 {
            let transaction = other.transaction_with_behavior(TransactionBehavior::Immediate).expect("waits");
            append(&transaction, &entry(n)).expect("written");
            transaction.commit().expect("committed");
        }
    });
    for append in appends {
        append.await.expect("no panic").expect("written");
    }
    beside.join().expect("no panic");
    assert_eq!(verdict(&db::open_read_only(dir.path(), MIGRATIONS).expect("opens"), None), "60 entries");
}

#[tokio::test]
async fn a_flood_is_some_entries_and_a_sum() {
    let database = Database::in_memory(MIGRATIONS).expect("memory");
    let audit = AuditLog::new(database.clone());
    let denial = || Entry { address: "10.0.0.7".into(), ..by_sluice(Kind::Login, "log-in") };
    let mut written = 0;
    for _ in 0..500 {
        written += u32::from(audit.append_limited(denial(), "anna").await.expect("written") == Written::Entry);
    }
    assert_eq!(written, dedup::MAX_OF_ONE);
    audit.end_floods().await;
    let all = audit.page(&Filter::default(), None, 100).await.expect("read").entries;
    assert_eq!(all.len(), 21);
    assert!(all[0].entry.detail.starts_with("480 more of this kind from 10.0.0.7 since "), "{}", all[0].entry.detail);
    assert_eq!((all[0].entry.kind.as_str(), all[0].entry.action.as_str()), ("login", "sum"));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{0,12}", any::<String>()]
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let kind = (0..Kind::ALL.len()).prop_map(|n| Kind::ALL[n]);
    let texts = proptest::collection::vec(any_text(), COLUMNS.len() - 1);
    (any::<i64>(), kind, texts).prop_map(|(at, kind, texts)| {
        let mut entry = Entry::new(at, kind);
        for ((_, text), any) in entry.texts_mut().zip(texts) {
            *text = any;
        }
        entry
    })
}

/// Changes one byte, or adds one, of a value as SQL writes it.
fn damage(value: &[u8], place: usize, by: u8) -> Vec<u8> {
    let mut out = value.to_vec();
    match out.len() {
        0 => out.push(by),
        length => out[place % length] ^= by.max(1),
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_entries_verify_and_any_change_of_a_byte_is_found(
        entries in proptest::collection::vec(any_entry(), 1..6),
        row in any::<prop::sample::Index>(),
        column in 0..COLUMNS.len() + 3,
        place in any::<usize>(),
        by in any::<u8>(),
    ) {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch(SCHEMA).expect("a schema");
        for entry in &entries {
            append(&connection, entry).expect("written");
        }
        let before = verify(&connection, None).expect("well");
        prop_assert_eq!(before.entries, entries.len() as u64);
        let id = row.index(entries.len()) as i64 + 1;
        attack::drop_triggers(&connection);
        let names: Vec<&str> =
            ["id", "at"].into_iter().chain(COLUMNS.map(|column| column.name)).chain(["hash"]).collect();
        let name = names[column];
        if column < 2 {
            let bit = 1_i64 << (place % 62);
            let sql = format!("UPDATE record SET {name} = ({name} | {bit}) - ({name} & {bit}) WHERE id = {id}");
            // Another entry may have that number already.
            if connection.execute(&sql, []).is_err() {
                return Ok(());
            }
        } else {
            let kind = if name == "hash" { "BLOB" } else { "TEXT" };
            let value: Vec<u8> = connection
                .query_row(&format!("SELECT CAST({name} AS BLOB) FROM record WHERE id = {id}"), [], |row| row.get(0))
                .expect("a value");
            let sql = format!("UPDATE record SET {name} = CAST(?1 AS {kind}) WHERE id = {id}");
            connection.execute(&sql, [damage(&value, place, by)]).expect("changed");
        }
        prop_assert!(verify(&connection, None).is_err(), "{} of {} was changed", name, id);
        prop_assert!(verify(&connection, Some(&before.head)).is_err());
    }

    #[test]
    fn a_head_is_read_as_it_is_written(id in 1..i64::MAX, hash in proptest::collection::vec(any::<u8>(), 32)) {
        let head = Head { id, hash };
        prop_assert_eq!(head.to_string().parse::<Head>(), Ok(head));
    }
}

#[test]
fn what_is_no_head_is_refused() {
    let digits = "0123456789abcdef".repeat(4);
    for text in ["", "5", "5:", ":00", "0:00", &format!("0:{digits}"), &format!("5:{digits}0"), &format!("x:{digits}")]
    {
        assert_eq!(text.parse::<Head>(), Err(HeadError), "{text}");
    }
    assert!(format!(" 5:{}\n", digits.to_uppercase()).parse::<Head>().is_ok());
}

/// How long an append takes on the disk, and its size; shown with `--no-capture`.
#[test]
fn the_cost_of_an_append_is_shown() {
    let (dir, connection) = log_of(0);
    let size = || std::fs::metadata(dir.path().join("sluice.db")).map_or(0, |meta| meta.len());
    let checkpoint = || connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("done");
    checkpoint();
    let before = size();
    let mut times: Vec<Duration> = (0..200)
        .map(|n| {
            let start = std::time::Instant::now();
            append(&connection, &entry(n)).expect("written");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    checkpoint();
    let each = (size() - before) / 200;
    let shown = format!("an append: median {:?}, slowest {:?}; {each} bytes each", times[100], times[199]);
    std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{shown}\n")).expect("shown");
    assert!(each < 2_000, "{shown}");
}
