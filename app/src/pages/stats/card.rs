//! One section: a backend with its servers, or a node's frontends.

use std::collections::HashSet;

use leptos::prelude::*;

use super::{View, actions::SectionActions, columns::Shown, row::RowView};
use crate::{
    components::segments::Segments,
    live::{Live, RowStore, Store},
    model::{col::Text, outcome::Target, row::Kind, status::State},
};

/// Names a card.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum CardKey {
    /// The proxies of one node that have a frontend only.
    Frontends {
        /// The node's name.
        node: String,
    },
    /// One proxy with servers, on one node.
    Proxy {
        /// The node's name.
        node: String,
        /// HAProxy's `pxname`.
        proxy: String,
    },
}

/// The cards of the page: frontends first, then every backend, node by node.
pub(super) fn cards(store: &Store) -> Vec<CardKey> {
    let (mut frontends, mut proxies) = (Vec::new(), Vec::new());
    for proxy in store.proxies() {
        for section in proxy.sections.get() {
            let node = section.node.clone();
            if section.rows.with(|rows| is_frontend_only(rows)) {
                let key = CardKey::Frontends { node };
                if !frontends.contains(&key) {
                    frontends.push(key);
                }
            } else {
                proxies.push(CardKey::Proxy { node, proxy: section.proxy.clone() });
            }
        }
    }
    frontends.extend(proxies);
    frontends
}

fn is_frontend_only(rows: &[RowStore]) -> bool {
    rows.iter().all(|r| r.row.with_untracked(|r| matches!(r.kind, Kind::Frontend | Kind::Listener)))
}

impl CardKey {
    fn node(&self) -> &str {
        match self {
            Self::Frontends { node } | Self::Proxy { node, .. } => node,
        }
    }

    fn rows(&self, store: &Store) -> Vec<RowStore> {
        let sections = store.proxies().into_iter().flat_map(|p| p.sections.get());
        let sections = sections.filter(|s| s.node == self.node());
        match self {
            Self::Frontends { .. } => {
                sections.map(|s| s.rows.get()).filter(|rows| is_frontend_only(rows)).flatten().collect()
            }
            Self::Proxy { proxy, .. } => sections.filter(|s| s.proxy == *proxy).flat_map(|s| s.rows.get()).collect(),
        }
    }
}

/// The card.
#[component]
pub(super) fn Card(key: CardKey) -> impl IntoView {
    let live = Live::expect();
    let node = key.node().to_owned();
    let store = live.store.clone();
    let row_key = key.clone();
    let rows = Signal::derive(move || row_key.rows(&store));
    let stale = {
        let node = node.clone();
        Memo::new(move |_| {
            let now = live.clock.ms();
            live.fleet.with(|f| f.node(&node).is_none_or(|n| !n.is_fresh(now)))
        })
    };
    let is_hidden = move || !rows.with(|rows| rows.iter().any(|r| r.shown.get()));
    let has_servers = rows.with_untracked(|rows| rows.iter().any(RowStore::is_server));
    let title = match &key {
        CardKey::Frontends { .. } => "Frontends".to_owned(),
        CardKey::Proxy { proxy, .. } => proxy.clone(),
    };
    let table = view! {
        <CardHead title=title.clone() rows node=node.clone() stale />
        <div class="overflow-x-auto">
            <table class="rows" class:stale=move || stale.get()>
                <caption class="sr-only">{format!("{title} on {node}")}</caption>
                <TableHead rows has_servers />
                <tbody>
                    <For each=move || rows.get() key=|r| r.target.clone() let(row)>
                        <RowView row stale has_servers />
                    </For>
                </tbody>
            </table>
        </div>
    };
    let label = format!("{title} on {node}");
    view! {
        <section class="card" class:hidden=is_hidden aria-label=label>
            {if has_servers {
                view! { <SectionActions title rows>{table}</SectionActions> }.into_any()
            } else {
                table.into_any()
            }}
        </section>
    }
}

/// The servers of a card, by state, and how many take traffic.
fn counts(rows: &[RowStore]) -> ([u32; State::ALL.len()], u32) {
    let (mut counts, mut up) = ([0; State::ALL.len()], 0);
    for row in rows.iter().filter(|r| r.is_server()) {
        row.row.with(|r| {
            let state = r.state();
            counts[State::ALL.iter().position(|s| *s == state).unwrap_or(State::ALL.len() - 1)] += 1;
            up += u32::from(r.takes_traffic());
        });
    }
    (counts, up)
}

