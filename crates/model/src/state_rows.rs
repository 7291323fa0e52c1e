//! What a node's rows tell beside the merged ones: their state, and no figure but the open sessions.
//!
//! A page of merged rows shows of each node whether it agrees. Its figures come with the topic `node:NODE/NAME`, for the
//! rows that somebody opens.

use crate::{
    change::{Change, Patch, RowPatch},
    col::{Col, Text},
    row::Row,
};

/// The columns that state is made of. Sessions are among them: an action on one node says how many it would end.
const COLUMNS: [Col; 13] = [
    Col::Scur,
    Col::Lastchg,
    Col::Weight,
    Col::Slim,
    Col::CheckCode,
    Col::CheckRise,
    Col::CheckFall,
    Col::CheckHealth,
    Col::OpState,
    Col::AdminState,
    Col::CheckState,
    Col::AgentState,
    Col::Throttle,
];

const MASK: u64 = {
    let (mut mask, mut at) = (0, 0);
    while at < COLUMNS.len() {
        mask |= 1 << COLUMNS[at] as u64;
        at += 1;
    }
    mask
};

/// Texts that tell no state.
const fn is_state(text: Text) -> bool {
    !matches!(text, Text::Cookie | Text::Algo)
}

/// The state of each row.
#[must_use]
pub fn state_rows(rows: &[Row]) -> Vec<Row> {
    let state = |row: &Row| {
        let mut out = Row::new(row.kind, row.name.as_str());
        COLUMNS.into_iter().for_each(|col| out.set(col, row.num(col)));
        for text in Text::ALL.iter().copied().filter(|t| is_state(*t)) {
            out.set_text(text, row.text(text));
        }
        out
    };
    rows.iter().map(state).collect()
}

/// What a change of rows changes in their state; nothing where it changes none.
#[must_use]
pub fn state_change(change: &Change) -> Option<Change> {
    let patch = match change {
        Change::Rows(rows) => return Some(Change::Rows(state_rows(rows))),
        Change::Patch(patch) => patch,
    };
    let mut rows = Vec::new();
    let mut next = 0;
    for (at, row) in patch.rows().filter(|(_, row)| row.mask & MASK != 0) {
        let by = row.columns().zip(&row.by).filter(|(col, _)| MASK & (1 << *col as u64) != 0).map(|(_, by)| *by);
        let skip = u32::try_from(at - next).unwrap_or(u32::MAX);
        rows.push(RowPatch { skip, mask: row.mask & MASK, by: by.collect() });
        next = at + 1;
    }
    let texts: Vec<_> = patch.texts.iter().filter(|(_, text, _)| is_state(*text)).cloned().collect();
    (!rows.is_empty() || !texts.is_empty()).then_some(Change::Patch(Patch { rows, texts }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        arbitrary::{evolved, rows},
        change::{apply, diff},
    };

    proptest! {
        #[test]
        fn the_change_of_the_state_is_the_state_of_the_change(
            (old, new) in rows().prop_flat_map(|old| (Just(old.clone()), evolved(old))),
        ) {
            let mut got = state_rows(&old);
            if let Some(change) = diff(&old, &new).as_ref().and_then(state_change) {
                apply(&mut got, change).expect("fits");
            }
            prop_assert_eq!(got, state_rows(&new));
        }
    }
}
