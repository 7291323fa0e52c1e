//! Every figure of one row, as HAProxy wrote it: by tap or click, without a pointer that hovers.

use leptos::prelude::*;

use super::View;
use crate::{
    components::{events::EventList, modal::Modal, status::Status},
    live::{Live, RowStore, api},
    model::{cause::cause, col::Col, event::EventFilter, format::span, outcome::Target, row::Row},
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
    let view = View::expect();
    let Details(target) = view.details;
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
    let view = View::expect();
    let live = Live::expect();
    let row = live.store.row(&target);
    let close = move |_| view.details.0.set(None);
    let Target { node, backend, server } = target.clone();
    let filter = EventFilter { node, proxy: backend, server, ..EventFilter::default() };
    view! {
        <div class="flex items-start gap-3">
            <h2 id="details-title" class="min-w-0 grow text-[17px] font-semibold break-words">
                {target.server.clone()}
                <span class="block text-[13px] font-normal text-ink-3">{format!("{} on {}", target.backend, target.node)}</span>
            </h2>
            <button type="button" class="btn" autofocus on:click=close>"Close"</button>
        </div>
        {row.map(|row| view! { <Summary row /> })}
        <div class="mt-4"><EventList filter most=LINES /></div>
        <AllColumns target />
    }
}

/// What matters most, in words.
#[component]
fn Summary(row: RowStore) -> impl IntoView {
    let live = Live::expect();
    let node = row.target.node.clone();
    let cells: Signal<Row> = row.row.into();
    let clock = live.clock.clone();
    let stale = Signal::derive(move || {
        let now = live.clock.ms();
        live.fleet.with(|f| f.node(&node).is_none_or(|n| !n.is_fresh(now)))
    });
    let since = move || cells.with(|r| r.num(Col::Lastchg)).map(|at| format!("for {}", span(clock.since(at))));
    view! {
        <p class="mt-3 flex flex-wrap items-center gap-2">
            <Status row=cells stale />
            <span class="text-ink-3">{since}</span>
        </p>
        <p class="mt-2 text-ink-2 empty:hidden">{move || cells.with(sentence)}</p>
    }
}

fn sentence(row: &Row) -> String {
    let cause = cause(row);
    let mut chars = cause.chars();
    chars.next().map(|first| format!("{}{}.", first.to_uppercase(), chars.as_str())).unwrap_or_default()
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
                    {columns.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect_view()}
                </dl>
            }.into_any(),
        }}
    }
}
