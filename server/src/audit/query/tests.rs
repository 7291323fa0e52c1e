//! Looking for entries.

use super::*;
use crate::{
    audit::{AuditLog, Entry, Kind, append, by_sluice},
    db::Database,
    schema::MIGRATIONS,
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
        ..by_sluice(Kind::Operation, if n > 50 { "drain" } else { "maint" })
    }
}

async fn log_of(n: i64) -> AuditLog {
    let database = Database::in_memory(MIGRATIONS).expect("memory");
    database
        .run(move |c| {
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

/// A filter for texts of columns.
fn by(texts: &[(&str, &str)]) -> Filter {
    let mut filter = Filter::default();
    for (name, text) in texts {
        assert!(filter.texts.set(name, text), "{name}");
    }
    filter
}

async fn ids(audit: &AuditLog, filter: Filter, most: usize) -> Vec<i64> {
    audit.page(&filter, None, most).await.expect("read").entries.iter().map(|entry| entry.id).collect()
}

#[tokio::test]
async fn each_filter_finds_its_own_newest_first() {
    let audit = log_of(100).await;
    let all = Filter::default;
    for (filter, want) in [
        (all(), vec![100, 99, 98]),
        (Filter { to: Some(51_000), ..all() }, vec![50, 49, 48]),
        (Filter { from: Some(99_000), ..all() }, vec![100, 99]),
        (by(&[("who", "user1")]), vec![100, 97, 94]),
        (by(&[("kind", "operation")]), vec![99, 97, 95]),
        (by(&[("action", "maint")]), vec![50, 49, 48]),
        (by(&[("operation", "x-7")]), vec![7]),
        (by(&[("address", "10.0.0.3")]), vec![98, 93, 88]),
        // In the list of targets and in the list of outcomes, in any case.
        (by(&[("target", "WEB/s9")]), vec![99, 98, 97]),
        (by(&[("outcome", "refused")]), vec![98, 94, 90]),
        // What a message says is no outcome.
        (by(&[("outcome", "done")]), vec![100, 96, 92]),
        (by(&[("who", "user1"), ("kind", "outcome")]), vec![100, 94, 88]),
        // A filter is a value, never a pattern or SQL.
        (by(&[("who", "user%")]), vec![]),
        (by(&[("target", "web/_9")]), vec![]),
        (by(&[("who", "' OR 1=1 --")]), vec![]),
        (by(&[("outcome", "\"; DROP TABLE record; --")]), vec![]),
    ] {
        assert_eq!(ids(&audit, filter.clone(), 3).await, want, "{filter:?}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_and_the_last_says_so() {
    let audit = log_of(100).await;
    let filter = by(&[("kind", "outcome")]);
    let (mut seen, mut before) = (Vec::new(), None);
    for _ in 0..5 {
        let page = audit.page(&filter, before, 10).await.expect("read");
        assert_eq!(page.entries.len(), 10);
        seen.extend(page.entries.iter().map(|entry| entry.id));
        before = page.next;
    }
    assert_eq!(before, None, "the fiftieth is the last");
    assert_eq!(seen, (1..=50).rev().map(|n| n * 2).collect::<Vec<_>>());
    assert!(audit.page(&filter, Some(i64::MIN), 10).await.expect("read").entries.is_empty());
}

#[tokio::test]
async fn what_is_rare_is_found_beyond_one_window_and_a_large_page_is_cut() {
    let audit = log_of(2 * WINDOW + 100).await;
    assert_eq!(ids(&audit, by(&[("operation", "x-3")]), 10).await, [3]);
    let large = Entry { targets: "x".repeat(700_000), ..entry(1) };
    for _ in 0..5 {
        audit.append(large.clone()).await.expect("written");
    }
    let page = audit.page(&Filter::default(), None, 100).await.expect("read");
    assert_eq!((page.entries.len(), page.next), (2, Some(2 * WINDOW + 104)));
}
