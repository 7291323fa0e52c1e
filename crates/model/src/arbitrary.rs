//! Random rows for property tests.

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    col::{Col, Text},
    row::{Row, RowKind},
};

/// Any cell of numbers, the extremes included.
fn cell() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (0..1_000_u64).prop_map(Some), any::<u64>().prop_map(|v| Some(v.min(u64::MAX - 1)))]
}

fn row() -> impl Strategy<Value = Row> {
    let kind = select(vec![RowKind::Frontend, RowKind::Backend, RowKind::Server, RowKind::Listener]);
    let nums = vec((select(Col::ALL), cell()), 0..12);
    let texts = vec((select(Text::ALL), ".{0,12}"), 0..4);
    (kind, "[a-z]{1,3}", nums, texts).prop_map(|(kind, name, nums, texts)| {
        let mut row = Row::new(kind, name);
        nums.into_iter().for_each(|(col, value)| row.set(col, value));
        texts.into_iter().for_each(|(text, value)| row.set_text(text, value));
        row
    })
}

/// A proxy's rows.
pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    vec(row(), 0..12)
}

/// What the next poll may bring: other cells, or another set of rows.
pub(crate) fn evolved(old: Vec<Row>) -> impl Strategy<Value = Vec<Row>> {
    let cells = vec((any::<prop::sample::Index>(), select(Col::ALL), cell()), 0..20);
    let texts = vec((any::<prop::sample::Index>(), select(Text::ALL), ".{0,12}"), 0..4);
    let same = (cells, texts).prop_map(move |(cells, texts)| {
        let mut rows = old.clone();
        if !rows.is_empty() {
            cells.into_iter().for_each(|(at, col, value)| at.get_mut(&mut rows).set(col, value));
            texts.into_iter().for_each(|(at, text, value)| at.get_mut(&mut rows).set_text(text, value));
        }
        rows
    });
    prop_oneof![4 => same, 1 => rows()]
}
