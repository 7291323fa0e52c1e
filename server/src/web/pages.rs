//! The pages: rendered here from the newest state, taken over in the browser.

use app::{App, Snapshot, shell};
use axum::{
    Router,
    extract::Query,
    http::{HeaderValue, Uri, header, request::Parts},
    routing::post,
};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*, tachys::view::any_view::AnyView};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};
use model::{
    event::Event,
    fleet::Fleet,
    rights::Who,
    topic::{Section, Sections, TopicId},
};

use super::{AppState, actions::form, render::theme};
use crate::{auth::Principal, clock::unix_ms, hub::World};

/// Events that the page of events is rendered with; the stream brings more.
const FIRST_EVENTS: usize = 300;

/// The routes of the pages and of the form.
pub fn routes(state: &AppState) -> Router<AppState> {
    let context = {
        let state = state.clone();
        move || {
            // The request's own parts: leptos provides them before this.
            let Some(parts) = use_context::<Parts>() else { return };
            // Without a caller nothing is shown: no route is without one.
            let Some(principal) = parts.extensions.get::<Principal>() else { return };
            let world = state.hub.world().seen_by(&principal.rights);
            provide_context(snapshot(&world, &state.build, state.who(principal), &parts.uri));
        }
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

/// The node that an address is about: its `node=`.
fn chosen_node(address: &Uri) -> Option<String> {
    let Query(fields) = Query::<Vec<(String, String)>>::try_from_uri(address).ok()?;
    fields.into_iter().find(|(name, _)| name == "node").map(|(_, node)| node)
}

/// What the page at `address` is rendered from. Histories come with the stream: they would double the page.
fn snapshot(world: &World, build: &str, who: Who, address: &Uri) -> Snapshot {
    let node = chosen_node(address);
    let without_past = |section: &Section| Section::new(&section.node, section.rows.clone());
    let proxies = world.proxies.iter().map(|proxy| {
        let sections = Sections(proxy.topic().0.iter().map(without_past).collect());
        (proxy.cluster.clone(), proxy.proxy.clone(), sections)
    });
    let opened = world.proxies.iter().filter(|p| p.merged.is_some()).filter_map(|proxy| {
        let section = without_past(proxy.sections.section(node.as_deref()?)?);
        Some((TopicId::node(&section.node, &proxy.proxy), Sections(vec![section])))
    });
    let mut fleet = Fleet::clone(&world.fleet);
    fleet.now = unix_ms();
    let events = if address.path() == "/events" {
        let older = world.events.len().saturating_sub(FIRST_EVENTS);
        world.events.iter().skip(older).map(|e| Event::clone(e)).collect()
    } else {
        Vec::new()
    };
    Snapshot { who, build: build.to_owned(), fleet, proxies: proxies.collect(), opened: opened.collect(), events }
}
