//! Retention, and how an audit log is looked after while Sluice runs.

use std::sync::Arc;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::metrics::{Metrics, TextFormat};

const DAY: i64 = 86_400_000;

/// An audit log whose entries are a day apart.
fn days(n: i64) -> (TempDir, Handle) {
    let (dir, connection) = log_of(0);
    for day in 1..=n {
        append(&connection, &Entry { at: day * DAY, ..entry(0) }).expect("written");
    }
    (dir, connection)
}

fn age(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn drop_all(connection: &mut Handle, age: Duration, now: i64) -> u64 {
    let mut all = 0;
    loop {
        match connection.transact(|t| retention::drop_some(t, age, now)).expect("answered").expect("dropped") {
            0 => return all,
            gone => all += gone,
        }
    }
}

#[test]
fn old_entries_go_an_entry_says_so_and_the_rest_still_verifies() {
    let (_dir, mut connection) = days(30);
    let before = verify(&connection, None).expect("well").head;
    assert_eq!(drop_all(&mut connection, age(10), 30 * DAY), 19);
    let verified = verify(&connection, None).expect("well");
    assert_eq!((verified.entries, verified.anchor.id, verified.head.id), (12, 19, 31));
    assert_eq!(verified.span.map(|span| span.0), Some(20 * DAY));
    let mut filter = Filter::default();
    assert!(filter.texts.set("kind", "retention"));
    let entry = query::newest(&connection, &filter, None, 9).expect("read").entries.remove(0).entry;
    let words =
        "entries 1 to 19, of 1970-01-02T00:00:00.000Z to 1970-01-20T00:00:00.000Z, were dropped because of their age";
    assert_eq!((entry.detail.as_str(), entry.outcome), (words, verified.anchor.to_string()));
    // A head from before still fits, as long as its entry is there; then it says that it is too old.
    assert_eq!(verdict(&connection, Some(&before)), "12 entries");
    assert_eq!(drop_all(&mut connection, age(10), 60 * DAY), 12);
    assert_eq!(verdict(&connection, None), "1 entries");
    assert!(verdict(&connection, Some(&before)).contains("was dropped with all up to 31"));
    // It is not done again, and what follows fits.
    assert_eq!(drop_all(&mut connection, age(10), 60 * DAY), 0);
    append(&connection, &super::entry(5)).expect("written");
    assert_eq!(verdict(&connection, None), "2 entries");
    // The beginning is guarded as before.
    connection.execute("DELETE FROM record WHERE id = 32", []).expect_err("append-only");
}

#[test]
fn nothing_goes_to_make_room() {
    let (_dir, mut connection) = log_of(0);
    let large = Entry { targets: "x".repeat(10_000), ..entry(1) };
    for _ in 0..100 {
        append(&connection, &large).expect("written");
    }
    assert!(used_bytes(&connection).expect("read") > 1_000_000);
    assert_eq!(drop_all(&mut connection, age(100_000), 2_000), 0);
    assert_eq!(verdict(&connection, None), "100 entries");
}

#[tokio::test]
async fn the_maintenance_notes_the_start_drops_what_is_old_and_counts_every_entry() {
    let (dir, connection) = days(30);
    let metrics = Arc::new(Metrics::new());
    let audit = AuditLog::new(Database::open(dir.path(), MIGRATIONS).expect("opens")).counted(&metrics);
    let end = CancellationToken::new();
    let parts = configuration::Parts::from([("node", "lb1".to_owned())]);
    let maintenance = audit.maintain(Settings::default(), parts, metrics.clone(), end.clone());
    // The days are those of 1970.
    let counted = || metrics.encode(TextFormat::OpenMetrics);
    let is_done = async {
        while !(counted().contains(r#"audit_entries_total{kind="retention"} 1"#)
            && counted().contains(r#"audit_entries_total{kind="configuration"} 1"#))
        {
            sleep(Duration::from_millis(20)).await;
        }
        // As a command would, in another process.
        append(&connection, &by_sluice(Kind::Account, "user.add")).expect("written");
        while !counted().contains(r#"audit_entries_total{kind="account"} 1"#) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), is_done).await.unwrap_or_else(|_| panic!("{}", counted()));
    end.cancel();
    maintenance.await.expect("ends");
    assert_eq!(verdict(&connection, None), "3 entries");
}

#[tokio::test]
async fn an_entry_that_can_not_be_written_is_counted() {
    let database = Database::in_memory(MIGRATIONS).expect("memory");
    let metrics = Metrics::new();
    let audit = AuditLog::new(database.clone()).counted(&metrics);
    database.run(|c| c.pragma_update(None, "query_only", true)).await.expect("set");
    audit.append(entry(1)).await.expect_err("read-only");
    assert!(metrics.encode(TextFormat::OpenMetrics).contains("sluice_audit_failures_total 1"));
    database.run(|c| c.pragma_update(None, "query_only", false)).await.expect("set");
    audit.append(entry(1)).await.expect("written");
}
