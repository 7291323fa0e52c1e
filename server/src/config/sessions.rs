//! `[sessions]`: how long people stay logged in.

use std::time::Duration;

use toml::de::DeTable;

use super::reader::{Located, Mistakes, kind};
use crate::auth::SessionLimits;

/// The shortest time: nobody could work with less.
const SHORTEST: Duration = Duration::from_secs(60);

/// The longest time: browsers keep no cookie for longer.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Reads the table; a default replaces what is wrong or missing.
pub(super) fn read(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> SessionLimits {
    let mut limits = SessionLimits::default();
    let Some(value) = table.get("sessions") else { return limits };
    let Some(table) = value.get_ref().as_table() else {
        let found = kind(value.get_ref());
        let message = format!("`sessions` is {found}: write a table, as [sessions] and idle = \"12h\" below it");
        mistakes.add(&value.span(), message);
        return limits;
    };
    mistakes.unknown_keys(table, &["idle", "absolute"]);
    limits.idle = time(table, "idle", "12h", mistakes).unwrap_or(limits.idle);
    limits.absolute = time(table, "absolute", "7d", mistakes).unwrap_or(limits.absolute);
    if limits.idle > limits.absolute {
        // A session ends after `absolute` whatever its use: a longer `idle`, as the default may be, has no effect.
        limits.idle = limits.absolute;
    }
    limits
}

fn time(table: &DeTable<'_>, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<Duration> {
    let Located { value, span } = mistakes.text(table, key, example)?;
    let wrong = match humantime::parse_duration(&value) {
        Ok(time) if (SHORTEST..=LONGEST).contains(&time) => return Some(time),
        Ok(_) => format!("`{key}` is {value}: write a time from 1min to 400d"),
        Err(_) => format!("`{key}` is no time: {value:?}; write a number and its unit, as {key} = \"{example}\""),
    };
    mistakes.add(&span, wrong);
    None
}

#[cfg(test)]
mod tests {
    use crate::config::file::parse;

    const NODE: &str = "[[node]]\nname = \"lb1\"\naddress = \"/a\"\n";
    const HOUR: u64 = 60 * 60;

    #[test]
    fn sessions_last_as_long_as_is_said() {
        for (text, idle, absolute) in [
            ("", 12 * HOUR, 7 * 24 * HOUR),
            ("[sessions]\nidle = \"30min\"\n", HOUR / 2, 7 * 24 * HOUR),
            ("[sessions]\nabsolute = \"8h\"\n", 8 * HOUR, 8 * HOUR),
            ("[sessions]\nidle = \"1h\"\nabsolute = \"30days\"\n", HOUR, 30 * 24 * HOUR),
        ] {
            let limits = parse(&format!("{text}{NODE}")).expect(text).sessions;
            assert_eq!((limits.idle.as_secs(), limits.absolute.as_secs()), (idle, absolute), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, told) in [
            ("[sessions]\nidle = \"1s\"\n", "2:8: `idle` is 1s: write a time from 1min to 400d"),
            ("[sessions]\nabsolute = \"long\"\n", "2:12: `absolute` is no time"),
            ("[sessions]\nidel = \"1h\"\n", "2:1: unknown key `idel`: did you mean `idle`?"),
            ("[sessions]\nidle = 12\n", "2:8: `idle` is a number: write text, as idle = \"12h\""),
            ("sessions = \"1h\"\n", "1:12: `sessions` is text: write a table"),
        ] {
            let mistakes = parse(&format!("{text}{NODE}")).expect_err(text);
            let mistake = mistakes[0].to_string();
            assert!(mistake.starts_with(told), "{mistake}");
        }
    }
}
