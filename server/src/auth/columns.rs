//! Texts and lists as they are stored in a column.

use std::{error::Error, str::FromStr};

use rusqlite::{Row, types::Type};

/// A list as JSON.
#[must_use]
pub(crate) fn list(items: &[String]) -> String {
    // A list of texts can always be written as JSON.
    serde_json::to_string(items).unwrap_or_default()
}

/// Reads a list that [`list`] wrote.
///
/// # Errors
/// When the column holds something else.
pub(crate) fn listed(row: &Row<'_>, column: usize) -> Result<Vec<String>, rusqlite::Error> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| invalid(column, error))
}

/// Reads a value from the text that stands for it.
///
/// # Errors
/// When the text stands for no such value.
pub(crate) fn parsed<T: FromStr<Err: Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> Result<T, rusqlite::Error> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| invalid(column, error))
}

fn invalid(column: usize, error: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
