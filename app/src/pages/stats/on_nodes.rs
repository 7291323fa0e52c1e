//! A merged row's nodes: a chip per node for its state, and the rows behind it once they are opened.

use leptos::prelude::*;

use super::{View, row::Line};
use crate::{
    components::status::{STALE_SHAPE, Shape, class, shape},
    live::{Live, RowStore, Store},
    model::{
        cause::{Disagreement, cause, disagreement},
        col::Text,
        outcome::Target,
        row::Row,
        status::State,
        topic::TopicId,
    },
};

/// With more nodes than this the chips stand for states, each with its count.
const MOST_CHIPS: usize = 4;

/// A merged row on each node that has it.
#[derive(Clone, Copy)]
pub(super) struct OnNodes {
    merged: StoredValue<RowStore>,
    rows: Memo<Nodes>,
    silent: Memo<Vec<String>>,
}

/// How the nodes of a cluster differ over a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// What each of them says.
    pub(super) disagreement: Disagreement,
    /// Why, on the node that is worst off.
    pub(super) cause: String,
    /// On how many nodes the row is as the merged one tells, of how many that answer: `on 1 of 3`.
    pub(super) share: String,
}

/// The rows; which they are is all that a change of them can tell.
#[derive(Clone)]
struct Nodes(Vec<RowStore>);

impl PartialEq for Nodes {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.target == b.target)
    }
}

/// One node's chip, or those of all nodes in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chip {
    state: State,
    is_silent: bool,
    text: String,
}

impl OnNodes {
    pub(super) fn new(merged: &RowStore) -> Self {
        let (store, row) = (Live::expect().store, merged.clone());
        let rows = Memo::new(move |_| Nodes(store.on_nodes(&row)));
        Self { merged: StoredValue::new(merged.clone()), rows, silent: View::expect().silent }
    }

    /// The row's own name, `BACKEND/SERVER`.
    pub(super) fn name(self) -> String {
        self.merged.with_value(|r| format!("{}/{}", r.target.backend, r.target.server))
    }

    /// The row on each node.
    pub(super) fn rows(self) -> Vec<RowStore> {
        self.rows.with(|rows| rows.0.clone())
    }

    /// The same server on each node.
    pub(super) fn targets(self) -> Vec<Target> {
        self.rows.with(|rows| rows.0.iter().map(|r| r.target.clone()).collect())
    }

    /// What each node that answers says of the row.
    pub(super) fn heard<T>(self, read: impl FnOnce(&[(&str, &Row)]) -> T) -> T {
        let heard: Vec<(String, Row)> = self.rows.with(|rows| {
            let is_heard = |row: &&RowStore| self.silent.with(|s| !s.contains(&row.target.node));
            rows.0.iter().filter(is_heard).map(|r| (r.target.node.clone(), r.row.get())).collect()
        });
        let refs: Vec<(&str, &Row)> = heard.iter().map(|(name, row)| (name.as_str(), row)).collect();
        read(&refs)
    }

    /// How those that answer differ over it.
    pub(super) fn split(self) -> Option<Split> {
        self.heard(|nodes| {
            let disagreement = if nodes.len() < 2 { None } else { disagreement(nodes) }?;
            let worst = self.merged.with_value(|merged| merged.row.with(Row::state));
            let mut alike = nodes.iter().filter(|(_, row)| row.state() == worst);
            let share = format!("on {} of {}", alike.clone().count(), nodes.len());
            Some(Split { disagreement, cause: alike.next().map(|(_, row)| cause(row)).unwrap_or_default(), share })
        })
    }

    fn chips(self) -> Vec<Chip> {
        let chips: Vec<Chip> = self.rows.with(|rows| {
            let chip = |row: &RowStore| {
                let (state, status) = row.row.with(|r| (r.state(), r.text(Text::Status).to_owned()));
                let is_silent = self.silent.with(|s| s.contains(&row.target.node));
                let was = if is_silent { "silent, was " } else { "" };
                Chip { state, is_silent, text: format!("{} {was}{status}", row.target.node) }
            };
            rows.0.iter().map(chip).collect()
        });
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
}

/// A chip per node for its state. They open the row to its nodes.
#[component]
pub(super) fn NodeChips(nodes: OnNodes, is_open: RwSignal<bool>, split: Memo<Option<Split>>) -> impl IntoView {
    let chips = Memo::new(move |_| nodes.chips());
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
                let is_counted = nodes.rows.with(|r| r.0.len() > MOST_CHIPS);
                chips.get().into_iter().map(|chip| {
                    let (class, path) = match chip.is_silent {
                        true => ("st st-stale", STALE_SHAPE),
                        false => (class(chip.state), shape(chip.state)),
                    };
                    let count = is_counted.then(|| chip.text.split(' ').next().unwrap_or_default().to_owned());
                    view! { <span class=class><Shape path />{count}</span> }
                }).collect_view()
            }}
        </button>
    }
}

/// The row on each of its nodes, with every figure as soon as it is there.
#[component]
pub(super) fn NodeRows(nodes: OnNodes, has_servers: bool) -> impl IntoView {
    view! {
        {move || nodes.rows().into_iter().map(|row| {
            view! { <NodeRow row silent=nodes.silent has_servers /> }
        }).collect_view()}
    }
}

#[component]
fn NodeRow(row: RowStore, silent: Memo<Vec<String>>, has_servers: bool) -> impl IntoView {
    let live = Live::expect();
    let node = row.target.node.clone();
    live.follow(TopicId::node(&node, &row.target.backend));
    let stale = {
        let node = node.clone();
        Signal::derive(move || silent.with(|s| s.contains(&node)))
    };
    move || {
        let full = full(&live.store, &row).unwrap_or_else(|| row.clone());
        view! { <Line row=full stale has_servers on_node=node.clone() /> }
    }
}

/// The row with every figure, once it is there.
fn full(store: &Store, row: &RowStore) -> Option<RowStore> {
    let section = store.opened(&row.target.node, &row.target.backend)?;
    section.rows.with(|rows| row.same_among(rows))
}
