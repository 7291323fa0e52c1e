//! Headers that list what a client accepts, with weights (RFC 9110, 12.4.2).

use axum::http::HeaderValue;

/// Every entry in lower case, with its weight in thousandths. Parameters other than the weight are left out; an entry
/// whose weight can't be read is not welcome.
pub(super) fn entries<'h>(headers: impl IntoIterator<Item = &'h HeaderValue>) -> Vec<(String, u16)> {
    let lines = headers.into_iter().map(|header| header.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',').filter_map(weighed)).collect()
}

/// One entry with its weight in thousandths.
fn weighed(entry: &str) -> Option<(String, u16)> {
    let mut parts = entry.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight = match quality {
        None => 1_000,
        Some(quality) => thousandths(quality).unwrap_or(0),
    };
    Some((name, weight))
}

/// `0.25` as 250.
fn thousandths(quality: &str) -> Option<u16> {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    Some((whole * 1_000 + fraction).min(1_000))
}
