//! Looking into the record: which entries, newest first for readers, oldest first for exports.
//!
//! A look reads a window of the table at a time, so that an operation never waits long for the one thread of the
//! database, however rare is what somebody looks for.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, Row, ToSql, named_params, types::ValueRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    chain::{anchor, head, hex},
    entry::plain,
};

/// Rows that one look reads at most: some ten milliseconds.
const WINDOW: i64 = 5_000;

/// Bytes that one look brings at most, and one entry more: an outcome of 20,000 targets has two megabytes.
const MOST_BYTES: usize = 1024 * 1024;

/// Which entries; an empty text filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Written at or after this, Unix milliseconds.
    pub from: Option<i64>,
    /// Written before this, Unix milliseconds.
    pub to: Option<i64>,
    /// By this account.
    pub who: String,
    /// Of this kind, by its word.
    pub kind: String,
    /// About this action.
    pub action: String,
    /// Of this operation.
    pub operation: String,
    /// With this in the name of a target, in any case.
    pub target: String,
    /// From this address.
    pub address: String,
    /// With this outcome, of the entry or of one of its targets.
    pub outcome: String,
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its number.
    pub id: i64,
    /// When, Unix milliseconds.
    pub at: i64,
    /// The kind's word.
    pub kind: String,
    /// As in [`super::Entry`], as all that follow.
    pub who: String,
    /// The role.
    pub role: String,
    /// How they were known.
    pub means: String,
    /// From where.
    pub address: String,
    /// What.
    pub action: String,
    /// The operation's name.
    pub operation: String,
    /// A JSON list.
    pub targets: String,
    /// Why.
    pub reason: String,
    /// A word, or a JSON list of [`TargetNote`].
    pub outcome: String,
    /// What else there is to say.
    pub detail: String,
    /// SHA-256 in hexadecimal digits.
    pub hash: String,
}

/// An entry as programs and people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntryView {
    /// Counts up without a gap.
    pub id: i64,
    /// When it was written, Unix milliseconds.
    pub at: i64,
    /// The same in words: `2026-11-21T13:05:07.250Z`.
    pub time: String,
    /// `login`, `operation`, `outcome`, `refusal`, `account`, `configuration` or `retention`.
    pub kind: String,
    /// The account's name.
    pub who: String,
    /// Its role at that time.
    pub role: String,
    /// How it was known.
    pub means: String,
    /// Where it asked from.
    pub address: String,
    /// What: an action's short name, or what else was done.
    pub action: String,
    /// The operation that it belongs to, as `POST /api/v1/actions` named it.
    pub operation: String,
    /// On what: `NODE/BACKEND/SERVER` each, or an account's name.
    pub targets: Vec<String>,
    /// Why, in the caller's words.
    pub reason: String,
    /// What became of it, in a word; empty where `outcomes` tell it.
    pub outcome: String,
    /// What became of each target.
    pub outcomes: Vec<TargetNote>,
    /// What else there is to say, for a person.
    pub detail: String,
    /// SHA-256 over this entry and the hash of the one before it, in hexadecimal digits.
    pub hash: String,
}

/// What became of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetNote {
    /// `NODE/BACKEND/SERVER`.
    pub target: String,
    /// `done`, `unchanged`, `refused`, `unreachable` or `unverified`.
    pub outcome: String,
    /// The `status` column before.
    pub before: String,
    /// The `status` column afterwards.
    pub after: String,
    /// HAProxy's words, or what is known; may be empty.
    pub message: String,
}

impl StoredEntry {
    /// The entry with its lists read.
    #[must_use]
    pub fn view(&self) -> EntryView {
        let Self { id, at, kind, who, role, means, address, action, operation, reason, detail, hash, .. } =
            self.clone();
        // In JSON a character that could harm a reader stands as its number, and comes back when it is read.
        let targets = match serde_json::from_str::<Vec<String>>(&self.targets) {
            Ok(targets) => targets.iter().map(|target| plain(target)).collect(),
            Err(_) if self.targets.is_empty() => Vec::new(),
            Err(_) => vec![self.targets.clone()],
        };
        let note = |TargetNote { target, outcome, before, after, message }| {
            let [target, outcome, before, after, message] =
                [target, outcome, before, after, message].map(|text| plain(&text));
            TargetNote { target, outcome, before, after, message }
        };
        let outcomes: Option<Vec<TargetNote>> = serde_json::from_str(&self.outcome).ok();
        let outcomes: Option<Vec<TargetNote>> = outcomes.map(|notes| notes.into_iter().map(note).collect());
        let outcome = if outcomes.is_some() { String::new() } else { self.outcome.clone() };
        let (time, outcomes) = (written(at), outcomes.unwrap_or_default());
        EntryView {
            id,
            at,
            time,
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
            outcomes,
            detail,
            hash,
        }
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        // Whatever somebody wrote into the file beside Sluice is shown as far as it can be.
        let text = |place: usize| match row.get_ref(place) {
            Ok(ValueRef::Text(bytes)) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Ok(_) => Ok(String::new()),
            Err(error) => Err(error),
        };
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            kind: text(2)?,
            who: text(3)?,
            role: text(4)?,
            means: text(5)?,
            address: text(6)?,
            action: text(7)?,
            operation: text(8)?,
            targets: text(9)?,
            reason: text(10)?,
            outcome: text(11)?,
            detail: text(12)?,
            hash: hex(&row.get::<_, Vec<u8>>(13)?),
        })
    }

    fn size(&self) -> usize {
        self.targets.len() + self.outcome.len() + self.reason.len() + self.detail.len()
    }
}

