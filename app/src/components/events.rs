//! Events as lines: when, where or whose, what, why. Drawn alike on the Events page and in a row's details.

use std::cmp::Reverse;

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
    if filter.server.is_empty() {
        live.follow(TopicId::Accounts);
    }
    let clock = live.clock.clone();
    // Server and browser first render the same: UTC.
    let ahead = RwSignal::new(0);
    Effect::new(move || ahead.set(-(js_sys::Date::new_0().get_timezone_offset() as i32)));
    let lines = move || {
        let now = clock.now_untracked();
        live.events.with(|of_nodes| {
            live.account_events.with(|of_accounts| {
                let all = of_nodes.iter().rev().chain(of_accounts.iter().rev());
                let mut wanted: Vec<&Event> = all.filter(|e| filter.wants(e)).collect();
                wanted.sort_by_key(|event| Reverse(event.at));
                let newest = wanted.into_iter().take(most);
                newest.map(|event| line(event, moment(event.at, now, ahead.get()))).collect::<Vec<_>>()
            })
        })
    };
    view! { <ol class="events">{move || lines()}</ol> }
}

fn line(event: &Event, time: String) -> AnyView {
    let (class, path) = look(event);
    let place = match event.server.as_str() {
        "" if event.kind == EventKind::Account => event.account.clone(),
        "" => event.node.clone(),
        "FRONTEND" | "BACKEND" => format!("{} on {}", event.proxy, event.node),
        server => format!("{}/{server} on {}", event.proxy, event.node),
    };
    let is_change = event.before != event.after && event.kind != EventKind::Account;
    let change = if is_change { [&event.before, " → ", &event.after].concat() } else { event.after.clone() };
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
        EventKind::Account => (
            class(RowState::Unknown),
            "M6 6.200a2.300 2.300 0 1 0 0-4.600 2.300 2.300 0 0 0 0 4.600zM1.800 11a4.200 4.200 0 0 1 8.400 0",
        ),
        EventKind::Operation => (class(RowState::Unknown), "M3 2l6 4-6 4z"),
    }
}
