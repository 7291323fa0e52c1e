//! Sluice's pages, and the words that browser and server share.

// The component macro makes public items of private ones, and takes every property by value.
#[expect(unreachable_pub, reason = "made by the component macro")]
mod app;
#[expect(unreachable_pub, reason = "made by the component macro")]
pub mod components;
mod live;

#[expect(unreachable_pub, clippy::needless_pass_by_value, reason = "made by the component macro")]
pub mod pages;
#[cfg(feature = "ssr")]
mod shell;
mod snapshot;

pub use app::App;
#[cfg(feature = "ssr")]
pub use shell::{document, shell};
pub use snapshot::Snapshot;

/// The browser's way in: takes over the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    // A page is taken over in one go: all of its program has to be there.
    pages::lazy::preload(&leptos::prelude::location().pathname().unwrap_or_default()).await;
    leptos::mount::hydrate_body(App);
}
