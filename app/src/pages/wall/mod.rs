//! The wall: what is not well, worst first, for a display that nobody touches.

mod tiles;

use leptos::prelude::*;
use leptos_meta::Title;
use model::{
    fleet::{Counts, Fleet, Link, ProxySummary},
    format::{age, count, plural, span},
};
use tiles::Tiles;

use crate::{
    components::{link::PageFreshness, segments::Segments, spark::Sparkline},
    live::{Live, StreamState},
};

/// Old data covers the wall from this age on, in milliseconds: within five seconds of a stop it must say so.
const COVER_AFTER_MS: u64 = 3_500;

/// Backends that fit the right half.
const MOST_PROXIES: usize = 16;

/// The page.
#[component]
pub(crate) fn WallPage() -> impl IntoView {
    let live = Live::expect();
    let fleet = live.fleet.clone();
    let requests = {
        let fleet = live.fleet.clone();
        Signal::derive(move || fleet.with(|f| f.requests.clone()))
    };
    let rate = {
        let fleet = live.fleet.clone();
        move || fleet.with(|f| count(f.requests_now()))
    };
    let problems = Memo::new(move |_| fleet.with(|f| f.problem_count));
    let headline = move || match problems.get() {
        0 => "All is well".to_owned(),
        n => plural(usize::try_from(n).unwrap_or(usize::MAX), "problem"),
    };
    let title = move || match problems.get() {
        0 => "Wall · Sluice".to_owned(),
        n => format!("({n}) Wall · Sluice"),
    };
    view! {
        <Title text=title />
        <div class="wall" data-theme="dark">
            <header class="wall-head">
                <h1 class="text-[1em] leading-none font-bold">{move || headline()}</h1>
                <p class="wall-sub grow"><Scope /></p>
                <p class="wall-sub"><TimeOfDay /></p>
            </header>
            <main class="wall-main">
                <Tiles />
                <section class="wall-side" aria-label="Backends and load">
                    <Proxies />
                    <div class="wall-chart">
                        <p class="flex justify-between"><b>"Requests per second"</b><b class="text-accent">{move || rate()}</b></p>
                        <Sparkline spark=requests label="Requests per second" />
                    </div>
                </section>
            </main>
            <footer class="wall-foot"><Foot /></footer>
            <Cover />
        </div>
    }
}

/// What the wall is of.
#[component]
fn Scope() -> impl IntoView {
    let fleet = Live::expect().fleet;
    move || {
        fleet.with(|f| {
            let mut clusters: Vec<_> = f.nodes.iter().map(|n| n.cluster.as_str()).collect();
            clusters.dedup();
            let servers: u32 = f.proxies.iter().map(|p| p.nodes.iter().map(Counts::total).max().unwrap_or(0)).sum();
            let nodes = plural(f.nodes.len(), "load balancer");
            format!("{} · {nodes} · {}", clusters.join(", "), plural(servers as usize, "server"))
        })
    }
}

/// The display's own time of day, once it is known.
#[component]
fn TimeOfDay() -> impl IntoView {
    let clock = Live::expect().clock;
    let text = RwSignal::new(String::new());
    Effect::new(move || {
        clock.seconds();
        let now = js_sys::Date::new_0();
        text.set(format!("{:02}:{:02}:{:02}", now.get_hours(), now.get_minutes(), now.get_seconds()));
    });
    move || text.get()
}

/// Every backend with its servers, those that lack most first.
#[component]
fn Proxies() -> impl IntoView {
    let fleet = Live::expect().fleet;
    let proxies = Memo::new(move |_| fleet.with(backends));
    view! {
        <ul class="wall-proxies">
            {move || proxies.with(|p| p.iter().take(MOST_PROXIES).map(|(name, worst)| {
                let counts = worst.states;
                view! {
                    <li>
                        <p class="flex justify-between gap-2">
                            <b class="truncate">{name.clone()}</b>
                            <span class="text-ink-2 whitespace-nowrap">{format!("{}/{}", worst.up, worst.total())}</span>
                        </p>
                        <Segments counts=Signal::stored(counts) />
                    </li>
                }
                .into_any()
            }).collect_view())}
        </ul>
        {move || {
            let more = proxies.with(Vec::len).saturating_sub(MOST_PROXIES);
            (more > 0).then(|| view! { <p class="text-ink-2">{format!("and {}", plural(more, "more backend"))}</p> }.into_any())
        }}
    }
}

