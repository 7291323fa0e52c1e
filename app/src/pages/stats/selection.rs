//! The servers that are checked. A selection survives every update, and ends with its server.

use std::collections::HashSet;

use leptos::prelude::*;
use model::outcome::Target;
use wasm_bindgen::JsCast;

use crate::live::Live;

/// The checked servers.
#[derive(Clone, Copy)]
pub(super) struct Selection(RwSignal<HashSet<Target>>);

impl Default for Selection {
    fn default() -> Self {
        Self(RwSignal::new(HashSet::new()))
    }
}

impl Selection {
    pub(super) fn has(self, target: &Target) -> bool {
        self.0.with(|s| s.contains(target))
    }

    pub(super) fn get(self) -> HashSet<Target> {
        self.0.get()
    }

    pub(super) fn count(self) -> usize {
        self.0.with(HashSet::len)
    }

    pub(super) fn clear(self) {
        self.0.update(HashSet::clear);
    }

    /// Unchecks these.
    pub(super) fn remove<'a>(self, targets: impl IntoIterator<Item = &'a Target>) {
        self.0.update(|s| targets.into_iter().for_each(|t| drop(s.take(t))));
    }

    /// Checks or unchecks these.
    pub(super) fn set_all(self, targets: impl IntoIterator<Item = Target>, checked: bool) {
        self.0.update(|s| {
            for target in targets {
                if checked {
                    s.insert(target);
                } else {
                    s.remove(&target);
                }
            }
        });
    }

    /// In how many backends the checked servers are.
    pub(super) fn backends(self) -> usize {
        self.0.with(|s| s.iter().map(|t| (&t.node, &t.backend)).collect::<HashSet<_>>().len())
    }
}

/// Takes over what was checked before the program was there, and drops servers that are gone.
pub(super) fn follow(live: &Live, selection: Selection) {
    let store = live.store.clone();
    Effect::new(move |_| {
        let Ok(boxes) = document().query_selector_all("input[name=s]:checked") else { return };
        for at in 0..boxes.length() {
            let value = boxes.item(at).and_then(|n| n.dyn_into::<web_sys::HtmlInputElement>().ok()).map(|i| i.value());
            let row = value.and_then(|v| v.parse().ok()).and_then(|target| store.row(&target));
            let on_nodes = row.map(|row| store.on_nodes(&row)).unwrap_or_default();
            selection.set_all(on_nodes.into_iter().map(|r| r.target), true);
        }
    });
    let live = live.clone();
    Effect::new(move |_| {
        live.store.track();
        let checked = selection.0.get_untracked();
        let existing = live.store.existing(&checked);
        if existing != checked {
            selection.0.set(existing);
        }
    });
}
