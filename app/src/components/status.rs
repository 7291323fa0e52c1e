//! A state: colour, shape and HAProxy's word.

use leptos::prelude::*;
use model::{col::Text, row::Row, status::RowState};

/// The look of a state. Class names are whole, so that Tailwind finds them.
pub(crate) fn class(state: RowState) -> &'static str {
    match state {
        RowState::Up => "st st-up",
        RowState::Failing | RowState::Full => "st st-going",
        RowState::Down | RowState::Recovering => "st st-down",
        RowState::Drain => "st st-drain",
        RowState::Maint => "st st-maint",
        RowState::NoCheck | RowState::Unknown => "st st-none",
    }
}

/// The shape of a state, in a box of 12 by 12.
pub(crate) fn shape(state: RowState) -> &'static str {
    match state {
        RowState::Up => "M2 6.5 5 9.5 10 3",
        RowState::Failing => "M6 2v7M2.5 6 6 9.5 9.5 6",
        RowState::Recovering => "M6 10V3M2.5 6 6 2.5 9.5 6",
        RowState::Down => "M3 3l6 6M9 3l-6 6",
        RowState::Drain => "M6 1.5c2 2.6 3 4 3 5.4a3 3 0 0 1-6 0c0-1.4 1-2.8 3-5.4z",
        RowState::Maint => {
            "M2.8 2.800l6.4 6.400M9.2 2.800l-6.4 6.400M6 1.200a4.8 4.8 0 1 0 0 9.600a4.8 4.8 0 1 0 0-9.6"
        }
        RowState::Full => "M2 3h8M2 6h8M2 9h8",
        RowState::NoCheck => "M3 6h6",
        RowState::Unknown => "M4 4.500a2 2 0 1 1 2 2v1M6 9.800v.200",
    }
}

/// The shape for what is not known any more.
pub(crate) const STALE_SHAPE: &str = "M6 3v3.500l2 1.500M6 1.200a4.8 4.8 0 1 0 0 9.600a4.8 4.8 0 1 0 0-9.6";

/// A shape of twelve by twelve.
#[component]
pub(crate) fn Shape(#[prop(into)] path: Signal<&'static str>) -> impl IntoView {
    view! {
        <svg viewBox="0 0 12 12" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
            <path d=path />
        </svg>
    }
}

/// A row's state with HAProxy's word; with `stale` it says what was, and is grey.
#[component]
pub(crate) fn Status(
    /// The row.
    row: Signal<Row>,
    /// Whether the row is too old to be taken for the present.
    #[prop(into)]
    stale: Signal<bool>,
) -> impl IntoView {
    let state = Memo::new(move |_| row.with(Row::state));
    let status = Memo::new(move |_| row.with(|r| r.text(Text::Status).to_owned()));
    let path = Signal::derive(move || if stale.get() { STALE_SHAPE } else { shape(state.get()) });
    view! {
        <span class=move || if stale.get() { "st st-stale" } else { class(state.get()) }>
            <Shape path />
            {move || status.with(|s| if stale.get() { format!("was {s}") } else { s.clone() })}
        </span>
    }
}
