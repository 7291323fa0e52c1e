//! The mark.

use leptos::prelude::*;

/// The gate of a sluice, and the name.
#[component]
pub(crate) fn Brand() -> impl IntoView {
    view! {
        <a href="/stats" class="brand flex items-center gap-2 rounded text-base font-bold tracking-tight text-ink">
            <svg width="20" height="20" viewBox="0 0 20 20" class="stroke-accent" fill="none" stroke-width="2.2" stroke-linecap="round" aria-hidden="true">
                <path d="M3 3v14M17 3v14M3 7h14M6 12c1.3-1.2 2.7-1.2 4 0s2.7 1.2 4 0" />
            </svg>
            "Sluice"
        </a>
    }
}
