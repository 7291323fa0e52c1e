//! How texts and lists stand in a column.

use std::{error::Error, str::FromStr};

use rusqlite::{Row, types::Type};

/// A list as JSON.
#[must_use]
pub(crate) fn list(items: &[String]) -> String {
    // A list of texts always is JSON.
    serde_json::to_string(items).unwrap_or_default()
}

/// A list out of a column.
///
/// # Errors
/// When there is no such list in it.
pub(crate) fn listed(row: &Row<'_>, column: usize) -> Result<Vec<String>, rusqlite::Error> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| misfit(column, error))
}

/// What a column's text says.
///
/// # Errors
/// When it says nothing of that kind.
pub(crate) fn parsed<T: FromStr<Err: Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> Result<T, rusqlite::Error> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| misfit(column, error))
}

fn misfit(column: usize, error: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
