//! Instants as they are written and read everywhere around the audit log: in UTC.

use std::time::{Duration, SystemTime};

/// The end of the year 9999, Unix milliseconds: the last that `humantime` can write.
const LAST: u64 = 253_402_300_799_999;

/// An instant as text: `2026-11-21T13:05:07.250Z`. Unix milliseconds in.
#[must_use]
pub fn format(at: i64) -> String {
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
pub fn parse(text: &str) -> Result<i64, TimeError> {
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
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_utc_as_people_write_it() {
        let day = 1_795_219_200_000; // 2026-11-21
        for (text, want) in [
            ("2026-11-21", Ok(day)),
            ("2026-11-21T01:00", Ok(day + 3_600_000)),
            ("2026-11-21 01:00:07", Ok(day + 3_607_000)),
            ("2026-11-21T01:00:07Z", Ok(day + 3_607_000)),
            (" 2026-11-21T01:00:07.250Z ", Ok(day + 3_607_250)),
            ("yesterday", Err(TimeError)),
            ("2026-13-21", Err(TimeError)),
            ("2026-11-21T01:00:07+02:00", Err(TimeError)),
            ("", Err(TimeError)),
            ("ééééé", Err(TimeError)),
        ] {
            assert_eq!(parse(text), want, "{text}");
        }
        assert_eq!(format(day + 250), "2026-11-21T00:00:00.250Z");
        assert_eq!(parse(&format(day + 250)), Ok(day + 250));
        assert!(format(i64::MAX).starts_with("9999-") && format(i64::MIN).starts_with("1970-"));
    }
}
