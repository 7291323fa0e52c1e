//! One row of a section; a merged one opens to the same row on each node of its cluster.

use leptos::prelude::*;
use model::topic::TopicId;

use super::{line::Line, on_nodes::OnNodes};
use crate::live::{Live, RowStore, Store};

/// The row, and below it the same row on each node of the cluster once it is opened.
#[component]
pub(super) fn RowView(row: RowStore, stale: Memo<bool>, has_servers: bool) -> impl IntoView {
    if !row.is_merged() {
        return view! { <Line row stale has_servers /> }.into_any();
    }
    let is_open = RwSignal::new(false);
    let nodes = OnNodes::new(&row);
    let shown = row.shown.clone();
    view! {
        <Line row stale has_servers nodes=(nodes, is_open) />
        {move || (is_open.get() && shown.get()).then(|| view! { <NodeRows nodes has_servers /> })}
    }
    .into_any()
}

/// The row on each of its nodes, with every figure as soon as it is there.
#[component]
fn NodeRows(nodes: OnNodes, has_servers: bool) -> impl IntoView {
    view! {
        {move || nodes.rows().into_iter().map(|row| {
            view! { <NodeRow row nodes has_servers /> }
        }).collect_view()}
    }
}

#[component]
fn NodeRow(row: RowStore, nodes: OnNodes, has_servers: bool) -> impl IntoView {
    let live = Live::expect();
    let node = row.target.node.clone();
    live.follow(TopicId::node(&node, &row.target.backend));
    let stale = {
        let node = node.clone();
        Signal::derive(move || nodes.is_silent(&node))
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
