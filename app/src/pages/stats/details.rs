//! Every figure of one row, as HAProxy wrote it: by tap or click, without a pointer that hovers.

use leptos::prelude::*;
use model::{
    cause::{cause, sentence},
    col::Col,
    event::EventFilter,
    format::span,
    outcome::{Target, TargetRef},
    row::Row,
};

use super::{StatsContext, on_nodes::OnNodes};
use crate::{
    components::{events::EventList, modal::Modal, status::Status},
    live::{Live, RowStore, api},
};

/// Events that a row's details show.
const LINES: usize = 10;

/// Which row's details are open.
#[derive(Clone, Copy)]
pub(super) struct Details(RwSignal<Option<Target>>);

impl Default for Details {
    fn default() -> Self {
        Self(RwSignal::new(None))
    }
}

impl Details {
    pub(super) fn open(self, target: Target) {
        self.0.set(Some(target));
    }

    pub(super) fn is_closed(self) -> bool {
        self.0.with(Option::is_none)
    }
}

/// The dialog.
#[component]
pub(super) fn DetailsDialog() -> impl IntoView {
    let context = StatsContext::expect();
    let Details(target) = context.details;
    let is_open = Signal::derive(move || target.with(Option::is_some));
    let on_close = Callback::new(move |()| target.set(None));
    view! {
        <Modal is_open on_close class="dialog dialog-side" labelled_by="details-title">
            {move || target.get().map(|target| view! { <Sheet target /> })}
        </Modal>
    }
}

#[component]
fn Sheet(target: Target) -> impl IntoView {
    let context = StatsContext::expect();
    let live = Live::expect();
    let row = live.store.row(&target);
    let place = target.node.strip_prefix(TargetRef::CLUSTER_MARK);
    let is_merged = place.is_some();
    let place = place.unwrap_or(&target.node).to_owned();
    let close = move |_| context.details.0.set(None);
    view! {
        <div class="flex items-start gap-3">
            <h2 id="details-title" class="min-w-0 grow text-[17px] font-semibold break-words">
                {target.server.clone()}
                <span class="block text-[13px] font-normal text-ink-3">{format!("{} on {place}", target.backend)}</span>
            </h2>
            <button type="button" class="btn" autofocus on:click=close>"Close"</button>
        </div>
        {row.clone().map(|row| view! { <Summary row /> })}
        <EventsOf target=target.clone() />
        {if is_merged {
            row.map(|row| view! { <PerNode row /> }).into_any()
        } else {
            view! { <AllColumns target /> }.into_any()
        }}
    }
}

/// A merged row on each of its nodes, and the way to every figure there.
#[component]
fn PerNode(row: RowStore) -> impl IntoView {
    let context = StatsContext::expect();
    let nodes = OnNodes::new(&row);
    view! {
        <ul class="mt-4">
            {move || nodes.rows().into_iter().map(|row| {
                let target = row.target.clone();
                view! {
                    <li class="border-t border-line py-3">
                        <div class="flex items-center gap-3">
                            <b class="grow">{target.node.clone()}</b>
                            <button type="button" class="btn" on:click=move |_| context.details.open(target.clone())>"Every figure"</button>
                        </div>
                        <Summary row />
                    </li>
                }
                .into_any()
            }).collect_view()}
        </ul>
    }
}

/// What happened to the server lately.
#[component]
fn EventsOf(target: Target) -> impl IntoView {
    let (node, cluster) = match target.node.strip_prefix(TargetRef::CLUSTER_MARK) {
        Some(cluster) => (String::new(), cluster.to_owned()),
        None => (target.node, String::new()),
    };
    let (proxy, server) = (target.backend, target.server);
    let filter = EventFilter { node, cluster, proxy, server, ..EventFilter::default() };
    view! { <div class="mt-4"><EventList filter most=LINES /></div> }
}

/// What matters most, in words.
#[component]
fn Summary(row: RowStore) -> impl IntoView {
    let context = StatsContext::expect();
    let clock = Live::expect().clock;
    let node = row.target.node.clone();
    let nodes = OnNodes::new(&row);
    let cells: Signal<Row> = row.row.into();
    let stale = Signal::derive(move || context.silent.with(|s| s.contains(&node)));
    let since = {
        let clock = clock.clone();
        move || cells.with(|r| r.num(Col::Lastchg)).map(|at| format!("for {}", span(clock.since(at))))
    };
    let sentence = move || {
        let text = cells.with(|row| match cause(row).is_empty() && nodes.split().is_none() {
            true => String::new(),
            false => nodes.heard(|nodes| sentence(row, nodes, clock.seconds())),
        });
        let mut chars = text.chars();
        chars.next().map(|first| format!("{}{}.", first.to_ascii_uppercase(), chars.as_str())).unwrap_or_default()
    };
    view! {
        <p class="mt-3 flex flex-wrap items-center gap-2">
            <Status row=cells stale />
            <span class="text-ink-3">{move || since()}</span>
        </p>
        <p class="mt-2 text-ink-2 empty:hidden">{move || sentence()}</p>
    }
}

/// The columns of the node's last reply, by HAProxy's names.
#[component]
fn AllColumns(target: Target) -> impl IntoView {
    let columns = RwSignal::new(None::<Result<Vec<(String, String)>, String>>);
    let clock = Live::expect().clock;
    Effect::new(move |_| {
        clock.seconds();
        let target = target.clone();
        leptos::task::spawn_local(async move {
            let read = api::columns(&target).await;
            // The dialog may have been closed meanwhile.
            let _: Option<()> = columns.try_update(|c| *c = Some(read));
        });
    });
    view! {
        {move || match columns.get() {
            None => view! { <p class="mt-3 text-ink-3">"Reading …"</p> }.into_any(),
            Some(Err(problem)) => view! { <p class="mt-3 text-down">{problem}</p> }.into_any(),
            Some(Ok(columns)) => view! {
                <dl class="columns">
                    {columns.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()).collect_view()}
                </dl>
            }.into_any(),
        }}
    }
}
