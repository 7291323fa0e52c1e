//! The reply to `show stat`: a CSV table whose columns depend on HAProxy's version and build.
//!
//! Columns are found by name, never by place: their places moved even inside the stable branch 2.6.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use memchr::memmem;

use crate::ParseError;

/// What the reply of every version begins with.
const BEGINNING: &[u8] = b"# pxname";

/// A header at the beginning of a line.
const HEADER_LINE: &[u8] = b"\n# pxname,";

/// Fewer cells than the row of any version has, which are 83 and more.
const MIN_CELLS: usize = 60;

/// Without these a row can't be told from another; every version of HAProxy writes them.
const REQUIRED: [&str; 3] = ["svname", "status", "type"];

/// The whole of one `show stat` reply. A clone is cheap and shares the bytes.
///
/// The table holds the reply as it came; rows are read from it as they are asked for.
#[derive(Clone, Debug)]
pub struct StatTable {
    raw: Bytes,
    columns: Arc<[String]>,
    /// Where the first row begins in `raw`, in bytes.
    rows: usize,
}

impl StatTable {
    /// Takes a whole reply, with the empty line that ends it.
    ///
    /// # Errors
    /// [`ParseError::Beginning`] when it doesn't begin with `# pxname`, [`ParseError::Cut`] when the end is missing,
    /// [`ParseError::MissingColumn`] when a column that every version has is not there, [`ParseError::Width`] when the
    /// first row has more or fewer cells than the header, [`ParseError::SecondHeader`] when a row is a header.
    pub fn parse(raw: Bytes) -> Result<Self, ParseError> {
        if !Self::recognises(&raw) {
            return Err(ParseError::Beginning { expected: "`# pxname`" });
        }
        if !raw.ends_with(b"\n\n") {
            return Err(ParseError::Cut { received: raw.len() });
        }
        let header_end = raw.iter().position(|byte| *byte == b'\n');
        let rows = header_end.map_or(raw.len(), |end| end + 1);
        let columns = columns(&raw[..rows]);
        let table = Self { raw, columns, rows };
        table.check()?;
        Ok(table)
    }

    /// Whether header and rows can belong together. Only the first row is counted, to read a large table once.
    fn check(&self) -> Result<(), ParseError> {
        if let Some(column) = REQUIRED.into_iter().find(|name| self.column(name).is_none()) {
            return Err(ParseError::MissingColumn { column });
        }
        let mut record = ByteRecord::new();
        // The cell after the comma that ends a line has no column; an empty line is the end of the table.
        if let Ok(true) = self.reader().read_byte_record(&mut record) {
            let (cells, columns) = (record.len().saturating_sub(1), self.columns.len());
            if cells != columns && !record.get(0).is_some_and(|cell| cell.starts_with(BEGINNING)) {
                return Err(ParseError::Width { cells, columns });
            }
        }
        if memmem::find(&self.raw[self.rows - 1..], HEADER_LINE).is_none() {
            return Ok(());
        }
        // The line may stand in a quoted cell: check and agents write what they like.
        let mut is_header = false;
        self.for_each(|row| is_header |= row.bytes(0) == BEGINNING);
        if is_header { Err(ParseError::SecondHeader) } else { Ok(()) }
    }

    /// Whether a reply is this table, or a part of it, rather than a message.
    pub(super) fn recognises(reply: &[u8]) -> bool {
        reply.starts_with(BEGINNING)
    }

    /// Whether a reply that is no table begins with a row of one: no message has so many commas.
    pub(super) fn lacks_header(reply: &[u8]) -> bool {
        let first = reply.split(|byte| *byte == b'\n').next().unwrap_or_default();
        first.iter().filter(|byte| **byte == b',').count() >= MIN_CELLS
    }

    /// The names of the columns in HAProxy's order, from `pxname` on.
    ///
    /// HAProxy's names are kept as they are, `-` (which ends the fixed columns) and `(null)` (of 2.8.0) included. The
    /// nameless column that the comma at the end of each line makes is left out.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The place of the first column of that name, for [`StatRow`].
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The reply as HAProxy sent it.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Calls `visit` with each row in HAProxy's order: per proxy the frontend, listeners, servers, and the backend.
    ///
    /// All rows pass through one buffer, so that a row costs no allocation.
    pub fn for_each(&self, mut visit: impl FnMut(StatRow<'_>)) {
        let mut reader = self.reader();
        let mut record = ByteRecord::new();
        // Reading flexible rows out of memory can't fail.
        while let Ok(true) = reader.read_byte_record(&mut record) {
            visit(StatRow { record: &record });
        }
    }

    fn reader(&self) -> Reader<&[u8]> {
        ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // HAProxy ends lines with a line feed alone; a carriage return would be a byte like any other.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(&self.raw[self.rows..])
    }
}

/// One line of `show stat`, valid during one call of [`StatTable::for_each`]'s closure.
///
/// Cells are asked for by the place of their column. A cell beyond the end of the row is empty.
#[derive(Clone, Copy, Debug)]
pub struct StatRow<'row> {
    record: &'row ByteRecord,
}

impl<'row> StatRow<'row> {
    /// The cell, unquoted: any bytes, since checks and agents write into some columns.
    pub fn bytes(self, column: usize) -> &'row [u8] {
        self.record.get(column).unwrap_or_default()
    }

    /// The cell as text; bytes that aren't UTF-8 become `U+FFFD`. Control characters stay.
    pub fn text(self, column: usize) -> Cow<'row, str> {
        String::from_utf8_lossy(self.bytes(column))
    }

    /// The cell as a number; `None` when it is empty, no decimal integer, or beyond the range.
    ///
    /// Most numbers are counts. `lastsess` is -1 before the first session.
    pub fn number(self, column: usize) -> Option<i64> {
        let cell = self.bytes(column);
        match cell.strip_prefix(b"-") {
            Some(digits) => 0_i64.checked_sub_unsigned(unsigned(digits)?),
            None => unsigned(cell)?.try_into().ok(),
        }
    }

    /// The cell as a number over the full range of HAProxy's counters; `None` as for [`number`](Self::number), and when
    /// it is negative.
    pub fn unsigned(self, column: usize) -> Option<u64> {
        unsigned(self.bytes(column))
    }
}

fn unsigned(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The names in a header line, which begins with `# ` and ends with a comma and a line feed.
fn columns(header: &[u8]) -> Arc<[String]> {
    let names = header[b"# ".len()..].trim_ascii_end();
    names
        .strip_suffix(b",")
        .unwrap_or(names)
        .split(|byte| *byte == b',')
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

#[cfg(test)]
mod tests;
