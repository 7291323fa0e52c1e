//! Looking for entries, and times as people write them.

use super::*;
use crate::{
    audit::{AuditLog, Entry, Kind, append},
    db::Database,
};

fn entry(n: i64) -> Entry {
    let is_even = n % 2 == 0;
    Entry {
        at: n * 1_000,
        kind: if is_even { Kind::Outcome } else { Kind::Operation },
        who: format!("user{}", n % 3),
        address: format!("10.0.0.{}", n % 5),
        operation: format!("x-{n}"),
        targets: if is_even { String::new() } else { format!(r#"["lb1/web/s{n}"]"#) },
        outcome: match n % 4 {
            0 => format!(r#"[{{"target":"lb1/web/s{n}","outcome":"done","before":"","after":"","message":""}}]"#),
            2 => format!(
                r#"[{{"target":"lb1/web/s{n}","outcome":"refused","before":"","after":"","message":"\"outcome\":\"done\""}}]"#
            ),
            _ => String::new(),
        },
        ..Entry::by_itself(Kind::Operation, if n > 50 { "drain" } else { "maint" })
    }
}

async fn record(n: i64) -> AuditLog {
    let database = Database::in_memory().expect("memory");
    database
        .call(move |c| {
            let transaction = c.transaction()?;
            for n in 1..=n {
                append(&transaction, &entry(n))?;
            }
            transaction.commit()
        })
        .await
        .expect("written");
    AuditLog::new(database)
}

async fn ids(record: &AuditLog, filter: Filter, most: usize) -> Vec<i64> {
    record.page(&filter, None, most).await.expect("read").entries.iter().map(|entry| entry.id).collect()
}

#[tokio::test]
async fn each_filter_finds_its_own_newest_first() {
    let record = record(100).await;
    let all = Filter::default;
    let text = str::to_owned;
    for (filter, want) in [
        (all(), vec![100, 99, 98]),
        (Filter { to: Some(51_000), ..all() }, vec![50, 49, 48]),
        (Filter { from: Some(99_000), ..all() }, vec![100, 99]),
        (Filter { who: text("user1"), ..all() }, vec![100, 97, 94]),
        (Filter { kind: text("operation"), ..all() }, vec![99, 97, 95]),
        (Filter { action: text("maint"), ..all() }, vec![50, 49, 48]),
        (Filter { operation: text("x-7"), ..all() }, vec![7]),
        (Filter { address: text("10.0.0.3"), ..all() }, vec![98, 93, 88]),
        // In the list of targets and in the list of outcomes, in any case.
        (Filter { target: text("WEB/s9"), ..all() }, vec![99, 98, 97]),
        (Filter { outcome: text("refused"), ..all() }, vec![98, 94, 90]),
        // What a message says is no outcome.
        (Filter { outcome: text("done"), ..all() }, vec![100, 96, 92]),
        (Filter { who: text("user1"), kind: text("outcome"), ..all() }, vec![100, 94, 88]),
        // A filter is a value, never a pattern or SQL.
        (Filter { who: text("user%"), ..all() }, vec![]),
        (Filter { target: text("web/_9"), ..all() }, vec![]),
        (Filter { who: text("' OR 1=1 --"), ..all() }, vec![]),
        (Filter { outcome: text("\"; DROP TABLE record; --"), ..all() }, vec![]),
    ] {
        assert_eq!(ids(&record, filter.clone(), 3).await, want, "{filter:?}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_and_the_last_says_so() {
    let record = record(100).await;
    let filter = Filter { kind: "outcome".into(), ..Filter::default() };
    let (mut seen, mut before) = (Vec::new(), None);
    for _ in 0..5 {
        let look = record.page(&filter, before, 10).await.expect("read");
        assert_eq!(look.entries.len(), 10);
        seen.extend(look.entries.iter().map(|entry| entry.id));
        before = look.next;
    }
    assert_eq!(before, None, "the fiftieth is the last");
    assert_eq!(seen, (1..=50).rev().map(|n| n * 2).collect::<Vec<_>>());
    assert!(record.page(&filter, Some(i64::MIN), 10).await.expect("read").entries.is_empty());
}

#[tokio::test]
async fn what_is_rare_is_found_beyond_one_look_and_a_large_page_is_cut() {
    let record = record(2 * WINDOW + 100).await;
    assert_eq!(ids(&record, Filter { operation: "x-3".into(), ..Filter::default() }, 10).await, [3]);
    let large = Entry { targets: "x".repeat(700_000), ..entry(1) };
    for _ in 0..5 {
        record.append(large.clone()).await.expect("written");
    }
    let look = record.page(&Filter::default(), None, 100).await.expect("read");
    assert_eq!((look.entries.len(), look.next), (2, Some(2 * WINDOW + 104)));
}

#[test]
fn a_time_is_read_in_utc_as_people_write_it() {
    let day = 1_795_219_200_000; // 2026-11-21
    for (text, want) in [
        ("2026-11-21", Ok(day)),
        ("2026-11-21T01:00", Ok(day + 3_600_000)),
        ("2026-11-21 01:00:07", Ok(day + 3_607_000)),
        ("2026-11-21T01:00:07Z", Ok(day + 3_607_000)),
        (" 2026-11-21T01:00:07.250Z ", Ok(day + 3_607_250)),
        ("yesterday", Err(TimeError)),
        ("2026-13-21", Err(TimeError)),
        ("2026-11-21T01:00:07+02:00", Err(TimeError)),
        ("", Err(TimeError)),
        ("ééééé", Err(TimeError)),
    ] {
        assert_eq!(read_time(text), want, "{text}");
    }
    assert_eq!(written(day + 250), "2026-11-21T00:00:00.250Z");
    assert_eq!(read_time(&written(day + 250)), Ok(day + 250));
    assert!(written(i64::MAX).starts_with("9999-") && written(i64::MIN).starts_with("1970-"));
}