/// Per backend the node that sees the fewest servers up, of those that answer.
fn backends(fleet: &Fleet) -> Vec<(String, Counts)> {
    let is_heard = |node: &str| fleet.node(node).is_some_and(|n| n.link == Link::Live);
    let worst =
        |p: &ProxySummary| p.nodes.iter().filter(|c| c.total() > 0 && is_heard(&c.node)).min_by_key(|c| c.up).cloned();
    let is_one_cluster = fleet.proxies.iter().all(|p| p.cluster == fleet.proxies[0].cluster);
    let name = |p: &ProxySummary| match is_one_cluster {
        true => p.proxy.clone(),
        false => format!("{} · {}", p.proxy, p.cluster),
    };
    let mut out: Vec<_> = fleet.proxies.iter().filter_map(|p| Some((name(p), worst(p)?))).collect();
    // Stable: what lacks equally much stays in HAProxy's order.
    out.sort_by_key(|(_, c)| std::cmp::Reverse((c.total() - c.up) * 1_000 / c.total()));
    out
}

/// Every node with its age.
#[component]
fn Foot() -> impl IntoView {
    let live = Live::expect();
    let nodes = move || {
        let now = live.clock.ms();
        let lost =
            matches!(live.connection.get(), StreamState::Lost(_) | StreamState::TooMany(_) | StreamState::SignedOut);
        live.fleet.with(|f| {
            f.nodes
                .iter()
                .map(|n| {
                    let old = n.age_ms(now).map_or_else(|| "never heard".to_owned(), age);
                    (format!("{} {old}", n.name), n.is_fresh(now) && !lost)
                })
                .collect::<Vec<_>>()
        })
    };
    view! {
        <crate::components::link::LinkPill />
        {move || nodes().into_iter().map(|(text, fresh)| view! { <span class:text-down=!fresh>{text}</span> }.into_any()).collect_view()}
        <span class="ml-auto">"Sluice"</span>
    }
}

/// Over everything when what the wall shows is not the present.
#[component]
fn Cover() -> impl IntoView {
    let live = Live::expect();
    let clock = live.clock.clone();
    // A page that the server rendered shows the present; only the browser's clock can tell that it is old.
    let is_running = RwSignal::new(false);
    let text = move || {
        let now = live.clock.ms();
        let connection = live.connection.get();
        let newest = live.fleet.with(|f| f.nodes.iter().filter_map(|n| n.age_ms(now)).min());
        let freshness = live.fleet.with(|f| PageFreshness::of(f, connection, now));
        let old = newest.map_or_else(|| "unknown".to_owned(), |ms| span(ms / 1_000));
        match freshness {
            PageFreshness::Lost(_) if newest.is_none_or(|ms| ms >= COVER_AFTER_MS) => Some((
                format!("Data is {old} old"),
                "Sluice does not answer this display. It tries again by itself.".to_owned(),
            )),
            PageFreshness::TooMany(_) => Some((
                "Too many displays show this link".to_owned(),
                format!(
                    "What this one shows is {old} old. Close others, or make another link; it tries again each minute."
                ),
            )),
            PageFreshness::SignedOut => Some((
                "This display's link has ended".to_owned(),
                format!("What it showed is {old} old. Open a new link here, or reload the page to log in."),
            )),
            // Where nothing may be seen, no problem does not mean that all is well.
            PageFreshness::Empty => {
                Some(("Nothing to show".to_owned(), "No node is within this display's reach.".to_owned()))
            }
            PageFreshness::None => {
                let why =
                    live.fleet.with(|f| f.nodes.iter().map(|n| format!("{}: {}", n.name, n.error)).collect::<Vec<_>>());
                Some((format!("No HAProxy answers; data is {old} old"), why.join(" · ")))
            }
            _ => None,
        }
    };
    Effect::new(move || {
        clock.seconds();
        is_running.set(true);
    });
    let shown = Memo::new(move |_| text());
    view! {
        {move || shown.get().filter(|_| is_running.get()).map(|(title, why)| view! {
            <div class="wall-cover" role="alert">
                <p class="text-[1.6em] leading-tight font-bold">{title}</p>
                <p class="mt-[.5em] text-[.8em]">{why}</p>
            </div>
        }.into_any())}
    }
}
