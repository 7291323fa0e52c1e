//! Reads values out of a parsed TOML table, and collects every mistake with its position.
//!
//! It walks the table itself, because serde stops at the first mistake and loses its position.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::error::Mistake;

/// How similar a known key must be to an unknown one, from 0 to 1, to be suggested in its place. By Jaro-Winkler, which is
/// tolerant of typing errors (`adress` 0.96, `pol` 0.93) and tells other words apart (`port` and `poll` 0.73).
const SIMILAR: f64 = 0.8;

/// The mistakes found so far in one text.
pub(super) struct Mistakes<'t> {
    text: &'t str,
    found: Vec<(usize, String)>,
}

/// A value with its position in the text, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<'t> Mistakes<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Adds a mistake with what is at `span`.
    pub(super) fn add(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.found.push((span.start, message.into()));
    }

    /// All mistakes, in the order of the text.
    pub(super) fn into_vec(mut self) -> Vec<Mistake> {
        self.found.sort_by_key(|(at, _)| *at);
        let text = self.text;
        self.found
            .into_iter()
            .map(|(at, message)| {
                let (line, column) = position(text, at);
                Mistake { line, column, message }
            })
            .collect()
    }

    /// The text of `key`, where it is there and is text. `example` is a value as somebody would write it.
    pub(super) fn text(&mut self, table: &DeTable<'_>, key: &str, example: &str) -> Option<Located<String>> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            let found = kind(value.get_ref());
            self.add(&value.span(), format!("`{key}` is {found}: write text, as {key} = \"{example}\""));
        }
        Some(Located { value: text?.to_owned(), span: value.span() })
    }

    /// The value of `key`, where it is there and is `true` or `false`.
    pub(super) fn flag(&mut self, table: &DeTable<'_>, key: &str) -> Option<Located<bool>> {
        let value = table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            let found = kind(value.get_ref());
            self.add(&value.span(), format!("`{key}` is {found}: write {key} = true, or leave it out"));
        }
        Some(Located { value: flag?, span: value.span() })
    }

    /// Adds a mistake for every key of `table` that is not among `known`, with the most similar one of those.
    pub(super) fn unknown_keys(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                self.add(&key.span(), format!("unknown key `{}`: {}", name.escape_debug(), suggestion(name, known)));
            }
        }
    }
}

/// What kind of value it is, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The tables under `[[key]]`; `None` in place of anything that isn't a table.
pub(super) fn tables<'v, 'i>(list: &'v [Spanned<DeValue<'i>>]) -> Vec<(Range<usize>, Option<&'v DeTable<'i>>)> {
    list.iter().map(|item| (item.span(), item.get_ref().as_table())).collect()
}

/// The most similar of the known names; all of them where none is similar.
pub(super) fn suggestion(name: &str, known: &[&str]) -> String {
    let similarity = |key: &str| strsim::jaro_winkler(&name.to_ascii_lowercase(), key);
    let nearest = known.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest {
        Some(key) if similarity(key) >= SIMILAR => format!("did you mean `{key}`?"),
        _ => format!("there is {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// The line and the column of a byte, both counted from 1; the column in characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
