//! Pages whose program is a file of its own: the browser fetches it when it first shows one of them.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos_router::LazyRoute;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

use crate::{
    live::api,
    pages::{events::EventsPage, wall::WallPage},
};

/// The wait before a file that could not be fetched is asked for again, in milliseconds.
const RETRY_MS: u32 = 1_000;

/// The page at `/events`.
pub(crate) struct EventsRoute;

/// The page at `/wall`.
pub(crate) struct WallRoute;

#[wasm_split(events, fallible)]
fn events() -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <EventsPage /> }.into_any())
}

#[wasm_split(wall, fallible)]
fn wall() -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <WallPage /> }.into_any())
}

impl LazyRoute for EventsRoute {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        fetched(events).await
    }
}

impl LazyRoute for WallRoute {
    fn data() -> Self {
        Self
    }

    async fn view(_: Self) -> AnyView {
        fetched(wall).await
    }
}

/// The name of the file that the page at `path` has for itself, without its ending. `wasm-split-cli` names it.
#[cfg(feature = "ssr")]
pub(crate) fn file(path: &str) -> Option<&'static str> {
    match path {
        "/events" => Some("split_events"),
        "/wall" => Some("split_wall"),
        _ => None,
    }
}

/// Fetches what the page at `path` has for itself, so that it can be taken over at once.
#[cfg(feature = "hydrate")]
pub(crate) async fn preload(path: &str) {
    match path {
        "/events" => fetched(__wasm_split_preload_events).await,
        "/wall" => fetched(__wasm_split_preload_wall).await,
        _ => {}
    }
}

/// What `load` brings, however often it has to be asked for. While Sluice does not answer it is waited for; when it
/// answers and still does not have the file, it is another build than this page's, and the page is loaded anew.
async fn fetched<T>(load: impl AsyncFn() -> Result<T, SplitLoaderError>) -> T {
    let mut has_answered = false;
    loop {
        if let Ok(loaded) = load().await {
            return loaded;
        }
        if has_answered {
            let _: Result<(), _> = window().location().reload();
        }
        TimeoutFuture::new(RETRY_MS).await;
        has_answered = api::answers().await;
    }
}
