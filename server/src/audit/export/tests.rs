//! That an export can be read back, and starts nothing in a spreadsheet.

use serde_json::Value;

use super::*;
use crate::audit::{TargetNote, plain};

/// Texts that somebody could want to be taken for something else.
const NASTY: [&str; 16] = [
    "",
    "plain",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'=1",
    "''",
    "＝1",
    "a,b;c",
    "say \"no\"\nand go",
    "\"; DROP TABLE record; --",
    "<script>alert(1)</script>",
    "\u{1b}]0;title\u{7}",
];

fn kept(text: &str) -> StoredEntry {
    let note = TargetNote {
        target: text.into(),
        outcome: "done".into(),
        before: text.into(),
        after: text.into(),
        message: text.into(),
    };
    StoredEntry {
        id: 7,
        at: 1_795_219_200_250,
        kind: "outcome".into(),
        who: text.into(),
        role: text.into(),
        means: text.into(),
        address: text.into(),
        action: text.into(),
        operation: text.into(),
        targets: serde_json::to_string(&[text]).expect("JSON"),
        reason: text.into(),
        outcome: serde_json::to_string(&[note]).expect("JSON"),
        detail: text.into(),
        hash: "ab".repeat(32),
    }
}

#[test]
fn csv_is_read_back_and_no_cell_is_a_formula() {
    let entries: Vec<StoredEntry> = NASTY.iter().map(|text| kept(text)).collect();
    let bytes = [Format::Csv.head(), Format::Csv.lines(&entries)].concat();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a head"), COLUMNS.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
    assert_eq!(rows.len(), entries.len());
    for (row, entry) in rows.iter().zip(&entries) {
        let starts = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']);
        assert!(!row.iter().any(starts), "{row:?}");
        let plain = |place: usize| row[place].strip_prefix('\'').unwrap_or(&row[place]).to_owned();
        assert_eq!((&row[0], &row[1]), ("7", "2026-11-21T00:00:00.250Z"));
        let texts: Vec<String> = (2..COLUMNS.len()).map(plain).collect();
        let StoredEntry {
            kind,
            who,
            role,
            means,
            address,
            action,
            operation,
            targets,
            reason,
            outcome,
            detail,
            hash,
            ..
        } = entry;
        let want = [kind, who, role, means, address, action, operation, targets, reason, outcome, detail, hash];
        assert_eq!(texts.iter().collect::<Vec<_>>(), want);
    }
}

#[test]
fn lines_of_json_are_read_back_one_an_entry() {
    let entries: Vec<StoredEntry> = NASTY.iter().map(|text| kept(text)).collect();
    let text = String::from_utf8(Format::Jsonl.lines(&entries)).expect("text");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), entries.len());
    for (line, nasty) in lines.iter().zip(NASTY) {
        assert_eq!((&line["id"], &line["time"]), (&7.into(), &"2026-11-21T00:00:00.250Z".into()));
        for name in ["who", "role", "means", "address", "action", "operation", "reason", "detail"] {
            assert_eq!(line[name], nasty, "{name}");
        }
        let safe = plain(nasty);
        assert_eq!(line["targets"], serde_json::json!([safe]));
        assert_eq!((&line["outcome"], &line["outcomes"][0]["message"]), (&"".into(), &safe.into()));
    }
}

#[test]
fn what_is_no_list_is_a_word() {
    let entry = StoredEntry { targets: "anna".into(), outcome: "wrong password".into(), ..kept("x") };
    let view = entry.view();
    assert_eq!(
        (view.targets, view.outcome.as_str(), view.outcomes.len()),
        (vec!["anna".to_owned()], "wrong password", 0)
    );
    let view = StoredEntry { targets: String::new(), outcome: String::new(), ..kept("x") }.view();
    assert!(view.targets.is_empty() && view.outcomes.is_empty() && view.outcome.is_empty());
}
