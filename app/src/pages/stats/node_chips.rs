//! A merged row's chips: one per node for its state.

use leptos::prelude::*;
use model::{col::Text, status::RowState};

use super::on_nodes::{OnNodes, Split};
use crate::{
    components::status::{STALE_SHAPE, Shape, class, shape},
    live::RowStore,
};

/// With more nodes than this the chips stand for states, each with its count.
const MOST_CHIPS: usize = 4;

/// One node's chip, or those of all nodes in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chip {
    state: RowState,
    is_silent: bool,
    text: String,
}

/// A chip per node for its state. They open the row to its nodes.
#[component]
pub(super) fn NodeChips(nodes: OnNodes, is_open: RwSignal<bool>, split: Memo<Option<Split>>) -> impl IntoView {
    let chips = Memo::new(move |_| chips(nodes));
    let texts = move || chips.with(|c| c.iter().map(|c| c.text.clone()).collect::<Vec<_>>().join(", "));
    view! {
        <button
            type="button"
            class="nodes"
            class:split=move || split.with(Option::is_some)
            aria-expanded=move || is_open.get().to_string()
            aria-label=move || format!("On its nodes: {}", texts())
            title=texts
            on:click=move |_| is_open.update(|open| *open = !*open)
        >
            {move || {
                let is_counted = nodes.rows().len() > MOST_CHIPS;
                chips.get().into_iter().map(|chip| {
                    let (class, path) = match chip.is_silent {
                        true => ("st st-stale", STALE_SHAPE),
                        false => (class(chip.state), shape(chip.state)),
                    };
                    let count = is_counted.then(|| chip.text.split(' ').next().unwrap_or_default().to_owned());
                    view! { <span class=class><Shape path />{count}</span> }.into_any()
                }).collect_view()
            }}
        </button>
    }
}

/// The chips of a row.
fn chips(nodes: OnNodes) -> Vec<Chip> {
    let chip = |row: RowStore| {
        let (state, status) = row.row.with(|r| (r.state(), r.text(Text::Status).to_owned()));
        let is_silent = nodes.is_silent(&row.target.node);
        let was = if is_silent { "silent, was " } else { "" };
        Chip { state, is_silent, text: format!("{} {was}{status}", row.target.node) }
    };
    let chips: Vec<Chip> = nodes.rows().into_iter().map(chip).collect();
    if chips.len() <= MOST_CHIPS {
        return chips;
    }
    let mut groups: Vec<(Chip, usize)> = Vec::new();
    for chip in chips {
        match groups.iter_mut().find(|(c, _)| (c.state, c.is_silent) == (chip.state, chip.is_silent)) {
            Some((_, count)) => *count += 1,
            None => groups.push((chip, 1)),
        }
    }
    let named = |(chip, n): (Chip, usize)| {
        let label = if chip.is_silent { "silent" } else { chip.state.label() };
        Chip { text: format!("{n} {label}"), ..chip }
    };
    groups.into_iter().map(named).collect()
}