#[component]
fn CardHead(title: String, rows: Signal<Vec<RowStore>>, node: String, stale: Memo<bool>) -> impl IntoView {
    let counted = Memo::new(move |_| rows.with(|rows| counts(rows)));
    let bar = Signal::derive(move || counted.get().0);
    let total = Memo::new(move |_| counted.get().0.iter().sum::<u32>());
    let tags = Memo::new(move |_| {
        rows.with(|rows| {
            let find = |kind| rows.iter().find(|r| r.row.with_untracked(|r| r.kind == kind));
            let is_listen = find(Kind::Frontend).is_some() && find(Kind::Backend).is_some();
            find(Kind::Backend).map(|r| {
                r.row.with(|r| {
                    let kind = if is_listen { "listen" } else { "backend" };
                    let parts = [r.text(Text::Mode), r.text(Text::Algo)];
                    (kind, parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · "))
                })
            })
        })
    });
    view! {
        <div class="card-head">
            <h2 class="min-w-0 truncate text-[15px] font-semibold" title=title.clone()>{title.clone()}</h2>
            {move || tags.get().map(|(kind, text)| view! {
                <span class="tag">{kind}</span>
                {(!text.is_empty()).then(|| view! { <span class="tag max-[520px]:hidden">{text}</span> })}
            })}
            {move || (total.get() > 0).then(|| view! {
                <span class:seg-stale=move || stale.get()><Segments counts=bar /></span>
                <span class="text-[13px] whitespace-nowrap text-ink-2">
                    <b class="text-ink">{move || counted.get().1}</b>
                    " of "
                    {move || total.get()}
                    {move || if stale.get() { " were up" } else { " up" }}
                </span>
            })}
            <span class="ml-auto truncate text-[13px] text-ink-3">
                {move || stale.get().then_some("old data · ")}
                {node}
            </span>
        </div>
    }
}

/// The columns' names. The same columns stand in every card, so that figures align over the page.
#[component]
fn TableHead(rows: Signal<Vec<RowStore>>, has_servers: bool) -> impl IntoView {
    let view = View::expect();
    let columns = view.columns;
    let groups = move |f: fn(Shown) -> AnyView| move || f(columns.get());
    view! {
        <colgroup>
            <col class="col-sel" /><col class="col-name" /><col class="col-status" /><col class="col-now" /><col class="col-max" /><col class="col-queue" />
            <col class="col-rate" /><col class="col-bytes" /><col class="col-bytes" /><col class="col-err" /><col class="col-err" /><col class="col-check" />
            <col class="col-weight" /><col class="col-spark" />
            {groups(|shown| shown.columns().map(|_| view! { <col class="col-extra" /> }).collect_view().into_any())}
        </colgroup>
        <thead>
            <tr>
                <td></td><td></td><td></td>
                <th colspan="2" scope="colgroup">"Sessions"</th>
                <th scope="colgroup">"Queue"</th>
                <th scope="colgroup">"Rate"</th>
                <th colspan="2" scope="colgroup">"Bytes / s"</th>
                <th scope="colgroup">"Errors"</th>
                <th scope="colgroup">"Retries"</th>
                <td></td><td></td><td></td>
                {groups(|shown| shown.groups().map(|g| view! { <th colspan=g.columns.len() scope="colgroup">{g.label}</th> }).collect_view().into_any())}
            </tr>
            <tr>
                <td class="c-sel">{has_servers.then(|| view! { <SelectAll rows /> })}</td>
                <th class="l" scope="col">{if has_servers { "Server" } else { "Frontend" }}</th>
                <th class="l" scope="col">"Status"</th>
                <th scope="col">"now / limit"</th>
                <th scope="col">"max"</th>
                <th scope="col">"now"</th>
                <th scope="col"><abbr title="Requests a second; sessions a second in mode tcp">"req/s"</abbr></th>
                <th scope="col">"in"</th>
                <th scope="col">"out"</th>
                <th scope="col">"/ min"</th>
                <th scope="col">"/ min"</th>
                <th class="l" scope="col">"Last check"</th>
                <th scope="col">"Weight"</th>
                <th scope="col">"10 minutes"</th>
                {groups(|shown| shown.columns().map(|c| view! { <th scope="col"><abbr title=c.title>{c.head}</abbr></th> }).collect_view().into_any())}
            </tr>
        </thead>
    }
}

/// Checks every server of the card that the filter shows.
#[component]
fn SelectAll(rows: Signal<Vec<RowStore>>) -> impl IntoView {
    let view = View::expect();
    let shown = move || -> HashSet<Target> {
        rows.with(|rows| rows.iter().filter(|r| r.is_server() && r.shown.get()).map(|r| r.target.clone()).collect())
    };
    let checked = Memo::new(move |_| {
        let targets = shown();
        let checked = targets.iter().filter(|t| view.selection.has(t)).count();
        (checked, targets.len())
    });
    let toggle = move |ev| {
        let on = event_target_checked(&ev);
        untrack(shown).into_iter().for_each(|target| view.selection.set(target, on));
    };
    view! {
        <label class="hit needs-script">
            <input
                type="checkbox"
                aria-label="Select all servers shown"
                prop:checked=move || matches!(checked.get(), (n, all) if n == all && all > 0)
                prop:indeterminate=move || matches!(checked.get(), (n, all) if n > 0 && n < all)
                on:change=toggle
            />
        </label>
    }
}
