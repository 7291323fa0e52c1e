//! Whether the audit log is as it was written.

use model::audit::{COLUMNS, Kind};
use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    chain::{Head, anchor, column_names, head},
    entry::hash,
    time,
};

/// An audit log without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries that are kept.
    pub entries: u64,
    /// When the oldest and the newest of them were written, Unix milliseconds.
    pub span: Option<(i64, i64)>,
    /// The newest.
    pub head: Head,
    /// The newest that was dropped for its age or for room.
    pub anchor: Head,
}

/// Where the audit log is not as it was written: the first place that does not fit.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A row that does not make its own hash.
    #[error("entry {id}{} was changed, or the entries before it were: its hash does not fit", of(*at))]
    Changed {
        /// Which.
        id: i64,
        /// When it says that it was written.
        at: i64,
    },
    /// A gap.
    #[error("{} missing", range(*from, *to))]
    Missing {
        /// The first that is missing.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The end was cut off.
    #[error("the newest {} missing: the file says that there were {to}", range(*from, *to))]
    CutOff {
        /// The first that is missing.
        from: i64,
        /// The last.
        to: i64,
    },
    /// Rows after the newest.
    #[error("entry {id} was added beside Sluice: the file says that the newest entry is {newest}", newest = id - 1)]
    Added {
        /// The first of them.
        id: i64,
    },
    /// Rows from before the place where the chain begins.
    #[error("entry {id} is there, and was dropped once: it was added beside Sluice")]
    Returned {
        /// Which.
        id: i64,
    },
    /// The one row that names the newest entry was changed.
    #[error("the file names another newest entry than the one that is there, {id}")]
    Head {
        /// The newest that is there.
        id: i64,
    },
    /// Entries were dropped, and no entry says so.
    #[error("the entries up to {id} were taken away, and not by Sluice: no entry says so")]
    Undocumented {
        /// The newest of them.
        id: i64,
    },
    /// The whole was written anew.
    #[error("entry {id} has another hash than the one you kept: the audit log was rewritten")]
    Rewritten {
        /// Which.
        id: i64,
    },
    /// Fewer entries than once.
    #[error("the audit log ends at entry {newest}, before entry {kept} that you kept: its end was cut off")]
    Shorter {
        /// The newest there is.
        newest: i64,
        /// The one that was kept.
        kept: i64,
    },
    /// A head too old to compare.
    #[error("entry {kept} that you kept was dropped with all up to {dropped}: keep a newer head to compare with")]
    TooOld {
        /// The one that was kept.
        kept: i64,
        /// The newest that was dropped.
        dropped: i64,
    },
    /// An index that leaves entries out, say: then lists don't show what is there.
    #[error("the file is damaged, and lists may leave entries out: {0}")]
    Damaged(String),
    /// No table, or not a database.
    #[error("the audit log can't be read: {0}")]
    Unreadable(#[from] rusqlite::Error),
}

/// Reads the whole audit log, as it is at one moment. `kept` is a head that was shown earlier and kept elsewhere.
///
/// # Errors
/// The first place that does not fit.
pub fn verify(connection: &Connection, kept: Option<&Head>) -> Result<Verified, Broken> {
    let snapshot = connection.unchecked_transaction()?;
    let (newest, anchor) = (head(&snapshot)?, anchor(&snapshot)?);
    let mut walk = Walk { last: anchor.clone(), entries: 0, span: None, is_documented: anchor.id == 0 };
    let drop_note = anchor.to_string();
    let mut statement = snapshot.prepare(&format!("SELECT {} FROM record ORDER BY id", column_names()))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        walk.step(row, &drop_note, kept)?;
    }
    let last = walk.last;
    if last.id < newest.id {
        return Err(Broken::CutOff { from: last.id + 1, to: newest.id });
    }
    if last.id > newest.id {
        return Err(Broken::Added { id: newest.id + 1 });
    }
    if last != newest {
        return Err(Broken::Head { id: last.id });
    }
    if !walk.is_documented {
        return Err(Broken::Undocumented { id: anchor.id });
    }
    let health: String = snapshot.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if health != "ok" {
        return Err(Broken::Damaged(health));
    }
    match kept {
        Some(kept) if kept.id > last.id => return Err(Broken::Shorter { newest: last.id, kept: kept.id }),
        Some(kept) if kept.id < anchor.id => return Err(Broken::TooOld { kept: kept.id, dropped: anchor.id }),
        Some(kept) if kept.id == anchor.id && *kept != anchor => return Err(Broken::Rewritten { id: kept.id }),
        _ => {}
    }
    Ok(Verified { entries: walk.entries, span: walk.span, head: last, anchor })
}

/// How far the reading has come.
struct Walk {
    last: Head,
    entries: u64,
    span: Option<(i64, i64)>,
    /// Whether an entry tells of what was dropped.
    is_documented: bool,
}

impl Walk {
    fn step(&mut self, row: &Row<'_>, drop_note: &str, kept: Option<&Head>) -> Result<(), Broken> {
        let (id, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        if id <= self.last.id {
            return Err(Broken::Returned { id });
        }
        if id > self.last.id + 1 {
            return Err(Broken::Missing { from: self.last.id + 1, to: id - 1 });
        }
        let mut texts: [&[u8]; COLUMNS.len()] = [&[]; COLUMNS.len()];
        for (place, text) in texts.iter_mut().enumerate() {
            // The same bytes as something else than a text would make the same hash, and be read as nothing elsewhere.
            let ValueRef::Text(bytes) = row.get_ref(2 + place)? else { return Err(Broken::Changed { id, at }) };
            *text = bytes;
        }
        let found = match row.get_ref(2 + COLUMNS.len())? {
            ValueRef::Blob(found) if found == hash(id, &self.last.hash, at, &texts) => found,
            _ => return Err(Broken::Changed { id, at }),
        };
        let has = |name: &str, word: &str| {
            COLUMNS.iter().zip(texts).any(|(column, text)| column.name == name && text == word.as_bytes())
        };
        self.is_documented |= has("kind", Kind::Retention.word()) && has("outcome", drop_note);
        self.last = Head { id, hash: found.to_vec() };
        if kept.is_some_and(|kept| kept.id == id && *kept != self.last) {
            return Err(Broken::Rewritten { id });
        }
        self.entries += 1;
        self.span = Some((self.span.map_or(at, |(first, _)| first), at));
        Ok(())
    }
}

fn of(at: i64) -> String {
    format!(" of {}", time::format(at))
}

fn range(from: i64, to: i64) -> String {
    if from == to { format!("entry {from} is") } else { format!("entries {from} to {to} are") }
}
