//! Keeps the rows that the filter lets be seen, without moving any under the pointer.

use leptos::prelude::*;

use super::filter::RowFilter;
use crate::live::Live;

/// Applies the filter now, whenever it changes, and every second while states may change; returned is the switch that
/// holds the rows still while somebody points at them.
pub(super) fn follow(live: &Live, filter: Memo<RowFilter>) -> RwSignal<bool> {
    let is_busy = RwSignal::new(false);
    apply(live, &filter.get_untracked());
    let live = live.clone();
    Effect::new(move |before: Option<RowFilter>| {
        let filter = filter.get();
        if !filter.is_all() {
            live.clock.seconds();
        }
        let is_new = before.as_ref() != Some(&filter);
        if is_new || !is_busy.get_untracked() {
            apply(&live, &filter);
        }
        filter
    });
    is_busy
}

fn apply(live: &Live, filter: &RowFilter) {
    for section in untrack(|| live.store.listed(filter.node.as_deref())) {
        section.rows.with_untracked(|rows| {
            for row in rows {
                let shown = row.row.with_untracked(|r| filter.matches(&row.target, r));
                if row.shown.get_untracked() != shown {
                    row.shown.set(shown);
                }
            }
        });
    }
}
