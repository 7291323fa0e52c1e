//! What changed between two polls of one proxy on one node: `diff` and `apply`.

use serde::{Deserialize, Serialize};

use crate::{
    col::{Col, Text},
    row::Row,
};

/// From one list of rows to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The rows themselves changed (first sight, a server added, another order): all of them.
    Rows(Vec<Row>),
    /// The same rows with other cells.
    Patch(Patch),
}

/// Other cells in the same rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// The rows whose numbers changed, in order.
    pub rows: Vec<RowPatch>,
    /// Texts that changed: index of the row, column, new text.
    pub texts: Vec<(u32, Text, String)>,
}

/// Other numbers in one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPatch {
    /// Rows to step over since the previous patched row.
    pub skip: u32,
    /// The changed columns: bit n is the n-th [`Col`].
    pub mask: u64,
    /// Per changed column what to add to the cell.
    pub by: Vec<i64>,
}

/// A patch that does not fit the rows it was put on: frames were lost, or come from another build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the patch names row {row}, there are {rows}")]
pub struct MisfitError {
    /// The row that the patch names.
    pub row: usize,
    /// How many there are.
    pub rows: usize,
}

/// What turns `old` into `new`; nothing where they are equal.
#[must_use]
pub fn diff(old: &[Row], new: &[Row]) -> Option<Change> {
    if old.len() != new.len() || old.iter().zip(new).any(|(a, b)| !a.same_object(b)) {
        return Some(Change::Rows(new.to_vec()));
    }
    let mut patch = Patch::default();
    let mut skip = 0;
    for (index, (a, b)) in (0_u32..).zip(old.iter().zip(new)) {
        let (mut mask, mut by) = (0, Vec::new());
        for col in Col::ALL {
            let distance = a.distance(b, *col);
            if distance != 0 {
                mask |= 1 << *col as u64;
                by.push(distance);
            }
        }
        if mask == 0 {
            skip += 1;
        } else {
            patch.rows.push(RowPatch { skip, mask, by });
            skip = 0;
        }
        for text in Text::ALL.iter().filter(|t| a.text(**t) != b.text(**t)) {
            patch.texts.push((index, *text, b.text(*text).to_owned()));
        }
    }
    (patch != Patch::default()).then_some(Change::Patch(patch))
}

/// Carries a change out: `apply(old, diff(old, new)) == new`.
///
/// # Errors
/// When a patch names a row that is not there. The rows before it are changed by then: take a snapshot.
pub fn apply(rows: &mut Vec<Row>, change: Change) -> Result<(), MisfitError> {
    match change {
        Change::Rows(new) => *rows = new,
        Change::Patch(patch) => {
            for (at, numbers) in patch.rows() {
                numbers.apply(row(rows, at)?);
            }
            for (at, text, value) in &patch.texts {
                row(rows, *at as usize)?.set_text(*text, value.as_str());
            }
        }
    }
    Ok(())
}

fn row(rows: &mut [Row], at: usize) -> Result<&mut Row, MisfitError> {
    let count = rows.len();
    rows.get_mut(at).ok_or(MisfitError { row: at, rows: count })
}

impl Patch {
    /// The patched rows with their indices.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &RowPatch)> {
        self.rows.iter().scan(0_usize, |next, row| {
            let at = next.saturating_add(row.skip as usize);
            *next = at.saturating_add(1);
            Some((at, row))
        })
    }
}

impl RowPatch {
    /// The changed columns, in the order of `by`.
    pub fn columns(&self) -> impl Iterator<Item = Col> {
        Col::ALL.iter().copied().filter(|c| self.mask & (1 << *c as u64) != 0)
    }

    /// Changes the row's numbers.
    pub fn apply(&self, row: &mut Row) {
        for (col, by) in self.columns().zip(&self.by) {
            row.shift(col, *by);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{evolved, rows};

    proptest! {
        #[test]
        fn apply_of_diff_gives_the_new_rows((old, new) in rows().prop_flat_map(|old| (Just(old.clone()), evolved(old)))) {
            let mut got = old.clone();
            if let Some(change) = diff(&old, &new) {
                apply(&mut got, change).expect("a diff fits its own rows");
            }
            prop_assert_eq!(got, new);
        }

        #[test]
        fn equal_rows_have_no_difference(rows in rows()) {
            prop_assert_eq!(diff(&rows, &rows), None);
        }

        #[test]
        fn a_change_survives_the_wire((old, new) in rows().prop_flat_map(|old| (Just(old.clone()), evolved(old)))) {
            if let Some(change) = diff(&old, &new) {
                let bytes = postcard::to_stdvec(&change).expect("encodes");
                prop_assert_eq!(postcard::from_bytes::<Change>(&bytes).expect("decodes"), change);
            }
        }

        #[test]
        fn a_misfit_is_an_error_and_no_panic(mut rows in rows(), skip in any::<u32>(), mask in any::<u64>(), by in any::<Vec<i64>>()) {
            let patch = Patch { rows: vec![RowPatch { skip, mask, by }], texts: vec![(skip, Text::Status, "UP".into())] };
            let fits = (skip as usize) < rows.len();
            prop_assert_eq!(apply(&mut rows, Change::Patch(patch)).is_ok(), fits);
        }
    }
}
