//! The page for an address that there is no page for.

use leptos::prelude::*;
use leptos_meta::Title;

/// Says so, and leads on. The server answers it with 404.
#[component]
pub(crate) fn MissingPage() -> impl IntoView {
    view! {
        <Title text="Not found · Sluice" />
        <main class="mx-auto max-w-md p-8">
            <h1 class="text-xl font-bold">"There is no such page"</h1>
            <p class="mt-2 text-ink-2">"The address may be mistyped."</p>
            <p class="mt-4">
                <a class="btn btn-primary" href="/stats">"Go to the servers"</a>
            </p>
        </main>
    }
}
