//! Figures as people read them: 12.4k, 3.1 MB, 2 h 5 min.

/// A count: exact below 10,000, then 12.4k, 3.1M, 2.0G.
#[must_use]
pub fn count(n: u64) -> String {
    if n < 1_000 {
        return n.to_string();
    }
    if n < 10_000 {
        return exact(n);
    }
    scaled(n, &["k", "M", "G", "T", "P", "E"])
}

/// Bytes, with decimal units: 900 B, 12.4 kB, 3.1 MB.
#[must_use]
pub fn bytes(n: u64) -> String {
    if n < 1_000 {
        return if n == 0 { "0".to_owned() } else { format!("{n} B") };
    }
    scaled(n, &[" kB", " MB", " GB", " TB", " PB", " EB"])
}

/// Three figures at most, cut and not rounded: a limit that is not reached never looks reached.
fn scaled(n: u64, units: &[&str]) -> String {
    let (mut whole, mut tenths, mut unit) = (n, 0, 0);
    while whole >= 1_000 {
        tenths = whole % 1_000 / 100;
        whole /= 1_000;
        unit += 1;
    }
    let unit = units[unit - 1];
    if whole < 100 { format!("{whole}.{tenths}{unit}") } else { format!("{whole}{unit}") }
}

/// Every figure of a number, with commas: 1,234,567.
#[must_use]
pub fn exact(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time span, as exact as its size asks for: 8 s, 12 min, 2 h 5 min, 4 d 2 h.
#[must_use]
pub fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let pair = |a: u64, ua: &str, b: u64, ub: &str| {
        if b == 0 { format!("{a} {ua}") } else { format!("{a} {ua} {b} {ub}") }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => pair(hours, "h", minutes % 60, "min"),
        86_400..864_000 => pair(days, "d", hours % 24, "h"),
        _ => format!("{} d", exact(days)),
    }
}

/// The age of data: 0.4 s, 12 s, 3 min. Milliseconds in.
#[must_use]
pub fn age(ms: u64) -> String {
    if ms < 10_000 { format!("{}.{} s", ms / 1_000, ms % 1_000 / 100) } else { span(ms / 1_000) }
}

/// An instant on a clock that is `ahead` minutes ahead of UTC: 14:02:07, with the date before it on another day than
/// `now`. Unix milliseconds in.
#[must_use]
pub fn moment(at: u64, now: u64, ahead: i32) -> String {
    let local = |ms: u64| (ms / 1_000).saturating_add_signed(i64::from(ahead) * 60);
    let (at, today) = (local(at), local(now) / 86_400);
    let time = format!("{:02}:{:02}:{:02}", at / 3_600 % 24, at / 60 % 60, at % 60);
    if at / 86_400 == today {
        return time;
    }
    // Howard Hinnant's `civil_from_days`: the year begins in March, so that the leap day is its last.
    let days = at / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {time}")
}

/// "1 server", "3 servers".
#[must_use]
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{} {word}s", exact(n as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_date_on_another_day() {
        let leap_day = 1_709_208_000_000; // 2024-02-29 12:00:00 UTC
        for (at, now, ahead, want) in [
            (leap_day, leap_day, 0, "12:00:00"),
            (leap_day + 7_000, leap_day, 90, "13:30:07"),
            (leap_day, leap_day + 86_400_000, 0, "2024-02-29 12:00:00"),
            (leap_day, leap_day, 720, "00:00:00"),
            (leap_day, leap_day + 43_200_000, -60, "11:00:00"),
            (leap_day + 43_200_000, leap_day, 0, "2024-03-01 00:00:00"),
            (0, leap_day, 0, "1970-01-01 00:00:00"),
            (1_798_761_599_000, leap_day, 0, "2026-12-31 23:59:59"),
        ] {
            assert_eq!(moment(at, now, ahead), want);
        }
    }

    #[test]
    fn figures_read_well() {
        for (got, want) in [
            (count(0), "0"),
            (count(999), "999"),
            (count(9_999), "9,999"),
            (count(12_480), "12.4k"),
            (count(999_999), "999k"),
            (count(3_100_000), "3.1M"),
            (count(u64::MAX), "18.4E"),
            (bytes(0), "0"),
            (bytes(999), "999 B"),
            (bytes(1_000), "1.0 kB"),
            (bytes(410_000), "410 kB"),
            (bytes(6_200_000), "6.2 MB"),
            (exact(1_234_567), "1,234,567"),
            (span(8), "8 s"),
            (span(60), "1 min"),
            (span(185), "3 min"),
            (span(720), "12 min"),
            (span(7_500), "2 h 5 min"),
            (span(352_800), "4 d 2 h"),
            (span(864_000_000), "10,000 d"),
            (age(437), "0.4 s"),
            (age(12_900), "12 s"),
            (plural(1, "server"), "1 server"),
            (plural(2, "server"), "2 servers"),
        ] {
            assert_eq!(got, want);
        }
    }
}
