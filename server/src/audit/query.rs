//! Looking into the audit log: which entries, newest first for readers, oldest first for exports.
//!
//! A query reads a window of the table at a time, so that nobody else who reads waits long, however rare is what somebody
//! looks for; all of it as it is at one moment, whatever is written or dropped meanwhile.

use std::collections::BTreeMap;

use model::audit::{COLUMNS, Content, Entry, FILTERS, FilterField, StoredEntry};
use rusqlite::{Connection, Row, ToSql, types::ValueRef};

use super::chain::{anchor, column_names, head, hex};

/// Rows that one query reads at most: some ten milliseconds.
const WINDOW: i64 = 5_000;

/// Bytes that one query brings at most, and one entry more: an outcome of 20,000 targets has two megabytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Which entries: all, where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Written at or after this, Unix milliseconds.
    pub from: Option<i64>,
    /// Written before this, Unix milliseconds.
    pub to: Option<i64>,
    /// What the columns have to say.
    pub texts: FilterTexts,
}

/// What is asked of columns, by the names in [`FILTERS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterTexts(BTreeMap<&'static str, String>);

impl FilterTexts {
    /// Asks for a text; an empty one asks for nothing. Whether there is such a filter.
    pub fn set(&mut self, name: &str, text: &str) -> bool {
        let Some(field) = FILTERS.iter().find(|field| field.name == name) else { return false };
        if text.is_empty() {
            self.0.remove(field.name);
        } else {
            self.0.insert(field.name, text.to_owned());
        }
        true
    }

    /// What is asked for by a filter; empty where it is nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// All that is asked for.
    pub fn iter(&self) -> impl Iterator<Item = (&'static FilterField, &String)> {
        FILTERS.iter().filter_map(|field| Some((field, self.0.get(field.name)?)))
    }
}

/// What one query brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries that fit.
    pub entries: Vec<StoredEntry>,
    /// Where the next query begins; nothing at the end.
    pub next: Option<i64>,
    /// Whether it ended because it had enough, and not at the end of its window.
    pub is_cut: bool,
}

/// A filter as a condition of SQL, its text being the parameter of its name.
fn condition(field: &FilterField) -> String {
    let (name, column) = (field.name, field.column.name);
    match field.column.content {
        Content::Text => format!("{column} = :{name}"),
        // Outcomes name the targets too.
        Content::Names => {
            format!("(instr(lower({column}), lower(:{name})) OR instr(lower(outcome), lower(:{name})))")
        }
        // A word, or the word of a target in the list.
        Content::Outcome => {
            format!(r#"({column} = :{name} OR instr({column}, '"outcome":"' || :{name} || '"'))"#)
        }
    }
}

/// Some of the entries that fit, newest first, from the one before `before` on; the newest of all where it is none.
///
/// # Errors
/// What SQLite said.
pub fn newest(
    connection: &Connection,
    filter: &Filter,
    before: Option<i64>,
    most: usize,
) -> Result<Page, rusqlite::Error> {
    let snapshot = connection.unchecked_transaction()?;
    let (oldest, newest) = (anchor(&snapshot)?.id + 1, head(&snapshot)?.id);
    let high = before.map_or(newest, |before| before.saturating_sub(1).min(newest));
    let low = oldest.max(high.saturating_sub(WINDOW - 1));
    let (entries, is_cut) = window(&snapshot, filter, (low, high), "DESC", most)?;
    let reached = entries.last().filter(|_| is_cut).map_or(low, |entry| entry.id);
    Ok(Page { entries, next: Some(reached).filter(|reached| *reached > oldest), is_cut })
}

/// Some of the entries that fit, oldest first, from `first` on, and none after `last`.
///
/// # Errors
/// What SQLite said.
pub fn oldest(connection: &Connection, filter: &Filter, first: i64, last: i64) -> Result<Page, rusqlite::Error> {
    let snapshot = connection.unchecked_transaction()?;
    let (oldest, newest) = (anchor(&snapshot)?.id + 1, head(&snapshot)?.id.min(last));
    let low = first.max(oldest);
    let high = newest.min(low.saturating_add(WINDOW - 1));
    let (entries, is_cut) = window(&snapshot, filter, (low, high), "ASC", usize::MAX)?;
    let reached = entries.last().filter(|_| is_cut).map_or(high, |entry| entry.id);
    Ok(Page { entries, next: Some(reached + 1).filter(|next| *next <= newest), is_cut })
}

/// The entries between two numbers that fit; whether there may be more of them.
fn window(
    connection: &Connection,
    filter: &Filter,
    (low, high): (i64, i64),
    order: &str,
    most: usize,
) -> Result<(Vec<StoredEntry>, bool), rusqlite::Error> {
    let Filter { from, to, texts } = filter;
    let mut query = format!("SELECT {} FROM record WHERE id BETWEEN :low AND :high", column_names());
    let mut values: Vec<(String, &dyn ToSql)> = vec![(":low".to_owned(), &low), (":high".to_owned(), &high)];
    if let Some(from) = from {
        query.push_str(" AND at >= :from");
        values.push((":from".to_owned(), from));
    }
    if let Some(to) = to {
        query.push_str(" AND at < :to");
        values.push((":to".to_owned(), to));
    }
    for (field, text) in texts.iter() {
        query.push_str(&format!(" AND {}", condition(field)));
        values.push((format!(":{}", field.name), text));
    }
    let mut statement = connection.prepare(&format!("{query} ORDER BY id {order}"))?;
    let values: Vec<(&str, &dyn ToSql)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut rows = statement.query(values.as_slice())?;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while entries.len() < most && bytes < MAX_BYTES {
        let Some(row) = rows.next()? else { return Ok((entries, false)) };
        let stored = read(row)?;
        bytes += stored.entry.texts().iter().map(|text| text.len()).sum::<usize>();
        entries.push(stored);
    }
    Ok((entries, true))
}

/// An entry as it is kept. Whatever somebody wrote into the file beside Sluice is shown as far as it can be.
fn read(row: &Row<'_>) -> Result<StoredEntry, rusqlite::Error> {
    let mut texts = [const { String::new() }; COLUMNS.len()];
    for (place, text) in texts.iter_mut().enumerate() {
        if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(2 + place)? {
            *text = String::from_utf8_lossy(bytes).into_owned();
        }
    }
    let hash = match row.get_ref(2 + COLUMNS.len())? {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => hex(bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => String::new(),
    };
    let at = row.get_ref(1)?.as_i64().unwrap_or_default();
    Ok(StoredEntry { id: row.get(0)?, entry: Entry::read(at, texts), hash })
}

#[cfg(test)]
mod tests;