/// What one look brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries that fit.
    pub entries: Vec<StoredEntry>,
    /// Where the next look begins; nothing at the end.
    pub next: Option<i64>,
    /// Whether it ended because it had enough, and not at the end of its window.
    pub is_cut: bool,
}

const FITS: &str = "(:from IS NULL OR at >= :from) AND (:to IS NULL OR at < :to)
    AND (:who = '' OR who = :who) AND (:kind = '' OR kind = :kind) AND (:action = '' OR action = :action)
    AND (:operation = '' OR operation = :operation) AND (:address = '' OR address = :address)
    AND (:target = '' OR instr(lower(targets), lower(:target)) OR instr(lower(outcome), lower(:target)))
    AND (:outcome = '' OR outcome = :outcome OR instr(outcome, :note))";

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
    let (oldest, newest) = (anchor(connection)?.id + 1, head(connection)?.id);
    let high = before.map_or(newest, |before| before.saturating_sub(1).min(newest));
    let low = oldest.max(high.saturating_sub(WINDOW - 1));
    let (entries, is_cut) = window(connection, filter, (low, high), "DESC", most)?;
    let reached = entries.last().filter(|_| is_cut).map_or(low, |entry| entry.id);
    Ok(Page { entries, next: Some(reached).filter(|reached| *reached > oldest), is_cut })
}

/// Some of the entries that fit, oldest first, from `first` on, and none after `last`.
///
/// # Errors
/// What SQLite said.
pub fn oldest(connection: &Connection, filter: &Filter, first: i64, last: i64) -> Result<Page, rusqlite::Error> {
    let (oldest, newest) = (anchor(connection)?.id + 1, head(connection)?.id.min(last));
    let low = first.max(oldest);
    let high = newest.min(low.saturating_add(WINDOW - 1));
    let (entries, is_cut) = window(connection, filter, (low, high), "ASC", usize::MAX)?;
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
    let query = format!("SELECT * FROM record WHERE id BETWEEN :low AND :high AND {FITS} ORDER BY id {order}");
    let mut statement = connection.prepare(&query)?;
    let Filter { from, to, who, kind, action, operation, target, address, outcome } = filter;
    let note = format!("\"outcome\":\"{outcome}\"");
    let named: &[(&str, &dyn ToSql)] = named_params! {
        ":low": low, ":high": high, ":from": from, ":to": to, ":who": who, ":kind": kind, ":action": action,
        ":operation": operation, ":target": target, ":address": address, ":outcome": outcome, ":note": note,
    };
    let mut rows = statement.query(named)?;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while entries.len() < most && bytes < MOST_BYTES {
        let Some(row) = rows.next()? else { return Ok((entries, false)) };
        let entry = StoredEntry::read(row)?;
        bytes += entry.size();
        entries.push(entry);
    }
    Ok((entries, true))
}

/// An instant as it is written everywhere here: `2026-11-21T13:05:07.250Z`. Unix milliseconds in.
#[must_use]
pub fn written(at: i64) -> String {
    // What `humantime` can write ends with the year 9999.
    const LAST: u64 = 253_402_300_799_999;
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or_default().min(LAST));
    humantime::format_rfc3339_millis(at).to_string()
}

/// No instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a time in UTC, as 2026-11-21, 2026-11-21T13:05 or 2026-11-21T13:05:07Z")]
pub struct TimeError;

/// Reads an instant in UTC: a day, with the time of day or without. Unix milliseconds out.
///
/// # Errors
/// When it is none.
pub fn read_time(text: &str) -> Result<i64, TimeError> {
    let text = text.trim();
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ if text.ends_with(['Z', 'z']) => text.to_owned(),
        _ => format!("{text}Z"),
    };
    let time = humantime::parse_rfc3339_weak(&whole).map_err(|_| TimeError)?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| TimeError)?;
    i64::try_from(since.as_millis()).map_err(|_| TimeError)
}

#[cfg(test)]
mod tests;
