//! The pages: rendered here from the newest state, taken over in the browser.

use app::{App, Snapshot, model::event::Event, shell};
use axum::{
    Router,
    http::{HeaderValue, header, request::Parts},
    routing::post,
};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*, tachys::view::any_view::AnyView};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};

use super::{AppState, form, plain::theme};
use crate::hub::World;

/// Events that the page of events is rendered with; the stream brings more.
const FIRST_EVENTS: usize = 300;

/// The routes of the pages and of the form.
pub fn routes(state: &AppState) -> Router<AppState> {
    let context = {
        let state = state.clone();
        move || provide_context(snapshot(&state.hub.world(), &state.build))
    };
    let options = state.leptos.clone();
    Router::new()
        .leptos_routes_with_context(state, generate_route_list(App), context, move || page(options.clone()))
        .route("/stats", post(form::act))
}

/// One page, with its policy: only our own script runs, by a word that changes with every answer.
fn page(options: LeptosOptions) -> AnyView {
    if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce())
        && let Ok(policy) = HeaderValue::from_str(&policy(&nonce))
    {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    let theme = use_context::<Parts>().and_then(|parts| theme(&parts.headers));
    shell(options, theme)
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; manifest-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// What a page is rendered from. Histories come with the stream: they would double the page.
fn snapshot(world: &World, build: &str) -> Snapshot {
    let proxies = world.proxies.iter().map(|proxy| {
        let mut sections = proxy.sections.clone();
        sections.0.iter_mut().for_each(|section| section.sparks = std::sync::Arc::default());
        (proxy.cluster.clone(), proxy.proxy.clone(), sections)
    });
    let mut fleet = app::model::fleet::Fleet::clone(&world.fleet);
    fleet.now = crate::hub::unix_ms();
    let events = match use_context::<Parts>() {
        Some(parts) if parts.uri.path() == "/events" => {
            let older = world.events.len().saturating_sub(FIRST_EVENTS);
            world.events.iter().skip(older).map(|e| Event::clone(e)).collect()
        }
        _ => Vec::new(),
    };
    Snapshot { build: build.to_owned(), fleet, proxies: proxies.collect(), events }
}
