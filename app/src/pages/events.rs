//! The Events page: what happened lately, newest first. The address says which (`?q=web&kind=reload&node=lb1`).

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};

use crate::{
    components::{brand::Brand, events::EventList, link::LinkPill, theme::ThemeSwitch},
    live::Live,
    model::event::{EventFilter, EventKind},
};

/// Lines of a page; the API gives more.
const MOST: usize = 300;

fn from_query(query: &ParamsMap) -> EventFilter {
    let get = |name| query.get(name).unwrap_or_default();
    EventFilter {
        text: get("q"),
        kind: EventKind::from_word(&get("kind")),
        node: get("node"),
        ..EventFilter::default()
    }
}

/// The address of a view.
fn address(filter: &EventFilter) -> String {
    let mut query = ParamsMap::new();
    let kind = filter.kind.map(EventKind::word).unwrap_or_default();
    for (name, value) in [("q", filter.text.as_str()), ("kind", kind), ("node", &filter.node)] {
        if !value.is_empty() {
            query.insert(name.to_owned(), value.to_owned());
        }
    }
    format!("/events{}", query.to_query_string())
}

/// The page.
#[component]
pub(crate) fn EventsPage() -> impl IntoView {
    let live = Live::expect();
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(from_query));
    let nodes: Vec<String> = live.fleet.with_untracked(|f| f.nodes.iter().map(|n| n.name.clone()).collect());
    let go = move |change: &dyn Fn(&mut EventFilter)| {
        let mut wanted = filter.get_untracked();
        change(&mut wanted);
        use_navigate()(&address(&wanted), NavigateOptions { replace: true, scroll: false, ..<_>::default() });
    };
    let kinds = EventKind::ALL.map(|k| (k.word().to_owned(), k.label().to_owned()));
    let node_options = nodes.into_iter().map(|n| (n.clone(), n));
    view! {
        <Title text="Events · Sluice" />
        <header class="sticky top-0 z-20 flex flex-wrap items-center gap-3 border-b border-line bg-surface px-4 py-2.5 max-[835px]:static">
            <Brand />
            <nav class="flex gap-0.5" aria-label="Pages">
                <a class="tab" href="/stats">"Stats"</a>
                <a class="tab tab-on" href="/events" aria-current="page">"Events"</a>
                <a class="tab" href="/wall">"Wall"</a>
            </nav>
            <form method="get" action="/events" role="search" class="contents" on:submit=|ev| ev.prevent_default()>
                <span class="find"><input
                    type="search"
                    name="q"
                    placeholder="Find in events"
                    aria-label="Find in events"
                    autocomplete="off"
                    value=filter.get_untracked().text
                    on:input=move |ev| go(&|f| f.text = event_target_value(&ev))
                /></span>
                {choice("kind", "All kinds", filter.get_untracked().kind.map(EventKind::word).unwrap_or_default(), kinds.into(),
                    Callback::new(move |value: String| go(&|f| f.kind = EventKind::from_word(&value))))}
                {choice("node", "All nodes", &filter.get_untracked().node, node_options.collect(),
                    Callback::new(move |value: String| go(&|f| f.node.clone_from(&value))))}
                <button class="btn no-script">"Find"</button>
            </form>
            <span class="grow max-[835px]:hidden"></span>
            <LinkPill />
            <ThemeSwitch />
        </header>
        <main class="px-4 pt-3 max-[520px]:px-2">
            <h1 class="sr-only">"Events"</h1>
            <p class="no-script">"Times are in UTC."</p>
            <EventList filter most=MOST />
            <p class="events-none">"Nothing happened since Sluice was started that fits the filter."</p>
        </main>
    }
}

/// One of a list, or all.
fn choice(
    name: &'static str,
    all: &'static str,
    chosen: &str,
    options: Vec<(String, String)>,
    on_change: Callback<String>,
) -> AnyView {
    let option = |(value, label): (String, String)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{label}</option> }
    };
    view! {
        <select class="btn" name=name aria-label=name on:change=move |ev| on_change.run(event_target_value(&ev))>
            <option value="">{all}</option>
            {options.into_iter().map(option).collect::<Vec<_>>()}
        </select>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_read_back_from_its_address() {
        for (query, address_of) in [
            (&[][..], "/events"),
            (&[("q", "web s1"), ("kind", "reload")], "/events?q=web%20s1&kind=reload"),
            (&[("node", "lb1"), ("kind", "what")], "/events?node=lb1"),
        ] {
            let mut map = ParamsMap::new();
            query.iter().for_each(|(k, v)| map.insert((*k).to_owned(), (*v).to_owned()));
            assert_eq!(address(&from_query(&map)), address_of);
        }
    }
}
