//! The Events page: what happened lately, newest first. The address says which (`?q=web&kind=reload&node=lb1`).
//!
//! The filter is an ordinary form that asks the server: a page more, and no program for it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::event::{EventFilter, EventKind};

use crate::{
    components::{
        account::{Account, OpenNote},
        brand::Brand,
        events::EventList,
        link::LinkPill,
        nav::Nav,
        theme::ThemeSwitch,
    },
    live::Live,
};

/// Lines of a page; the API gives more.
const MOST: usize = 300;

/// The page.
#[component]
pub(crate) fn EventsPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let get = |name| query.get(name).unwrap_or_default();
    let filter = EventFilter {
        text: get("q"),
        kind: EventKind::from_word(&get("kind")),
        node: get("node"),
        ..EventFilter::default()
    };
    let kinds = EventKind::ALL.map(|k| k.word().to_owned());
    let nodes = Live::expect().fleet.with_untracked(|f| f.nodes.iter().map(|n| n.name.clone()).collect());
    let fields = (
        choice("kind", "All kinds", filter.kind.map(EventKind::word).unwrap_or_default(), kinds.into()),
        choice("node", "All nodes", &filter.node, nodes),
    );
    view! {
        <Title text="Events · Sluice" />
        <header class="sticky top-0 z-20 flex flex-wrap items-center gap-3 border-b border-line bg-surface px-4 py-2.5 max-[835px]:static">
            <Brand />
            <Nav current="/events" />
            <form method="get" action="/events" role="search" class="events-find">
                <span class="find"><input type="search" name="q" placeholder="Find in events" aria-label="Find in events" value=filter.text.clone() /></span>
                {fields}
                <button class="btn">"Find"</button>
            </form>
            <span class="grow max-[835px]:hidden"></span>
            <LinkPill />
            <ThemeSwitch />
            <Account />
        </header>
        <OpenNote />
        <main class="px-4 pt-3 pb-6 max-[520px]:px-2">
            <h1 class="sr-only">"Events"</h1>
            <p class="no-script">"Times are in UTC."</p>
            <EventList filter most=MOST />
            <p class="events-none">"Nothing that fits the filter happened since Sluice was started."</p>
        </main>
    }
    .into_any()
}

/// One of a list, or all.
fn choice(name: &'static str, all: &'static str, chosen: &str, options: Vec<String>) -> AnyView {
    let option = |value: String| {
        let selected = value == chosen;
        view! { <option selected=selected>{value}</option> }.into_any()
    };
    view! {
        <select class="btn" name=name aria-label=name>
            <option value="">{all}</option>
            {options.into_iter().map(option).collect::<Vec<_>>()}
        </select>
    }
    .into_any()
}
