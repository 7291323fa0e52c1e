//! The audit log for other programs: as lines of JSON, or as CSV for spreadsheets.

use std::{fmt, str::FromStr};

use model::audit::{COLUMNS, StoredEntry};

use super::{time, view::EntryView};

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A table for spreadsheets (RFC 4180).
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// No such way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an export is csv or jsonl")]
pub struct ExportFormatError;

impl FromStr for ExportFormat {
    type Err = ExportFormatError;

    fn from_str(text: &str) -> Result<Self, ExportFormatError> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err(ExportFormatError),
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        })
    }
}

impl ExportFormat {
    /// Its registered name.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl",
        }
    }

    /// What stands before the first entry.
    #[must_use]
    pub fn head(self) -> Vec<u8> {
        match self {
            Self::Csv => csv_line(csv_columns()),
            Self::Jsonl => Vec::new(),
        }
    }

    /// Entries as they are written.
    #[must_use]
    pub fn lines(self, entries: Vec<StoredEntry>) -> Vec<u8> {
        entries.into_iter().flat_map(|entry| self.line(entry)).collect()
    }

    fn line(self, entry: StoredEntry) -> Vec<u8> {
        match self {
            Self::Csv => csv(&entry),
            Self::Jsonl => json(&entry.into()),
        }
    }
}

fn json(entry: &EntryView) -> Vec<u8> {
    // Texts, lists and numbers always are JSON.
    let mut line = serde_json::to_vec(entry).unwrap_or_default();
    line.push(b'\n');
    line
}

/// The columns of CSV.
fn csv_columns() -> impl Iterator<Item = &'static str> {
    ["id", "time"].into_iter().chain(COLUMNS.iter().map(|column| column.name)).chain(["hash"])
}

fn csv(StoredEntry { id, entry, hash }: &StoredEntry) -> Vec<u8> {
    let texts = entry.texts().into_iter().chain([hash.as_str()]).map(guarded);
    csv_line([id.to_string(), time::format(entry.at)].into_iter().chain(texts))
}

fn csv_line(cells: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into a Vec can't fail.
    let _: csv::Result<()> = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

/// A text that no spreadsheet takes for a formula: where it could, an apostrophe stands before it, which spreadsheets do
/// not show. A text that begins with an apostrophe gets one more, so that the first can be taken away again.
fn guarded(text: &str) -> String {
    let could = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'', '＝', '＋', '－', '＠']);
    if could { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
