//! What HAProxy writes into a cell, as JSON: a number where the column holds numbers, text otherwise.
//!
//! A cell is a number when its column is none of the known columns of text and the cell reads as a whole number. So a
//! column that a later HAProxy brings is a number where it looks like one, and a server named `2001` stays text.

use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

/// The columns of `show stat` that hold text, whatever it looks like: names, states, and what checks, agents and the
/// configuration say.
const STAT_TEXTS: [&str; 20] = [
    "pxname",
    "svname",
    "status",
    "tracked",
    "check_status",
    "last_chk",
    "last_agt",
    "agent_status",
    "check_desc",
    "agent_desc",
    "addr",
    "cookie",
    "mode",
    "algo",
    "agg_server_status",
    "agg_server_check_status",
    "agg_check_status",
    "proto",
    "-",
    "(null)",
];

/// The lines of `show info` that hold text.
const INFO_TEXTS: [&str; 7] = ["Name", "Version", "Release_date", "Uptime", "node", "description", "Build info"];

/// A value by HAProxy: a number where it is one, otherwise text.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Cell {
    /// A whole number.
    #[schema(value_type = i64)]
    Number(Number),
    /// Anything else; bytes that are no UTF-8 are replaced by U+FFFD.
    Text(String),
}

impl Cell {
    /// A value of `show info`.
    pub(crate) fn of_info(name: &str, value: &str) -> Self {
        match number(value.as_bytes()) {
            Some(number) if !INFO_TEXTS.contains(&name) => Self::Number(number),
            _ => Self::Text(value.to_owned()),
        }
    }
}

/// Whether a column of `show stat` holds text.
pub(crate) fn is_text(column: &str) -> bool {
    STAT_TEXTS.contains(&column)
}

/// The whole number that a cell reads as: digits, perhaps after a minus.
pub(crate) fn number(cell: &[u8]) -> Option<Number> {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let text = std::str::from_utf8(cell).ok()?;
    match text.parse::<u64>() {
        Ok(number) => Some(number.into()),
        Err(_) => text.parse::<i64>().ok().map(Number::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_numbers() {
        for (cell, expected) in [
            ("0", Some("0")),
            ("007", Some("7")),
            ("-1", Some("-1")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("18446744073709551616", None),
            ("", None),
            ("-", None),
            ("+1", None),
            ("1.5", None),
            ("1e3", None),
            ("0x10", None),
            (" 1", None),
        ] {
            assert_eq!(number(cell.as_bytes()).map(|n| n.to_string()).as_deref(), expected, "{cell:?}");
        }
        assert_eq!(Cell::of_info("Version", "3"), Cell::Text("3".into()));
        assert_eq!(Cell::of_info("Pid", "3"), Cell::Number(3.into()));
    }
}
