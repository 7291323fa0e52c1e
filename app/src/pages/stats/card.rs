//! One section: a backend with its servers, or the frontends of a cluster.

use std::collections::HashSet;

use leptos::prelude::*;
use model::{
    col::Text,
    fleet::{Fleet, Link, Node},
    format::age,
    outcome::{Target, TargetRef},
    row::RowKind,
    status::RowState,
};

use super::{StatsContext, actions::SectionActions, columns::ShownColumns, row::RowView};
use crate::{
    components::segments::Segments,
    live::{Live, RowStore, SectionStore, Store},
};

/// Names a card.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CardKey {
    /// Whose rows: a node's name, or `@CLUSTER` for merged rows.
    place: String,
    /// HAProxy's `pxname`; nothing for the card of those proxies that have a frontend only.
    proxy: Option<String>,
}

/// The cards of the page, of all nodes or of one: frontends first, then every backend.
pub(super) fn cards(store: &Store, node: Option<&str>) -> Vec<CardKey> {
    let (mut frontends, mut proxies) = (Vec::new(), Vec::new());
    for section in store.listed(node) {
        let place = section.place();
        if section.rows.with(|rows| is_frontend_only(rows)) {
            let key = CardKey { place, proxy: None };
            if !frontends.contains(&key) {
                frontends.push(key);
            }
        } else {
            proxies.push(CardKey { place, proxy: Some(section.proxy) });
        }
    }
    frontends.extend(proxies);
    frontends
}

fn is_frontend_only(rows: &[RowStore]) -> bool {
    rows.iter().all(|r| r.row.with_untracked(|r| matches!(r.kind, RowKind::Frontend | RowKind::Listener)))
}

impl CardKey {
    /// The node's or the cluster's name.
    fn place_name(&self) -> &str {
        self.cluster().unwrap_or(&self.place)
    }

    /// The cluster, where the rows are merged over it.
    fn cluster(&self) -> Option<&str> {
        self.place.strip_prefix(TargetRef::CLUSTER_MARK)
    }

    fn rows(&self, store: &Store, node: Option<&str>) -> Vec<RowStore> {
        let sections = store.listed(node).into_iter().filter(|s| s.place() == self.place);
        match &self.proxy {
            None => sections.map(|s| s.rows.get()).filter(|rows| is_frontend_only(rows)).flatten().collect(),
            Some(proxy) => sections.filter(|s| s.proxy == *proxy).flat_map(|s: SectionStore| s.rows.get()).collect(),
        }
    }

    /// How far the card's rows are the present, at `now`.
    fn freshness(&self, fleet: &Fleet, now: u64) -> CardFreshness {
        let mut nodes = fleet.nodes.iter().filter(|n| match self.cluster() {
            Some(cluster) => n.cluster == cluster,
            None => n.name == self.place,
        });
        let is_fresh = nodes.clone().any(|n| n.is_fresh(now));
        if self.cluster().is_none() {
            return CardFreshness { is_fresh, text: self.place.clone(), is_partial: false };
        }
        let total = nodes.clone().count();
        let summed = nodes.clone().filter(|n| n.link != Link::Down).count();
        let name = self.place_name();
        let old = |n: &&Node| n.link != Link::Down && !n.is_fresh(now);
        let text = match nodes.find(old).and_then(|n| Some((n, n.age_ms(now)?))) {
            _ if summed == 0 => format!("{name} · no node answers"),
            _ if summed < total => format!("{name} · sums of {summed} of {total} nodes"),
            Some((node, ms)) => format!("{name} · {} is {} old", node.name, age(ms)),
            None => format!("{name} · {total} nodes"),
        };
        let is_partial = summed < total || fleet.nodes.iter().any(|n| n.cluster == name && !n.is_fresh(now));
        CardFreshness { is_fresh, text, is_partial }
    }
}

/// Whether a card's rows are the present.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CardFreshness {
    /// Whether any of them is.
    is_fresh: bool,
    /// Whose rows they are, and which nodes are left out of the sums.
    text: String,
    /// Whether some are not.
    is_partial: bool,
}

