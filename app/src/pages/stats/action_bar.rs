//! The bar that appears once anything is checked, for selections across backends.

use leptos::{ev, prelude::*};
use model::format::plural;

use super::{
    StatsContext,
    actions::{ActionControls, ReasonField},
    operation::Phase,
};

/// The bar.
#[component]
pub(super) fn ActionBar() -> impl IntoView {
    let context = StatsContext::expect();
    let is_empty = Memo::new(move |_| context.selection.count() == 0);
    let escape = window_event_listener(ev::keydown, move |ev| {
        // A dialog closes by the same key, and keeps the selection.
        let is_free = !matches!(context.operation.phase(), Phase::Asking(_)) && context.details.is_closed();
        if ev.key() == "Escape" && !ev.default_prevented() && is_free {
            context.selection.clear();
        }
    });
    on_cleanup(move || escape.remove());
    view! {
        <div class="bar" class:hidden=move || is_empty.get() role="region" aria-label="Checked servers">
            <span class="whitespace-nowrap">
                <b>{move || format!("{} selected", context.selection.count())}</b>
                <span class="text-ink-3 max-[835px]:hidden">
                    {move || format!(" in {}", plural(context.selection.backends(), "backend"))}
                </span>
            </span>
            <ActionControls
                targets=Signal::derive(move || context.selection.get())
                place=Signal::stored(None)
                label="Action for all checked servers".to_owned()
            />
            <ReasonField class="btn reason" />
            <button type="button" class="btn btn-quiet" on:click=move |_| context.selection.clear()>
                "Clear"
                <kbd class="max-[835px]:hidden">"Esc"</kbd>
            </button>
        </div>
    }
}
