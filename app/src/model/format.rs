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

/// "1 server", "3 servers".
#[must_use]
pub fn plural(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{} {word}s", exact(n as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
