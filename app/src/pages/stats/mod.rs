//! The Stats page: every proxy's rows, and what can be done to its servers.

mod action_bar;
mod actions;
mod align;
mod card;
mod cells;
mod chips;
mod columns;
pub(crate) mod confirm;
mod details;
pub(crate) mod filter;
mod header;
mod line;
mod lost;
mod node_chips;
mod on_nodes;
mod operation;
pub(crate) mod outcomes;
mod permissions;
mod row;
mod selection;
mod shown;

use action_bar::ActionBar;
use align::{Align, AlignDialog};
use card::{Card, CardKey, cards};
use chips::Chips;
use columns::ShownColumns;
use confirm::ConfirmDialog;
use details::{Details, DetailsDialog};
use filter::RowFilter;
use header::Header;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use lost::LostStates;
use model::{fleet::ProxySummary, format::plural, topic::TopicId};
use operation::Operation;
use outcomes::OperationPanel;
use selection::Selection;

use crate::{
    components::account::OpenNote,
    live::{Live, SectionStore},
};

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct StatsContext {
    filter: Memo<RowFilter>,
    columns: RwSignal<ShownColumns>,
    selection: Selection,
    operation: Operation,
    details: Details,
    align: Align,
    /// The nodes whose rows are not the present.
    silent: Memo<Vec<String>>,
}

impl StatsContext {
    fn expect() -> Self {
        expect_context()
    }
}

/// The page.
#[component]
pub(crate) fn StatsPage() -> impl IntoView {
    let live = Live::expect();
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(RowFilter::from_query));
    let selection = Selection::default();
    let context = StatsContext {
        filter,
        columns: RwSignal::new(ShownColumns::default()),
        selection,
        operation: Operation::new(&live, selection),
        details: Details::default(),
        align: Align::default(),
        silent: silent(&live),
    };
    provide_context(context);
    live.follow_rows();
    follow_node(&live, filter);
    let is_busy = shown::follow(&live, filter);
    selection::follow(&live, selection);
    Effect::new(move || context.columns.set(ShownColumns::kept()));

    let store = live.store.clone();
    let cards = Memo::new(move |_| filter.with(|f| cards(&store, f.node.as_deref())));
    let fleet = live.fleet.clone();
    let title = move || {
        let problems = fleet.with(|f| f.problem_count);
        if problems > 0 { format!("({problems}) Stats · Sluice") } else { "Stats · Sluice".to_owned() }
    };
    view! {
        <Title text=title />
        <Header />
        <OpenNote />
        <Chips />
        <Notices />
        <LostStates />
        <main
            class="px-4 pt-3 pb-28 max-[520px]:px-2"
            on:pointerenter=move |_| is_busy.set(true)
            on:pointerleave=move |_| is_busy.set(false)
            on:focusin=move |_| is_busy.set(true)
            on:focusout=move |_| is_busy.set(false)
        >
            <h1 class="sr-only">"Proxies and servers"</h1>
            <For each=move || cards.get() key=Clone::clone let(key)>
                <Card key />
            </For>
            <Nothing cards />
        </main>
        <OperationPanel />
        <ActionBar />
        <AlignDialog />
        <ConfirmDialog />
        <DetailsDialog />
    }
}

/// The nodes whose rows are not the present.
fn silent(live: &Live) -> Memo<Vec<String>> {
    let (fleet, clock) = (live.fleet.clone(), live.clock.clone());
    Memo::new(move |_| {
        let now = clock.ms();
        fleet.with(|f| f.nodes.iter().filter(|n| !n.is_fresh(now)).map(|n| n.name.clone()).collect())
    })
}

/// Follows every figure of the node that the page is about, where it is one of several in its cluster.
fn follow_node(live: &Live, filter: Memo<RowFilter>) {
    let fleet = live.fleet.clone();
    let topics = Memo::new(move |_| {
        let node = filter.with(|f| f.node.clone())?;
        Some(fleet.with(|f| {
            let has = |p: &&ProxySummary| p.merged.is_some() && p.nodes.iter().any(|n| n.node == node);
            f.proxies.iter().filter(has).map(|p| TopicId::node(&node, &p.proxy)).collect::<Vec<_>>()
        }))
    });
    let live = live.clone();
    Effect::new(move |_| topics.get().into_iter().flatten().for_each(|topic| live.follow(topic)));
}

/// The nodes whose rows are not the present, and why.
#[component]
fn Notices() -> impl IntoView {
    let live = Live::expect();
    let silent = move || {
        // The end of this second: an age that is shown is never less than the real one.
        let now = live.clock.seconds() * 1_000 + 999;
        live.fleet.with(|f| {
            f.nodes
                .iter()
                .filter(|n| !n.is_fresh(now))
                .map(|n| {
                    let old = match n.age_ms(now) {
                        Some(ms) => format!("What is shown of it is {} old.", model::format::span(ms / 1_000)),
                        None => "Nothing is known of it yet.".to_owned(),
                    };
                    let why = if n.error.is_empty() { "no answer in time" } else { n.error.as_str() };
                    (n.name.clone(), format!("does not answer: {why}. {old}"))
                })
                .collect::<Vec<_>>()
        })
    };
    view! {
        <div role="status" class="px-4 max-[520px]:px-2">
            {move || {
                silent()
                    .into_iter()
                    .map(|(node, text)| view! { <p class="notice"><b>{node}</b>" "{text}</p> }.into_any())
                    .collect_view()
            }}
        </div>
    }
}

/// What stands in an empty page.
#[component]
fn Nothing(cards: Memo<Vec<CardKey>>) -> impl IntoView {
    let live = Live::expect();
    let context = StatsContext::expect();
    let text = move || {
        let nothing_known = cards.with(Vec::is_empty);
        // Follows the filter and the clock: what is shown changes with either.
        live.clock.seconds();
        let listed = context.filter.with(|f| live.store.listed(f.node.as_deref()));
        let is_shown = |s: &SectionStore| s.rows.with(|rows| rows.iter().any(|r| r.shown.get_untracked()));
        let has_heard = live.fleet.with(|f| f.nodes.is_empty() || f.nodes.iter().any(|n| n.stats.polled > 0));
        if nothing_known && has_heard {
            Some("There is nothing here that you may see.".to_owned())
        } else if nothing_known {
            Some("No node has answered yet.".to_owned())
        } else if !listed.iter().any(is_shown) {
            let nodes = live.fleet.with(|f| f.nodes.len());
            Some(format!("Nothing on {} fits the filter.", plural(nodes, "node")))
        } else {
            None
        }
    };
    view! {
        {move || text().map(|text| view! {
            <p class="p-8 text-center text-ink-2">
                {text} " "
                <a class="underline" href="/stats">"Show everything"</a>
            </p>
        }.into_any())}
    }
}
