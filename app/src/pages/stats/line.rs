//! One line of the table: a row, or a merged row's share on one node.

use leptos::prelude::*;
use model::{
    col::Col,
    format::{exact, span},
    outcome::{Target, TargetRef},
    row::{Row, RowKind},
};

use super::{
    StatsContext,
    align::AlignButton,
    cells::{check_cell, limit, rate},
    columns::Figure,
    node_chips::NodeChips,
    on_nodes::OnNodes,
};
use crate::{
    components::{spark::Sparkline, status::Status},
    live::{Live, RowStore},
};

/// One line of the table.
#[component]
pub(super) fn Line(
    row: RowStore,
    #[prop(into)] stale: Signal<bool>,
    has_servers: bool,
    /// Of a merged row: the row on each node, and whether those are shown.
    #[prop(optional)]
    nodes: Option<(OnNodes, RwSignal<bool>)>,
    /// Of a node's row below a merged one: the node's name, which stands in the place of the row's.
    #[prop(optional)]
    on_node: Option<String>,
) -> impl IntoView {
    let context = StatsContext::expect();
    let RowStore { target, row, spark, shown } = row;
    let is_sub = on_node.is_some();
    let kind = row.with_untracked(|r| r.kind);
    let is_server = kind == RowKind::Server;
    let targets = match nodes {
        Some((nodes, _)) => Signal::derive(move || nodes.targets()),
        None => Signal::stored(vec![target.clone()]),
    };
    // How many of the servers behind this row are checked, and how many there are.
    let selected = Memo::new(move |_| {
        let has = |targets: &Vec<Target>| targets.iter().filter(|t| context.selection.has(t)).count();
        if is_server { targets.with(|t| (has(t), t.len())) } else { (0, 0) }
    });
    let now = Live::expect().clock;
    let row_signal = Signal::from(row.clone());
    let figure = move |f: fn(&Row) -> Option<Figure>| {
        let figure = Memo::new(move |_| row_signal.with(f).unwrap_or_default());
        view! { <span class:zero=move || figure.with(|f| f.is_zero) title=move || figure.with(|f| f.exact.clone())>{move || figure.with(|f| f.short.clone())}</span> }
    };
    let extras = {
        let now = now.clone();
        move || {
            let now = now.clone();
            context.columns
                .get()
                .columns()
                .map(move |column| {
                    let now = now.clone();
                    let figure = Memo::new(move |_| row_signal.with(|r| column.figure(r, now.seconds())));
                    view! { <td class="c-extra"><span class:zero=move || figure.with(|f| f.is_zero) title=move || figure.with(|f| f.exact.clone())>{move || figure.with(|f| f.short.clone())}</span></td> }.into_any()
                })
                .collect_view()
        }
    };
    let split = Memo::new(move |_| nodes.and_then(|(nodes, _)| nodes.split()));
    let check = Memo::new(move |_| row_signal.with(|r| split.with(|s| check_cell(r, s.as_ref()))));
    view! {
        <tr
            class:sel=move || selected.with(|(n, all)| n == all && *all > 0)
            class:sum=kind == RowKind::Backend
            class:sub=is_sub
            class:stale=move || is_sub && stale.get()
            class:hidden=move || !shown.get()
            data-row=target.to_string()
        >
            <td class="c-sel">{is_server.then(|| view! { <Checkbox target=target.clone() targets selected /> })}</td>
            <th class="c-name" scope="row">
                <div class="named">
                    <Name target=target.clone() kind has_servers on_node />
                    {nodes.map(|(nodes, is_open)| view! { <NodeChips nodes is_open split /> })}
                </div>
            </th>
            <td class="c-status">
                <Status row=row_signal stale />
                {move || match split.with(|s| s.as_ref().map(|s| s.share.clone())) {
                    Some(share) => view! { <span class="since">{share}</span> }.into_any(),
                    None => view! { <Since row=row_signal /> }.into_any(),
                }}
            </td>
            <td class="c-now" data-label="sessions">
                {figure(|r| r.num(Col::Scur).map(Figure::count))}
                <Use row=row_signal />
            </td>
            <td class="c-max dim">{figure(|r| r.num(Col::Smax).map(Figure::count))}</td>
            <td class="c-queue" data-label="queue">{figure(|r| r.num(Col::Qcur).map(Figure::count))}</td>
            <td class="c-rate" data-label="req/s">{figure(|r| rate(r).map(Figure::count))}</td>
            <td class="c-bytes" data-label="in / s">{figure(|r| r.num(Col::BinRate).map(Figure::rate))}</td>
            <td class="c-bytes" data-label="out / s">{figure(|r| r.num(Col::BoutRate).map(Figure::rate))}</td>
            <td class="c-err" data-label="errors / min">{figure(|r| r.num(Col::ErrorsMinute).map(Figure::count))}</td>
            <td class="c-retr">{figure(|r| r.num(Col::RetriesMinute).map(Figure::count))}</td>
            <td class="c-check" title=move || check.with(|c| c.title.clone())>
                {nodes.map(|(nodes, _)| view! { <AlignButton nodes split /> })}
                <span class:cause=move || check.with(|c| c.is_bad)>{move || check.with(|c| c.text.clone())}</span>
                <span class="dim">{move || check.with(|c| c.duration.clone())}</span>
            </td>
            <td class="c-weight">{figure(|r| r.num(Col::Weight).map(Figure::count))}</td>
            <td class="c-spark"><Sparkline spark label="Sessions" /></td>
            {move || extras()}
        </tr>
    }
}