/// The card.
#[component]
pub(super) fn Card(key: CardKey) -> impl IntoView {
    let live = Live::expect();
    let context = StatsContext::expect();
    let store = live.store.clone();
    let place = key.place_name().to_owned();
    let title = key.proxy.clone().unwrap_or_else(|| "Frontends".to_owned());
    let freshness = {
        let key = key.clone();
        Memo::new(move |_| {
            let now = live.clock.ms();
            live.fleet.with(|f| key.freshness(f, now))
        })
    };
    let rows = Signal::derive(move || context.filter.with(|f| key.rows(&store, f.node.as_deref())));
    let stale = Memo::new(move |_| !freshness.with(|f| f.is_fresh));
    let is_hidden = move || !rows.with(|rows| rows.iter().any(|r| r.shown.get()));
    let has_servers = rows.with_untracked(|rows| rows.iter().any(RowStore::is_server));
    let label = format!("{title} on {place}");
    let table = view! {
        <CardHead title=title.clone() rows freshness stale />
        <div class="overflow-x-auto">
            <table class="rows" class:stale=move || stale.get()>
                <caption class="sr-only">{label.clone()}</caption>
                <TableHead rows has_servers />
                <tbody>
                    <For each=move || rows.get() key=|r| r.target.clone() let(row)>
                        <RowView row stale has_servers />
                    </For>
                </tbody>
            </table>
        </div>
    };
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
fn counts(rows: &[RowStore]) -> ([u32; RowState::ALL.len()], u32) {
    let (mut counts, mut up) = ([0; RowState::ALL.len()], 0);
    for row in rows.iter().filter(|r| r.is_server()) {
        row.row.with(|r| {
            let state = r.state();
            counts[RowState::ALL.iter().position(|s| *s == state).unwrap_or(RowState::ALL.len() - 1)] += 1;
            up += u32::from(r.takes_traffic());
        });
    }
    (counts, up)
}

#[component]
fn CardHead(
    title: String,
    rows: Signal<Vec<RowStore>>,
    freshness: Memo<CardFreshness>,
    stale: Memo<bool>,
) -> impl IntoView {
    let is_partial = move || freshness.with(|f| f.is_partial);
    let counted = Memo::new(move |_| rows.with(|rows| counts(rows)));
    let bar = Signal::derive(move || counted.get().0);
    let total = Memo::new(move |_| counted.get().0.iter().sum::<u32>());
    let tags = Memo::new(move |_| {
        rows.with(|rows| {
            let find = |kind| rows.iter().find(|r| r.row.with_untracked(|r| r.kind == kind));
            let is_listen = find(RowKind::Frontend).is_some() && find(RowKind::Backend).is_some();
            find(RowKind::Backend).map(|r| {
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
                {(!text.is_empty()).then(|| view! { <span class="tag max-[520px]:hidden">{text}</span> }.into_any())}
            }.into_any())}
            {move || (total.get() > 0).then(|| view! {
                <span class:seg-stale=move || stale.get()><Segments counts=bar /></span>
                <span class="text-[13px] whitespace-nowrap text-ink-2">
                    <b class="text-ink">{move || counted.get().1}</b>
                    " of "
                    {move || total.get()}
                    {move || if stale.get() { " were up" } else { " up" }}
                </span>
            }.into_any())}
            <span class="ml-auto truncate text-[13px]" class:text-down=is_partial class:text-ink-3=move || !is_partial()>
                {move || stale.get().then_some("old data · ")}
                {move || freshness.with(|f| f.text.clone())}
            </span>
        </div>
    }
}

/// The columns' names. The same columns stand in every card, so that figures align over the page.
#[component]
fn TableHead(rows: Signal<Vec<RowStore>>, has_servers: bool) -> impl IntoView {
    let context = StatsContext::expect();
    let columns = context.columns;
    let groups = move |f: fn(ShownColumns) -> AnyView| move || f(columns.get());
    view! {
        <colgroup>
            <col class="col-sel" /><col class="col-name" /><col class="col-status" /><col class="col-now" /><col class="col-max" /><col class="col-queue" />
            <col class="col-rate" /><col class="col-bytes" /><col class="col-bytes" /><col class="col-err" /><col class="col-err" /><col class="col-check" />
            <col class="col-weight" /><col class="col-spark" />
            {groups(|shown| shown.columns().map(|_| view! { <col class="col-extra" /> }.into_any()).collect_view().into_any())}
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
                {groups(|shown| shown.groups().map(|g| view! { <th colspan=g.columns.len() scope="colgroup">{g.label}</th> }.into_any()).collect_view().into_any())}
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
                {groups(|shown| shown.columns().map(|c| view! { <th scope="col"><abbr title=c.title>{c.head}</abbr></th> }.into_any()).collect_view().into_any())}
            </tr>
        </thead>
    }
}

/// Checks every server of the card that the filter shows, on every node that has it.
#[component]
fn SelectAll(rows: Signal<Vec<RowStore>>) -> impl IntoView {
    let context = StatsContext::expect();
    let store = Live::expect().store;
    let shown = move || -> HashSet<Target> {
        let servers = rows.get().into_iter().filter(|r| r.is_server() && r.shown.get());
        servers.flat_map(|r| store.on_nodes(&r)).map(|r| r.target).collect()
    };
    let targets = Memo::new(move |_| shown());
    let checked =
        Memo::new(move |_| targets.with(|t| (t.iter().filter(|t| context.selection.has(t)).count(), t.len())));
    let toggle = move |ev| context.selection.set_all(targets.get_untracked(), event_target_checked(&ev));
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
