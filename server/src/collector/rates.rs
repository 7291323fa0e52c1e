//! What a collector remembers of a row's counters from poll to poll, to make rates of them.

use std::collections::VecDeque;

use model::{
    col::Col,
    row::{Row, RowKind},
};

/// The shortest time that a rate is taken over, in milliseconds: a poll right after an action keeps the rate before it.
const RATE_OVER_MS: u64 = 900;

/// How far back `errors_1m` and `retries_1m` look, in milliseconds.
const WINDOW_MS: u64 = 60_000;

/// Time between two marks of the window, in milliseconds.
const MARK_MS: u64 = 5_000;

/// Counters at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: u64,
    errors: u64,
    retries: u64,
}

/// The counters of one row at earlier polls.
#[derive(Clone, Debug, Default)]
pub(super) struct CounterHistory {
    rate_since: Option<(u64, u64, u64)>,
    marks: VecDeque<Mark>,
}

impl CounterHistory {
    /// Writes the columns that HAProxy does not have into a row that was read at `now` (milliseconds). `old` is the row of the
    /// poll before.
    pub(super) fn complete(&mut self, old: Option<&Row>, row: &mut Row, now: u64) {
        self.rates(old, row, now);
        if row.kind != RowKind::Listener {
            self.window(row, now);
        }
    }

    fn rates(&mut self, old: Option<&Row>, row: &mut Row, now: u64) {
        let (bin, bout) = (row.get(Col::Bin), row.get(Col::Bout));
        let (mut bin_rate, mut bout_rate) = old.map_or((0, 0), |old| (old.get(Col::BinRate), old.get(Col::BoutRate)));
        match self.rate_since {
            Some((since, ..)) if now.saturating_sub(since) < RATE_OVER_MS => {}
            // Counters that went back belong to another process: they say nothing about a rate.
            Some((since, bin_then, bout_then)) if bin >= bin_then && bout >= bout_then => {
                let over = now - since;
                bin_rate = per_second(bin - bin_then, over);
                bout_rate = per_second(bout - bout_then, over);
                self.rate_since = Some((now, bin, bout));
            }
            _ => {
                (bin_rate, bout_rate) = (0, 0);
                self.rate_since = Some((now, bin, bout));
            }
        }
        row.set(Col::BinRate, Some(bin_rate));
        row.set(Col::BoutRate, Some(bout_rate));
    }

    fn window(&mut self, row: &mut Row, now: u64) {
        let sum = |columns: &[Col]| columns.iter().map(|c| row.get(*c)).fold(0, u64::saturating_add);
        let mark = Mark {
            at: now,
            errors: sum(&[Col::Ereq, Col::Econ, Col::Eresp]),
            retries: sum(&[Col::Wretr, Col::Wredis]),
        };
        if self.marks.back().is_some_and(|m| m.errors > mark.errors || m.retries > mark.retries) {
            self.marks.clear();
        }
        if self.marks.back().is_none_or(|m| now.saturating_sub(m.at) >= MARK_MS) {
            self.marks.push_back(mark);
        }
        while self.marks.len() > 1 && now.saturating_sub(self.marks[0].at) > WINDOW_MS {
            self.marks.pop_front();
        }
        let oldest = self.marks.front().copied().unwrap_or(mark);
        row.set(Col::ErrorsMinute, Some(mark.errors - oldest.errors));
        row.set(Col::RetriesMinute, Some(mark.retries - oldest.retries));
    }
}

fn per_second(count: u64, over_ms: u64) -> u64 {
    u64::try_from(u128::from(count) * 1_000 / u128::from(over_ms.max(1))).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bin: u64, econ: u64) -> Row {
        let mut row = Row::new(RowKind::Server, "s1");
        row.set(Col::Bin, Some(bin));
        row.set(Col::Econ, Some(econ));
        row
    }

    #[test]
    fn a_rate_is_bytes_over_time_and_a_restart_gives_none() {
        let mut history = CounterHistory::default();
        let mut old = None;
        for (now, bin, rate) in [
            (0, 1_000, 0),
            (1_000, 3_000, 2_000),
            (1_100, 9_000, 2_000), // too soon
            (3_000, 9_000, 3_000),
            (4_000, 10, 0), // another process
            (6_000, 4_010, 2_000),
        ] {
            let mut row = row(bin, 0);
            history.complete(old.as_ref(), &mut row, now);
            assert_eq!(row.num(Col::BinRate), Some(rate), "at {now}");
            old = Some(row);
        }
    }

    #[test]
    fn errors_are_those_of_the_last_minute() {
        let mut history = CounterHistory::default();
        let mut seen = Vec::new();
        for second in 0..200_u64 {
            let mut row = row(0, second.min(30));
            history.complete(None, &mut row, second * 1_000);
            seen.push(row.get(Col::ErrorsMinute));
        }
        assert_eq!((seen[0], seen[30], seen[60], seen[199]), (0, 30, 30, 0));
        let mut restarted = row(0, 2);
        history.complete(None, &mut restarted, 200_000);
        assert_eq!(restarted.num(Col::ErrorsMinute), Some(0));
    }
}
