//! The routes, and what every page shares: the live state.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Redirect, Route, Router},
    path,
};

use crate::{
    live::Live,
    pages::{lazy, missing::MissingPage, stats::StatsPage},
    snapshot::Snapshot,
};

/// The program in the browser, and the view that the server renders of it.
#[component]
#[must_use]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let snapshot = Snapshot::current();
    provide_context(snapshot.who.clone());
    let live = Live::new(snapshot);
    provide_context(live.clone());
    // Clock and stream belong to the browser: an effect runs there alone, once the page is taken over.
    Effect::new(move || live.start());
    view! {
        <Router>
            <FlatRoutes fallback=MissingPage>
                <Route path=path!("/") view=|| view! { <Redirect path="/stats" /> } ssr=SsrMode::Async />
                <Route path=path!("/stats") view=StatsPage ssr=SsrMode::Async />
                <Route path=path!("/events") view={Lazy::<lazy::EventsRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/wall") view={Lazy::<lazy::WallRoute>::new()} ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
    }
}
