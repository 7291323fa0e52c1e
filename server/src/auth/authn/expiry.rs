//! How long tokens and wall links last: for a bounded time, never for ever.

use std::time::Duration;

/// The shortest time.
const LEAST: Duration = Duration::from_secs(60);

/// The longest time: what nobody had to renew for more than a year is forgotten. Browsers keep no cookie for longer, either.
const MOST: Duration = Duration::from_secs(400 * 24 * 3600);

/// Why a text is not such a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time to last: write a number and its unit, from \"1m\" to \"400d\", as \"30d\"")]
pub struct ExpiryError(String);

/// Reads a time as people write it: `12h`, `30d`.
///
/// # Errors
/// When it is none, too short or too long.
pub fn parse(text: &str) -> Result<Duration, ExpiryError> {
    let time = humantime::parse_duration(text.trim()).ok().filter(|time| (LEAST..=MOST).contains(time));
    time.ok_or_else(|| ExpiryError(text.chars().take(40).collect()))
}

/// The moment so long after `now`, Unix milliseconds.
#[must_use]
pub fn after(now: i64, time: Duration) -> i64 {
    now.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_last_has_a_unit_and_bounds() {
        for (text, seconds) in [("1m", 60), ("12h", 43_200), (" 30d ", 2_592_000), ("400d", 34_560_000)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "30", "-1d", "0d", "59s", "401d", "forever", "9999999999999999999999d", "1e3d"] {
            let error = parse(text).expect_err(text);
            assert!(error.to_string().contains("as \"30d\""), "{error}");
        }
        assert_eq!(after(5, Duration::from_secs(1)), 1_005);
        assert_eq!(after(i64::MAX, Duration::from_secs(1)), i64::MAX);
    }
}