#[component]
fn Checkbox(target: Target, targets: Signal<Vec<Target>>, selected: Memo<(usize, usize)>) -> impl IntoView {
    let context = StatsContext::expect();
    let value = target.to_string();
    let place = target.node.strip_prefix(TargetRef::CLUSTER_MARK).unwrap_or(&target.node);
    let label = format!("Select {} of {} on {place}", target.server, target.backend);
    view! {
        <label class="hit">
            <input
                type="checkbox"
                name="s"
                value=value
                aria-label=label
                prop:checked=move || selected.with(|(n, all)| n == all && *all > 0)
                prop:indeterminate=move || selected.with(|(n, all)| *n > 0 && n < all)
                on:change=move |ev| context.selection.set_all(targets.get_untracked(), event_target_checked(&ev))
            />
        </label>
    }
}

/// The name, which opens the row's details.
#[component]
fn Name(target: Target, kind: RowKind, has_servers: bool, on_node: Option<String>) -> impl IntoView {
    let context = StatsContext::expect();
    let name = on_node.unwrap_or_else(|| match kind {
        RowKind::Server => target.server.clone(),
        RowKind::Backend => "Backend".to_owned(),
        RowKind::Frontend if has_servers => "Frontend".to_owned(),
        RowKind::Frontend => target.backend.clone(),
        RowKind::Listener => format!("{} · {}", target.backend, target.server),
    });
    let title = format!("{name}: show every figure");
    view! {
        <button type="button" class="name" title=title on:click=move |_| context.details.open(target.clone())>
            {name}
        </button>
    }
}

/// How long the state has been what it is.
#[component]
fn Since(row: Signal<Row>) -> impl IntoView {
    let clock = Live::expect().clock;
    let text =
        Memo::new(move |_| row.with(|r| r.num(Col::Lastchg)).map(|at| span(clock.since(at))).unwrap_or_default());
    view! { <span class="since">{move || text.get()}</span> }
}

/// How much of its limit a row uses.
#[component]
fn Use(row: Signal<Row>) -> impl IntoView {
    let share =
        Memo::new(move |_| row.with(|r| limit(r).map(|limit| (r.get(Col::Scur).saturating_mul(100) / limit).min(100))));
    let title = move || row.with(|r| limit(r).map(|limit| format!("{} of {}", exact(r.get(Col::Scur)), exact(limit))));
    view! {
        <svg class="use" class:invisible=move || share.get().is_none() viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <title>{move || title()}</title>
            <rect class="use-all" width="100" height="8" rx="4" />
            <rect class="use-now" class:use-high=move || share.get().is_some_and(|s| s >= 80) width=move || share.get().unwrap_or(0) height="8" rx="4" />
        </svg>
    }
}
