//! Events as lines: when, where, what, why. Drawn alike on the Events page and in a row's details.

use leptos::prelude::*;
use model::{
    event::{Event, EventFilter, EventKind},
    format::moment,
    status::RowState,
    topic::TopicId,
};

use super::status::{STALE_SHAPE, class, shape};
use crate::live::Live;

/// The newest of the events that the filter wants, newest first.
#[component]
pub(crate) fn EventList(
    /// Which are shown.
    filter: EventFilter,
    /// How many at most.
    most: usize,
) -> impl IntoView {
    let live = Live::expect();
    live.follow(TopicId::Events);
    let clock = live.clock.clone();
    // Server and browser first render the same: UTC.
    let ahead = RwSignal::new(0);
    Effect::new(move || ahead.set(-(js_sys::Date::new_0().get_timezone_offset() as i32)));
    let lines = move || {
        let now = clock.now_untracked();
        live.events.with(|events| {
            let wanted = events.iter().rev().filter(|e| filter.wants(e)).take(most);
            wanted.map(|event| line(event, moment(event.at, now, ahead.get()))).collect::<Vec<_>>()
        })
    };
    view! { <ol class="events">{move || lines()}</ol> }
}

fn line(event: &Event, time: String) -> AnyView {
    let (class, path) = look(event);
    let place = match event.server.as_str() {
        "" => event.node.clone(),
        "FRONTEND" | "BACKEND" => format!("{} on {}", event.proxy, event.node),
        server => format!("{}/{server} on {}", event.proxy, event.node),
    };
    let change =
        if event.before == event.after { event.after.clone() } else { [&event.before, " → ", &event.after].concat() };
    let cause = if event.by.is_empty() { event.cause.clone() } else { [&event.cause, " · by ", &event.by].concat() };
    view! {
        <li>
            <time>{time}</time>
            <span class=class><svg viewBox="0 0 12 12" aria-hidden="true"><path d=path /></svg>{event.kind.label()}</span>
            <b>{place}</b>
            <span>{change}</span>
            <span>{cause}</span>
        </li>
    }
    .into_any()
}

/// Colour and shape: those of the state that a row has now, otherwise of the kind.
fn look(event: &Event) -> (&'static str, &'static str) {
    match event.kind {
        EventKind::State => {
            let state = RowState::parse(&event.after);
            (class(state), shape(state))
        }
        EventKind::Link if event.after == "live" => (class(RowState::Up), shape(RowState::Up)),
        EventKind::Link => (class(RowState::Down), STALE_SHAPE),
        EventKind::Reload => (class(RowState::Failing), "M9.500 3.500A4.500 4.500 0 1 0 10.500 7M9.800 1v2.800H7"),
        EventKind::Operation => (class(RowState::Unknown), "M3 2l6 4-6 4z"),
    }
}
