//! The time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in Unix milliseconds.
#[must_use]
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The same as databases have it.
#[must_use]
pub fn now() -> i64 {
    i64::try_from(unix_ms()).unwrap_or(i64::MAX)
}

/// The day of a moment in Unix milliseconds, for people: `2026-11-21`.
#[must_use]
pub fn day(at: i64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or(0));
    let text = humantime::format_rfc3339_seconds(time).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
