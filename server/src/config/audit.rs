//! `[audit]`: whether actions need a reason, how long the audit log is kept, and where else it goes.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::reader::{Located, Mistakes, kind};
use crate::audit::{Settings, SyslogAddressError};

/// The shortest time that entries are kept: a log of less than a day proves nothing.
const MIN_AGE: Duration = Duration::from_secs(86_400);

/// The smallest size that the audit log may be limited to, in bytes.
const MIN_SIZE: u64 = 16 << 20;

/// Units of a size, the longest names first.
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Reads the table.
pub(super) fn read(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Settings {
    let mut settings = Settings::default();
    let Some(value) = table.get("audit") else { return settings };
    let DeValue::Table(table) = value.get_ref() else {
        let found = kind(value.get_ref());
        mistakes
            .add(&value.span(), format!("`audit` is {found}: write a table, as [audit] and keep = \"400d\" below it"));
        return settings;
    };
    mistakes.unknown_keys(table, &["reason", "keep", "max_size", "syslog"]);
    if let Some(Located { value, span }) = mistakes.text(table, "reason", "required") {
        match value.as_str() {
            "required" => settings.needs_reason = true,
            "optional" => {}
            _ => mistakes.add(&span, format!("`reason` is {value:?}: write \"required\" or \"optional\"")),
        }
    }
    if let Some(Located { value, span }) = mistakes.text(table, "keep", "400d") {
        match humantime::parse_duration(&value) {
            Ok(age) if age >= MIN_AGE => settings.keep.age = age,
            Ok(_) => mistakes.add(&span, format!("`keep` is {value}: write a time of a day at least")),
            Err(_) => {
                mistakes.add(&span, format!("`keep` is no time: {value:?}; write a number and its unit, as \"400d\""));
            }
        }
    }
    if let Some(Located { value, span }) = mistakes.text(table, "max_size", "1GiB") {
        match size(&value) {
            Some(size) if size >= MIN_SIZE => settings.keep.size = size,
            Some(_) => mistakes.add(&span, format!("`max_size` is {value}: write 16MiB at least")),
            None => {
                let example = "write a number and its unit, as \"1GiB\" or \"500MB\"";
                mistakes.add(&span, format!("`max_size` is no size: {value:?}; {example}"));
            }
        }
    }
    if let Some(Located { value, span }) = mistakes.text(table, "syslog", "unix:/dev/log") {
        settings.syslog =
            value.parse().map_err(|error: SyslogAddressError| mistakes.add(&span, error.to_string())).ok();
    }
    settings
}

/// Reads a size; in bytes.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    number.trim().parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_number_and_a_unit() {
        for (text, bytes) in [
            ("1GiB", Some(1 << 30)),
            ("500 MB", Some(500_000_000)),
            ("20kB", Some(20_000)),
            ("7B", Some(7)),
            ("7", None),
            ("GiB", None),
            ("-1GiB", None),
            ("1.5GiB", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }
}
