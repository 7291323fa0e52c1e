//! The filters by state, with their counts, and a line about every node.

use leptos::prelude::*;
use leptos_router::components::A;
use model::{
    fleet::{Counts, Level, Link},
    format::{count, span},
    status::RowState,
};

use super::{StatsContext, filter::Show, header::address};
use crate::{
    components::link::PageFreshness,
    live::{Live, StreamState},
};

/// The states that have a filter even when no server is in them.
const ALWAYS: [Show; 5] =
    [Show::All, Show::Problems, Show::Only(RowState::Down), Show::Only(RowState::Drain), Show::Only(RowState::Maint)];

/// The row of filters.
#[component]
pub(super) fn Chips() -> impl IntoView {
    let context = StatsContext::expect();
    let live = Live::expect();
    let counts = Memo::new(move |_| {
        let node = context.filter.with(|f| f.node.clone());
        let mut counts = [0_u32; RowState::ALL.len()];
        live.fleet.with(|f| {
            // What a silent node's servers are is not known: they are in no count.
            let is_heard = |c: &&Counts| f.node(&c.node).is_some_and(|n| n.link == Link::Live);
            for proxy in &f.proxies {
                let heard: Vec<&Counts> = proxy.nodes.iter().filter(is_heard).collect();
                let chosen: Vec<&Counts> = match (&node, &proxy.merged) {
                    (None, Some(merged)) if !heard.is_empty() => vec![merged],
                    (Some(node), _) => heard.into_iter().filter(|c| c.node == *node).collect(),
                    _ => heard,
                };
                chosen.iter().for_each(|c| counts.iter_mut().zip(&c.states).for_each(|(sum, n)| *sum += n));
            }
        });
        counts
    });
    let of = move |show: Show| {
        counts.with(|c| RowState::ALL.iter().zip(c).filter(|(s, _)| show.matches(**s)).map(|(_, n)| n).sum::<u32>())
    };
    let all = [Show::All, Show::Problems].into_iter().chain(RowState::ALL.map(Show::Only));
    view! {
        <div class="flex flex-wrap items-center gap-1.5 px-4 pt-3 max-[520px]:px-2">
            <nav class="contents" aria-label="Filters">
                {all.map(|show| view! { <Chip show n=Signal::derive(move || of(show)) /> }).collect_view()}
            </nav>
            <Nodes />
        </div>
    }
}

#[component]
fn Chip(show: Show, n: Signal<u32>) -> impl IntoView {
    let context = StatsContext::expect();
    let label = match show {
        Show::All => "All",
        Show::Problems => "Problems",
        Show::Only(state) => state.label(),
    };
    let is_on = Memo::new(move |_| context.filter.with(|f| f.show == show));
    let is_hidden = move || !ALWAYS.contains(&show) && n.get() == 0 && !is_on.get();
    let href = move || {
        context.filter.track();
        address(context, |f| f.show = show)
    };
    view! {
        <span class:hidden=is_hidden>
            <A href=href scroll=false attr:class=move || if is_on.get() { "chip chip-on" } else { "chip" }>
                {label}
                " "
                <b>{move || n.get()}</b>
            </A>
        </span>
    }
}

/// A line about every node.
#[component]
fn Nodes() -> impl IntoView {
    let live = Live::expect();
    let lines = move || {
        let now = live.clock.seconds() * 1_000 + 999;
        let lost = matches!(live.connection.get(), StreamState::Lost(_) | StreamState::TooMany(_));
        live.fleet.with(|f| {
            f.nodes
                .iter()
                .map(|n| {
                    let fresh = n.is_fresh(now) && !lost;
                    let text = if fresh {
                        let version = n.version.split('-').next().unwrap_or_default();
                        let level = match n.level {
                            Level::Operator | Level::User => format!(" · level {}", n.level.word()),
                            Level::Admin | Level::Unknown => String::new(),
                        };
                        format!("{version} · {} conn · idle {} %{level}", count(n.stats.conns), n.stats.idle)
                    } else if n.stats.polled == 0 {
                        "no answer yet".to_owned()
                    } else {
                        let single = model::fleet::Fleet { nodes: vec![n.clone()], ..Default::default() };
                        match PageFreshness::of(&single, StreamState::Open, now) {
                            PageFreshness::Live(_) => "reconnecting".to_owned(),
                            _ => format!("silent for {}", span(n.age_ms(now).unwrap_or(0) / 1_000)),
                        }
                    };
                    (n.name.clone(), format!("{}, level {}", n.address, n.level.word()), text, fresh)
                })
                .collect::<Vec<_>>()
        })
    };
    view! {
        <aside class="ml-auto flex flex-wrap gap-x-4 text-[12.5px] text-ink-3" aria-label="Nodes">
            {move || lines().into_iter().map(|(name, socket, text, fresh)| view! {
                <span class:text-down=!fresh title=socket><b class="font-semibold text-ink">{name}</b>" "{text}</span>
            }.into_any()).collect_view()}
        </aside>
    }
}
