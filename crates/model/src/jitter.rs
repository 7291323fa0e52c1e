//! Takes the jitter out of a poll, so that a quiet server costs no bytes.

use crate::{
    col::{Col, Text},
    row::Row,
};

/// An age is in whole seconds: the instant that it counts from moves by this much from poll to poll, in seconds.
const INSTANT_JITTER_S: u64 = 1;

/// A check whose duration differs by less than this from the one shown changes nothing, in milliseconds.
pub const CHECK_JITTER_MS: u64 = 10;

/// Keeps what `old` says where `new` differs from it without meaning.
pub fn suppress_jitter(old: &Row, new: &mut Row) {
    for (col, jitter) in [(Col::Lastchg, INSTANT_JITTER_S), (Col::Lastsess, INSTANT_JITTER_S)] {
        keep(old, new, col, jitter);
    }
    let same_check = [Text::CheckStatus, Text::Status].iter().all(|t| old.text(*t) == new.text(*t));
    if same_check && old.num(Col::CheckCode) == new.num(Col::CheckCode) {
        keep(old, new, Col::CheckDuration, CHECK_JITTER_MS - 1);
    }
}

fn keep(old: &Row, new: &mut Row, col: Col, jitter: u64) {
    if let (Some(a), Some(b)) = (old.num(col), new.num(col))
        && a.abs_diff(b) <= jitter
    {
        new.set(col, Some(a));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::RowKind;

    fn row(lastchg: u64, check: u64, status: &str) -> Row {
        let mut row = Row::new(RowKind::Server, "s1");
        row.set(Col::Lastchg, Some(lastchg));
        row.set(Col::CheckDuration, Some(check));
        row.set_text(Text::Status, status);
        row
    }

    #[test]
    fn jitter_is_kept_out_and_news_let_in() {
        for (old, new, lastchg, check) in [
            (row(100, 2, "UP"), row(101, 9, "UP"), 100, 2),
            (row(100, 2, "UP"), row(102, 12, "UP"), 102, 12),
            (row(100, 2, "UP"), row(100, 3, "UP 1/3"), 100, 3),
        ] {
            let mut settled = new;
            suppress_jitter(&old, &mut settled);
            assert_eq!(settled.num(Col::Lastchg), Some(lastchg));
            assert_eq!(settled.num(Col::CheckDuration), Some(check));
        }
    }
}
