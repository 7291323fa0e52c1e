//! The problems as tiles.

use leptos::prelude::*;
use model::{
    format::{plural, span},
    problem::{Problem, Severity},
    status::RowState,
};

use crate::{
    components::status::{STALE_SHAPE, Shape, shape},
    live::Live,
};

/// Tiles that can be read from four metres.
const MOST_TILES: usize = 5;

/// The left half of the wall.
#[component]
pub(super) fn Tiles() -> impl IntoView {
    let fleet = Live::expect().fleet;
    let problems = Memo::new({
        let fleet = fleet.clone();
        move |_| fleet.with(|f| f.problems.iter().take(MOST_TILES).cloned().collect::<Vec<_>>())
    });
    let more = Memo::new(move |_| fleet.with(|f| f.problem_count).saturating_sub(MOST_TILES as u64));
    view! {
        <section class="wall-tiles" aria-label="Problems">
            {move || problems.get().into_iter().map(|problem| view! { <Tile problem /> }).collect_view()}
            {move || (more.get() > 0).then(|| view! { <p class="wall-more">{format!("and {} more", more.get())}</p> }.into_any())}
            {move || problems.with(Vec::is_empty).then(|| view! { <AllWell /> })}
        </section>
    }
}

#[component]
fn AllWell() -> impl IntoView {
    view! {
        <div class="wall-well">
            <Shape path=shape(RowState::Up) />
            <p>"Every server that should take traffic does."</p>
        </div>
    }
}

#[component]
fn Tile(problem: Problem) -> impl IntoView {
    let clock = Live::expect().clock;
    let since = problem.since;
    let (class, path) = look(&problem);
    let detail = detail(&problem);
    view! {
        <article class=class>
            <Shape path />
            <div class="min-w-0 grow">
                <h2>{headline(&problem)}</h2>
                <p class="text-ink-2">{detail}</p>
            </div>
            <p class="wall-since">{move || span(clock.since(since))}</p>
        </article>
    }
}

fn headline(p: &Problem) -> String {
    match p.severity {
        Severity::NodeDown => format!("{} does not answer", p.name),
        Severity::BackendDown => format!("{} has no server", p.proxy),
        Severity::Down => format!("{} / {} is down", p.proxy, p.name),
        Severity::Failing if RowState::parse(&p.status) == RowState::Recovering => {
            format!("{} / {} is coming up", p.proxy, p.name)
        }
        Severity::Failing => format!("{} / {} is failing", p.proxy, p.name),
        Severity::Full => format!("{} / {} is full", p.proxy, p.name),
        Severity::Drain => format!("{} / {} is draining", p.proxy, p.name),
    }
}

fn detail(p: &Problem) -> String {
    let seen = match p.nodes.len() {
        _ if p.severity == Severity::NodeDown => String::new(),
        0..=3 => p.nodes.join(" and "),
        n => plural(n, "node"),
    };
    // Where first: what does not fit is cut at the end.
    [seen.as_str(), p.cause.as_str()].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn look(p: &Problem) -> (&'static str, &'static str) {
    match p.severity {
        Severity::NodeDown => ("tile tile-down", STALE_SHAPE),
        Severity::BackendDown | Severity::Down => ("tile tile-down", shape(RowState::Down)),
        Severity::Failing => ("tile tile-going", shape(RowState::parse(&p.status))),
        Severity::Full => ("tile tile-going", shape(RowState::Full)),
        Severity::Drain => ("tile tile-drain", shape(RowState::Drain)),
    }
}
