//! That an export can be read back, and starts nothing in a spreadsheet.

use model::text::plain;
use serde_json::Value;
use utoipa::PartialSchema as _;

use super::*;
use crate::audit::{Entry, TargetNote};

/// The columns of CSV, and their order: programs read it.
const HEAD: [&str; 14] = [
    "id",
    "time",
    "kind",
    "who",
    "role",
    "means",
    "address",
    "action",
    "operation",
    "targets",
    "reason",
    "outcome",
    "detail",
    "hash",
];

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
    let mut entry = Entry::new(1_795_219_200_250, "outcome".to_owned());
    for (_, column) in entry.texts_mut() {
        text.clone_into(column);
    }
    entry.targets = serde_json::to_string(&[text]).expect("JSON");
    entry.outcome = serde_json::to_string(&[note]).expect("JSON");
    StoredEntry { id: 7, entry, hash: "ab".repeat(32) }
}

#[test]
fn csv_is_read_back_and_no_cell_is_a_formula() {
    let entries: Vec<StoredEntry> = NASTY.iter().map(|text| kept(text)).collect();
    let bytes = [ExportFormat::Csv.head(), ExportFormat::Csv.lines(entries.clone())].concat();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a head").iter().collect::<Vec<_>>(), HEAD);
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
    assert_eq!(rows.len(), entries.len());
    for (row, entry) in rows.iter().zip(&entries) {
        let starts = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']);
        assert!(!row.iter().any(starts), "{row:?}");
        let plain = |place: usize| row[place].strip_prefix('\'').unwrap_or(&row[place]).to_owned();
        assert_eq!((&row[0], &row[1]), ("7", "2026-11-21T00:00:00.250Z"));
        let texts: Vec<String> = (2..HEAD.len()).map(plain).collect();
        assert_eq!(texts, [entry.entry.texts().as_slice(), &[entry.hash.as_str()]].concat());
    }
}

#[test]
fn lines_of_json_are_read_back_one_an_entry() {
    let entries: Vec<StoredEntry> = NASTY.iter().map(|text| kept(text)).collect();
    let text = String::from_utf8(ExportFormat::Jsonl.lines(entries.clone())).expect("text");
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
    let with = |targets: &str, outcome: &str| {
        let mut stored = kept("x");
        (stored.entry.targets, stored.entry.outcome) = (targets.to_owned(), outcome.to_owned());
        EntryView::from(stored)
    };
    let view = with("anna", "wrong password");
    assert_eq!(
        (view.targets, view.outcome.as_str(), view.outcomes.len()),
        (vec!["anna".to_owned()], "wrong password", 0)
    );
    let view = with("", "");
    assert!(view.targets.is_empty() && view.outcomes.is_empty() && view.outcome.is_empty());
}

#[test]
fn json_has_its_names_in_their_order_and_the_description_has_the_same() {
    let names = [
        "id",
        "at",
        "time",
        "kind",
        "who",
        "role",
        "means",
        "address",
        "action",
        "operation",
        "targets",
        "reason",
        "outcome",
        "outcomes",
        "detail",
        "hash",
    ];
    let line = String::from_utf8(ExportFormat::Jsonl.lines(vec![kept("x")])).expect("text");
    let places: Vec<_> = names.iter().map(|name| line.find(&format!("\"{name}\":")).expect(name)).collect();
    // `outcome` of a target comes first where its list does, and so does no name of the entry itself.
    assert!(places.is_sorted(), "{line}");
    let schema = serde_json::to_value(EntryView::schema()).expect("JSON");
    assert_eq!(schema["required"], serde_json::json!(names));
    let described = schema["properties"].as_object().expect("properties");
    let line: Value = serde_json::from_str(&line).expect("JSON");
    let sent = line.as_object().expect("an object");
    assert_eq!(described.len(), names.len());
    for (name, value) in sent {
        let kind = match value {
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            _ => "array",
        };
        assert_eq!(described[name]["type"], kind, "{name}");
        assert!(described[name]["description"].as_str().is_some_and(|words| words.ends_with('.')), "{name}");
    }
}
